//! What an image says about its program is what the program gets, unless the pod file says more.

use std::fs;

use super::{load, pod};
use crate::support::{Tank, fixtures};

const NAMED: &str = "localhost/busybox:1";

/// A tank with the image that umoci made: Cmd, Env, WorkingDir, User and StopSignal are set.
fn umoci() -> Tank {
    let tank = Tank::new();
    load(&tank, &fixtures::busybox_image().docker_archive());
    tank
}

/// What a program that ends by itself wrote.
#[track_caller]
fn written(tank: &Tank, pod: &str, status: &str) -> String {
    tank.apply(pod).ok();
    tank.await_status("web", status);
    let logs = tank.run(["logs", "web"]).ok();
    logs.stdout + &logs.stderr
}

#[test]
fn cmd_runs_with_the_images_user_directory_and_environment() {
    let log = written(&umoci(), &pod(NAMED, ""), "completed");
    let mut lines = log.lines();
    let id = "uid=1000(guest) gid=1000(guest) groups=1000(guest),2000(extra)";
    assert_eq!(lines.next(), Some(id), "{log}");
    assert_eq!(lines.next(), Some("/www"), "{log}");
    assert!(lines.any(|line| line == "FROM_IMAGE=yes"), "{log}");
}

#[test]
fn args_replace_cmd() {
    let log = written(&umoci(), &pod(NAMED, "args = ['echo', 'from the pod file']"), "completed");
    assert_eq!(log, "from the pod file\n");
}

#[test]
fn entrypoint_is_run_with_cmd_or_args_and_replaced_by_command() {
    let tank = Tank::new();
    load(&tank, &fixtures::buildah_layout());
    // Entrypoint busybox, Cmd date.
    let log = written(&tank, &pod("latest", "env = { TZ = 'UTC' }"), "completed");
    assert!(log.contains(" UTC 20"), "{log}");
    for (keys, expected) in [
        ("args = ['echo', 'by args']", "by args\n"),
        ("command = ['/bin/echo', 'by command']", "by command\n"),
        // Without its Cmd, echo has nothing to say.
        ("command = ['/bin/echo']", "\n"),
    ] {
        tank.run(["delete", "web"]).ok();
        assert_eq!(written(&tank, &pod("latest", keys), "completed"), expected, "{keys}");
    }
}

#[test]
fn env_of_the_pod_file_is_set_over_the_images() {
    let tank = umoci();
    let keys = "command = ['sleep', '1000']\nenv = { FROM_IMAGE = 'no', MORE = 'a b' }";
    tank.apply(&pod(NAMED, keys)).ok();
    let told = tank.run(["exec", "web", "--", "env"]).ok().stdout;
    let mut variables = fs::read(format!("/proc/{}/environ", tank.pid("web"))).unwrap();
    variables.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b'\n');
    for text in [told, String::from_utf8(variables).unwrap()] {
        for variable in ["FROM_IMAGE=no", "MORE=a b", "PATH=/bin"] {
            assert!(text.lines().any(|line| line == variable), "no {variable} in\n{text}");
        }
        assert_eq!(text.matches("FROM_IMAGE").count(), 1, "{text}");
    }
}

#[test]
fn working_dir_is_the_images_or_the_pod_files() {
    let tank = umoci();
    for (keys, expected) in [("", "/www"), ("working_dir = '/home/guest'", "/home/guest")] {
        tank.apply(&pod(NAMED, &format!("command = ['sleep', '1000']\n{keys}"))).ok();
        let told = fs::read_link(format!("/proc/{}/cwd", tank.pid("web"))).unwrap();
        assert_eq!(told.to_str(), Some(expected));
        assert_eq!(tank.run(["exec", "web", "--", "pwd"]).ok().stdout.trim(), expected);
    }
}

#[test]
fn user_is_looked_up_in_the_image() {
    let tank = umoci();
    for (keys, uid, gid, groups) in [
        ("", 1000, 1000, "1000 2000"),
        ("user = '0'", 0, 0, "0"),
        ("user = '1000:2000'", 1000, 2000, "2000"),
        ("user = 'guest:extra'", 1000, 2000, "2000"),
    ] {
        tank.apply(&pod(NAMED, &format!("command = ['sleep', '1000']\n{keys}"))).ok();
        let status = fs::read_to_string(format!("/proc/{}/status", tank.pid("web"))).unwrap();
        let four = |name: &str, id: u32| format!("{name}:\t{id}\t{id}\t{id}\t{id}\n");
        for line in [four("Uid", uid), four("Gid", gid)] {
            assert!(status.contains(&line), "no {line} for {keys:?} in\n{status}");
        }
        let told = status.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap();
        assert_eq!(told.trim(), groups, "{keys}");
    }
}

#[test]
fn stop_signal_is_the_images_or_the_pod_files() {
    for (keys, code) in [("", 7), ("stop_signal = 'INT'", 8)] {
        let tank = umoci();
        let script = "trap \"exit 7\" USR1; trap \"exit 8\" INT; trap \"exit 9\" TERM; \
            echo ready; sleep 1000 & wait";
        let pod = pod(NAMED, &format!("command = ['/bin/sh', '-c', '{script}']\n{keys}"));
        let pod = pod.replace("stop_timeout = '1s'", "stop_timeout = '20s'");
        tank.apply(&pod).ok();
        tank.await_log("web", "ready");
        tank.apply(&format!("{pod}env = {{ CHANGED = 'yes' }}\n")).ok();
        let life = tank.lives("web").swap_remove(0);
        assert_eq!(life["exit_code"], code, "{life}");
    }
}
