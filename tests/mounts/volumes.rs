//! Named volumes, which outlive the pods that mount them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::{mount, sh, sleeper};
use crate::support::{Tank, fixtures};

fn data(tank: &Tank, name: &str) -> std::path::PathBuf {
    tank.root().join("volumes").join(name).join("data")
}

#[test]
fn what_is_written_survives_replacement_delete_and_a_new_pod() {
    let tank = Tank::new();
    let pod = sleeper("db", &mount("target = '/var/lib/db'\nvolume = 'db-data'"));
    tank.apply(&pod).ok();
    sh(&tank, "db", "echo kept > /var/lib/db/file");
    tank.apply(&pod.replace("sleep 1000", "sleep 2000")).ok();
    assert_eq!(sh(&tank, "db", "cat /var/lib/db/file"), "kept\n");
    tank.run(["delete", "--wait", "db"]).ok();
    assert_eq!(fs::read_to_string(data(&tank, "db-data").join("file")).unwrap(), "kept\n");
    tank.apply(&pod).ok();
    assert_eq!(sh(&tank, "db", "cat /var/lib/db/file"), "kept\n");
}

#[test]
fn two_containers_see_the_same_one() {
    let tank = Tank::new();
    tank.apply(&sleeper("one", &mount("target = '/a'\nvolume = 'both'"))).ok();
    let reader = mount("target = '/b'\nvolume = 'both'\nread_only = true");
    tank.apply(&sleeper("two", &reader)).ok();
    sh(&tank, "one", "echo shared > /a/file");
    assert_eq!(sh(&tank, "two", "cat /b/file"), "shared\n");
    tank.run(["exec", "two", "--", "touch", "/b/other"]).exits(1);
}

#[test]
fn a_new_one_begins_with_what_the_image_has_there() {
    let tank = Tank::new();
    // The root is used as it is: what is put there must not be everybody's.
    let rootfs = tank.dir().join("rootfs");
    let copied = std::process::Command::new("cp")
        .args(["-a", fixtures::busybox_rootfs().to_str().unwrap(), rootfs.to_str().unwrap()])
        .status();
    assert!(copied.unwrap().success());
    let content = rootfs.join("srv/data");
    fs::create_dir_all(content.join("sub")).unwrap();
    fs::write(content.join("sub/file"), "from the image\n").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", content.join("link")).unwrap();
    // A file that claims far more than it has.
    fs::File::create(content.join("sparse")).unwrap().set_len(1 << 40).unwrap();
    std::os::unix::fs::chown(content.join("sub/file"), Some(1000), Some(1000)).unwrap();
    std::os::unix::fs::chown(&content, Some(1000), Some(2000)).unwrap();
    fs::set_permissions(&content, std::os::unix::fs::PermissionsExt::from_mode(0o2750)).unwrap();

    let pod = sleeper("web", &mount("target = '/srv/data'\nvolume = 'filled'"))
        .replace(fixtures::busybox_rootfs().to_str().unwrap(), rootfs.to_str().unwrap());
    tank.apply(&pod).ok();
    assert_eq!(sh(&tank, "web", "cat /srv/data/sub/file"), "from the image\n");
    assert_eq!(sh(&tank, "web", "readlink /srv/data/link"), "/etc/passwd\n");
    assert_eq!(sh(&tank, "web", "stat -c '%u:%g %a' /srv/data"), "1000:2000 2750\n");
    assert_eq!(sh(&tank, "web", "stat -c '%u:%g' /srv/data/sub/file"), "1000:1000\n");
    let made = fs::metadata(data(&tank, "filled").join("sub/file")).unwrap();
    assert_eq!(made.nlink(), 1);

    // What the image has later is not for one that is there, however empty it was made.
    let sparse = fs::metadata(data(&tank, "filled").join("sparse")).unwrap();
    assert_eq!((sparse.size(), sparse.blocks()), (1 << 40, 0));
    sh(&tank, "web", "rm -r /srv/data/sub /srv/data/link /srv/data/sparse");
    tank.run(["restart", "web"]).ok();
    assert_eq!(sh(&tank, "web", "ls -A /srv/data"), "");
}

#[test]
fn one_that_was_filled_by_hand_stays_so() {
    let tank = Tank::new();
    fs::create_dir_all(data(&tank, "by-hand")).unwrap();
    for made in [tank.root(), tank.root().join("volumes")] {
        fs::set_permissions(made, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    }
    fs::write(data(&tank, "by-hand").join("mine"), "").unwrap();
    tank.apply(&sleeper("web", &mount("target = '/www'\nvolume = 'by-hand'"))).ok();
    assert_eq!(sh(&tank, "web", "ls -A /www"), "mine\n");
}

#[test]
fn a_first_mount_that_was_interrupted_is_begun_anew() {
    let tank = Tank::new();
    let half = tank.root().join("volumes/www/unfinished");
    fs::create_dir_all(&half).unwrap();
    fs::set_permissions(tank.root(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    fs::write(half.join("half"), "").unwrap();
    tank.apply(&sleeper("web", &mount("target = '/www'\nvolume = 'www'"))).ok();
    assert_eq!(sh(&tank, "web", "ls -A /www"), "index.html\n");
    assert!(!half.exists());
}

#[test]
fn they_are_listed_with_the_pods_that_use_them() {
    let tank = Tank::new();
    let none = tank.run(["volume", "list", "-o", "json"]).ok().json();
    assert_eq!(none["volumes"], serde_json::json!([]));
    tank.apply(&sleeper("one", &mount("target = '/a'\nvolume = 'shared'"))).ok();
    tank.apply(&sleeper("two", &mount("target = '/a'\nvolume = 'shared'"))).ok();
    sh(&tank, "one", "head -c 100000 /dev/urandom > /a/file; sync");
    let listed = tank.run(["volume", "list", "-o", "json"]).ok().json();
    let volume = &listed["volumes"][0];
    assert_eq!(volume["name"], "shared");
    assert_eq!(volume["pods"], serde_json::json!(["one", "two"]));
    assert_eq!(volume["empty"], false);
    let inspected = tank.run(["volume", "inspect", "shared", "-o", "json"]).ok().json();
    assert_eq!(inspected["entries"], 1);
    assert!(inspected["bytes"].as_u64().unwrap() >= 100_000, "{inspected}");
    assert_eq!(inspected["path"], data(&tank, "shared").to_str().unwrap());
    tank.run(["volume", "inspect", "none"]).exits(3);
}

#[test]
fn one_that_a_pod_uses_is_not_removed() {
    let tank = Tank::new();
    tank.apply(&sleeper("web", &mount("target = '/a'\nvolume = 'used'"))).ok();
    tank.run(["stop", "web"]).ok();
    let refused = tank.run(["volume", "rm", "used"]).exits(1);
    assert!(refused.stderr.contains("volume used is used by web"), "{refused}");
    let pruned = tank.run(["volume", "prune", "--all"]).ok();
    assert_eq!(pruned.stdout, "");
    assert!(data(&tank, "used").exists());

    tank.run(["delete", "--wait", "web"]).ok();
    assert_eq!(tank.run(["volume", "rm", "used"]).ok().stdout, "volume used removed\n");
    assert_eq!(fs::read_dir(tank.root().join("volumes")).unwrap().count(), 0);
    tank.run(["volume", "rm", "used"]).exits(3);
}

#[test]
fn one_that_cannot_be_read_is_not_taken_for_empty() {
    let tank = Tank::new();
    tank.apply(&sleeper("db", &mount("target = '/a'\nvolume = 'db'"))).ok();
    sh(&tank, "db", "touch /a/file");
    tank.run(["delete", "--wait", "db"]).ok();
    for args in [&["prune"][..], &["list"], &["inspect", "db"]] {
        let command = tank.command([&["volume"], args].concat());
        let mut failing = std::process::Command::new(fixtures::installed("strace", "strace"));
        failing.args(["-qq", "-o", "/dev/null", "-e", "inject=getdents64:error=EIO"]);
        failing.arg("-P").arg(data(&tank, "db")).arg(command.get_program());
        let refused = tank.run_with(failing.args(command.get_args()).env_clear(), &[]).exits(1);
        assert!(refused.stderr.contains("Input/output error"), "{refused}");
    }
    assert!(data(&tank, "db").join("file").exists());
}

#[test]
fn what_holds_something_is_pruned_only_when_that_is_asked_for() {
    let tank = Tank::new();
    for name in ["empty", "full"] {
        tank.apply(&sleeper(name, &mount(&format!("target = '/a'\nvolume = '{name}'")))).ok();
    }
    sh(&tank, "full", "touch /a/file");
    tank.run(["delete", "--wait", "empty", "full"]).ok();
    let dry = tank.run(["volume", "prune", "--all", "--dry-run"]).ok().stdout;
    assert_eq!(dry, "volume empty would be removed\nvolume full would be removed\n");
    assert_eq!(tank.run(["volume", "prune"]).ok().stdout, "volume empty removed\n");
    assert!(data(&tank, "full").join("file").exists());
    assert_eq!(tank.run(["volume", "prune", "--all"]).ok().stdout, "volume full removed\n");
}
