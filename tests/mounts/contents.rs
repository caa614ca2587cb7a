//! Files that a pod file gives in its own text, or copies of files of the host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{mount, sh, sleeper};
use crate::support::Tank;

#[test]
fn a_file_has_the_text_of_the_pod_file() {
    let tank = Tank::new();
    let text = "line one\nline two\n";
    let keys = format!("target = '/etc/app/app.conf'\ncontent = {text:?}");
    tank.apply(&sleeper("web", &mount(&keys))).ok();
    assert_eq!(sh(&tank, "web", "cat /etc/app/app.conf"), text);
    assert_eq!(sh(&tank, "web", "stat -c '%a %U' /etc/app/app.conf"), "644 root\n");
    // What the container does to its copy concerns nobody else.
    sh(&tank, "web", "echo mine > /etc/app/app.conf");
    tank.run(["restart", "web"]).ok();
    assert_eq!(sh(&tank, "web", "cat /etc/app/app.conf"), text);
}

/// Who keeps what they make to themselves does not keep it from the users of their containers.
#[test]
fn the_umask_of_the_caller_is_not_for_what_the_container_sees() {
    let tank = Tank::new();
    let mounts = mount("target = '/conf'\ncontent = 'conf'")
        + &mount("target = '/key'\ncontent = 'key'\nsecret = true");
    let file = tank.file("web.toml", sleeper("web", &format!("user = 'guest'\n{mounts}")));
    let apply = tank.command(["apply", "-f", file.to_str().unwrap()]);
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", "umask 077; exec \"$@\"", "sh"]).arg(apply.get_program());
    tank.run_with(shell.args(apply.get_args()).env_clear(), &[]).ok();
    let files = "/etc/hosts /etc/hostname /etc/resolv.conf /conf /key";
    sh(&tank, "web", &format!("cd / && ls && cat {files}"));
    let modes = sh(&tank, "web", &format!("stat -c %a / {files}"));
    assert_eq!(modes, "755\n644\n644\n644\n644\n444\n");
}

#[test]
fn a_file_that_is_read_only_cannot_be_written_to() {
    let tank = Tank::new();
    tank.apply(&sleeper("web", &mount("target = '/conf'\ncontent = 'x'\nread_only = true"))).ok();
    tank.run(["exec", "web", "--", "sh", "-c", "echo y > /conf"]).exits(1);
    assert_eq!(sh(&tank, "web", "cat /conf"), "x");
}

#[test]
fn a_file_of_the_host_is_copied_when_it_is_applied() {
    let tank = Tank::new();
    let conf = tank.file("site.conf", "one");
    let file =
        tank.file("web.toml", sleeper("web", &mount("target = '/conf'\nfile = './site.conf'")));
    let apply = || tank.run(["apply", "-f", file.to_str().unwrap()]).ok();
    apply();
    assert_eq!(sh(&tank, "web", "cat /conf"), "one");

    // Nobody is asked about the file before it is applied again.
    fs::write(&conf, "two").unwrap();
    let planned = tank.run(["plan"]).ok();
    assert_eq!(planned.stdout, "nothing to do\n");
    tank.run(["restart", "web"]).ok();
    assert_eq!(sh(&tank, "web", "cat /conf"), "one");

    let planned = tank.run(["plan", "-f", file.to_str().unwrap()]).ok().stdout;
    let cause = format!("containers[app].mounts[/conf].file: {} (sha256:", conf.display());
    assert!(planned.contains(&cause), "{planned}");
    assert!(apply().stdout.contains("pod/web configured"));
    assert_eq!(sh(&tank, "web", "cat /conf"), "two");
    assert!(apply().stdout.contains("pod/web unchanged"));
}

#[test]
fn what_get_prints_of_a_file_can_be_applied() {
    let tank = Tank::new();
    tank.file("site.conf", "one");
    tank.apply(&sleeper("web", &mount("target = '/conf'\nfile = 'site.conf'"))).ok();
    let text = tank.run(["get", "web"]).ok().stdout;
    assert!(text.contains(&format!("file = {:?}", tank.dir().join("site.conf"))), "{text}");
    assert!(tank.apply(&text).ok().stdout.contains("pod/web unchanged"));
}

#[test]
fn a_file_that_may_be_executed_may_be_so_inside() {
    let tank = Tank::new();
    let script = tank.file("hello.sh", "#!/bin/sh\necho hello\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    tank.apply(&sleeper("web", &mount("target = '/hello'\nfile = 'hello.sh'"))).ok();
    assert_eq!(tank.run(["exec", "web", "--", "/hello"]).ok().stdout, "hello\n");
}

#[test]
fn a_file_that_is_not_there_is_an_error_in_its_place() {
    let tank = Tank::new();
    let text = sleeper("web", &mount("target = '/conf'\nfile = './missing.conf'"));
    let line = text.lines().position(|line| line.starts_with("file")).unwrap() + 1;
    let file = tank.file("web.toml", &text);
    let refused = tank.run(["apply", "-f", file.to_str().unwrap()]).exits(2);
    let place = format!("web.toml:{line}:8");
    assert!(refused.stderr.contains(&place), "{refused}");
    assert!(refused.stderr.contains("./missing.conf\" cannot be read: No such file"), "{refused}");
    // To take it away nobody needs it.
    tank.run(["delete", "--ignore-not-found", "-f", file.to_str().unwrap()]).ok();
}

#[test]
fn an_older_revision_has_its_own_content() {
    let tank = Tank::new();
    let conf = tank.file("site.conf", "one");
    let text = sleeper("web", &mount("target = '/conf'\nfile = 'site.conf'"));
    tank.apply(&text).ok();
    fs::write(conf, "two").unwrap();
    tank.apply(&text).ok();
    tank.run(["rollback", "web"]).ok();
    assert_eq!(sh(&tank, "web", "cat /conf"), "one");
}

/// A container that leaves a link in the place of a mounted file (CVE-2025-9566) gets a file of the
/// host neither shown nor written.
#[test]
fn a_link_in_the_place_of_a_file_leads_nowhere() {
    let tank = Tank::new();
    let canary = tank.file("canary", "untouched");
    let mounts = |content: &str| {
        let volume = mount("target = '/vol'\nvolume = 'shared'");
        volume + &mount(&format!("target = '/vol/cfg'\ncontent = '{content}'"))
    };
    tank.apply(&sleeper("web", &mount("target = '/vol'\nvolume = 'shared'"))).ok();
    sh(&tank, "web", &format!("ln -s {} /vol/cfg", canary.display()));
    for content in ["first", "second"] {
        tank.apply(&sleeper("web", &mounts(content))).ok();
        assert_eq!(sh(&tank, "web", "cat /vol/cfg"), content);
        sh(&tank, "web", "echo changed > /vol/cfg");
        assert_eq!(fs::read_to_string(&canary).unwrap(), "untouched");
    }
    // What is mounted took the place of the link, which led nowhere inside.
    let place = tank.root().join("volumes/shared/data/cfg");
    assert_eq!(fs::read_to_string(place).unwrap(), "");
    // A directory that is a link is not followed out of the root either.
    let up = Path::new("/vol/up/file");
    sh(&tank, "web", &format!("rm /vol/cfg; ln -s {} /vol/up", tank.dir().display()));
    let escape = mount("target = '/vol'\nvolume = 'shared'")
        + &mount(&format!("target = {up:?}\ncontent = 'x'"));
    drop(tank.apply(&sleeper("web", &escape)));
    assert!(!tank.dir().join("file").exists());
}

#[test]
fn the_files_of_several_pods_come_with_one_command() {
    let tank = Tank::new();
    let pods = ["one", "two", "three"].map(|name| {
        tank.file(&format!("{name}.conf"), name);
        let keys = format!("target = '/conf'\nfile = '{name}.conf'");
        tank.file(&format!("{name}.toml"), sleeper(name, &mount(&keys)))
    });
    let files = pods.iter().flat_map(|file| ["-f", file.to_str().unwrap()]);
    tank.run(["apply"].into_iter().chain(files)).ok();
    for name in ["one", "two", "three"] {
        assert_eq!(sh(&tank, name, "cat /conf"), name);
    }
}

/// A link of the image that leads among the files of the kernel (CVE-2019-16884): what tank reads and
/// writes in `/proc` must be the kernel's.
#[test]
fn nothing_is_mounted_over_the_files_of_the_kernel() {
    let tank = Tank::new();
    let rootfs = tank.dir().join("rootfs");
    let from = crate::support::fixtures::busybox_rootfs();
    let copy = std::process::Command::new("cp").arg("-a").args([&from, &rootfs]).status();
    assert!(copy.unwrap().success());
    std::os::unix::fs::symlink("/proc", rootfs.join("kernel")).unwrap();
    std::os::unix::fs::symlink("/sys/kernel", rootfs.join("devices")).unwrap();
    for (target, source) in [
        ("/kernel", "volume = 'v'"),
        ("/kernel", "tmpfs = '1MiB'"),
        ("/kernel/self/oom_score_adj", "content = '7'"),
        ("/devices", "tmpfs = '1MiB'"),
    ] {
        let pod = sleeper("web", &mount(&format!("target = '{target}'\n{source}")))
            .replace(from.to_str().unwrap(), rootfs.to_str().unwrap());
        let refused = tank.apply(&pod).exits(1);
        assert!(refused.stderr.contains(&format!("mount {target}")), "{refused}");
        tank.run(["delete", "--wait", "web"]).ok();
    }
}
