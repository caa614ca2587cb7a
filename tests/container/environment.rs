//! Environment, working directory, limits of the process, kernel parameters.

use super::{Boxed, SLEEPER, pod_file, shell, with_source};
use crate::support::{Tank, fixtures};

#[track_caller]
fn assert_variable(environment: &str, variable: &str) {
    assert!(environment.lines().any(|line| line == variable), "no {variable} in\n{environment}");
}

#[test]
fn the_environment_is_small_and_known() {
    let boxed = Boxed::new("hostname = \"inside\"", SLEEPER, "env = { TZ = \"UTC\" }");
    let main = boxed.sh("tr '\\0' '\\n' < /proc/1/environ | sort");
    let expected = "HOME=/root\nHOSTNAME=inside\n\
                    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nTZ=UTC";
    assert_eq!(main, expected);
    // Not through a shell, which would add its own.
    let exec = boxed.exec(&["box", "--", "env"]).ok().stdout;
    let mut lines: Vec<_> = exec.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn the_callers_environment_stays_outside() {
    let tank = Tank::new();
    let mut apply = tank.command(["apply", "-f", "-"]);
    apply.env("FROM_THE_CALLER", "1").env("PATH", "/from/the/caller");
    tank.run_with(&mut apply, pod_file("", &shell(SLEEPER), "").as_bytes()).ok();
    let boxed = Boxed { tank };
    let mut exec = boxed.exec_command(&["box", "--", "env"]);
    let exec = boxed.tank.run_with(exec.env("FROM_THE_CALLER", "2"), &[]).ok();
    for environment in [boxed.sh("cat /proc/1/environ"), exec.stdout] {
        assert!(!environment.to_lowercase().contains("caller"), "{environment}");
    }
}

#[test]
fn the_image_speaks_and_the_pod_file_over_it() {
    let tank = Tank::new();
    let archive = fixtures::busybox_image().docker_archive();
    tank.run(["image", "load", archive.to_str().unwrap()]).ok();
    let keys = "env = { FROM_POD = \"yes\", FROM_IMAGE = \"no\" }";
    let pod = with_source("", "image = \"localhost/busybox:1\"", &shell("sleep 1000 & wait"), keys);
    tank.apply(&pod).ok();
    let boxed = Boxed { tank };

    let environment = boxed.sh("tr '\\0' '\\n' < /proc/1/environ");
    for variable in ["PATH=/bin", "FROM_IMAGE=no", "FROM_POD=yes", "HOME=/home/guest"] {
        assert_variable(&environment, variable);
    }
    assert_eq!(boxed.sh("pwd; id -u; readlink /proc/1/cwd"), "/www\n1000\n/www");
    assert_eq!(boxed.sh("ls /www; ls /opaque"), "index.html\nupper");
    // Its StopSignal is SIGUSR1, whose default action ends the shell at once. Were it TERM, that
    // would too, so ask the record.
    boxed.tank.run(["delete", "box"]).ok();
}

#[test]
fn the_working_directory_is_as_asked() {
    let boxed = Boxed::sleeping("working_dir = \"/www\"");
    assert_eq!(boxed.sh("readlink /proc/1/cwd; pwd"), "/www\n/www");
    let elsewhere = boxed.exec(&["-w", "/home/guest", "box", "--", "pwd"]).ok();
    assert_eq!(elsewhere.stdout, "/home/guest\n");
    let nowhere = boxed.exec(&["-w", "/nowhere", "box", "--", "pwd"]).exits(125);
    assert!(nowhere.stderr.contains("/nowhere"), "{nowhere}");
}

#[test]
fn exec_adds_variables() {
    let boxed = Boxed::sleeping("env = { KEEP = \"1\", CHANGE = \"2\" }");
    let output = boxed.exec(&["-e", "CHANGE=3", "-e", "NEW=a=b", "box", "--", "env"]).ok();
    for variable in ["KEEP=1", "CHANGE=3", "NEW=a=b"] {
        assert_variable(&output.stdout, variable);
    }
    assert!(!output.stdout.contains("CHANGE=2"), "{output}");
}

#[test]
fn limits_and_parameters_are_set() {
    let boxed = Boxed::sleeping(
        "ulimits = { nofile = \"123:456\", core = \"0:0\" }\n\
         sysctls = { \"net.core.somaxconn\" = \"77\" }",
    );
    for script in ["cat /proc/1/limits", "cat /proc/self/limits"] {
        let limits = boxed.sh(script);
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[3..5], ["123", "456"], "{line}");
    }
    assert_eq!(boxed.sh("cat /proc/sys/net/core/somaxconn"), "77");
    assert_ne!(std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap(), "77\n");
}

#[test]
fn the_process_starts_clean() {
    let boxed = Boxed::sleeping("");
    assert_eq!(boxed.sh("umask"), "0022");
    let signals = boxed.exec(&["box", "--", "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]);
    assert_eq!(signals.ok().stdout, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    assert_eq!(boxed.sh("cat /proc/1/oom_score_adj /proc/self/oom_score_adj"), "0\n0");
}

#[test]
fn there_are_no_descriptors_but_the_standard_streams() {
    // `exec` instead of a fork: what the shell opens for itself is closed on execution.
    let boxed = Boxed::completed("", "exec ls -l /proc/self/fd", "");
    let main = boxed.log();
    let exec = boxed.exec(&["box", "--", "true"]);
    assert_ne!(exec.status.code(), Some(0), "it has ended");
    assert_streams_only(&main);

    let boxed = Boxed::sleeping("");
    assert_streams_only(&boxed.exec(&["box", "--", "ls", "-l", "/proc/self/fd"]).ok().stdout);
}

#[track_caller]
fn assert_streams_only(listing: &str) {
    let open: Vec<_> = listing
        .lines()
        .filter_map(|line| line.split_once(" -> "))
        // What the listing itself reads.
        .filter(|(_, target)| !target.contains("/fd"))
        .map(|(name, target)| {
            assert!(target.starts_with("pipe:") || target == "/dev/null", "{listing}");
            name.rsplit(' ').next().unwrap()
        })
        .collect();
    assert_eq!(open, ["0", "1", "2"], "{listing}");
}
