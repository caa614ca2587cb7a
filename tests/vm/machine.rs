//! What tank needs of a machine, wherever the tests run: when this fails, the others would fail
//! in less clear ways.

use std::fs;

use rustix::mount::{MountFlags, UnmountFlags};

use crate::support::{Tank, fixtures, in_vm, program};

#[test]
fn has_the_controllers() {
    let unified = fs::read_to_string("/sys/fs/cgroup/cgroup.subtree_control");
    assert!(unified.is_ok() || !in_vm(), "cgroup v2 is not mounted");
    for controller in ["cpu", "memory", "pids"] {
        let v1 = fs::exists(format!("/sys/fs/cgroup/{controller}/cgroup.procs")).unwrap();
        let v2 =
            unified.as_ref().is_ok_and(|list| list.split_whitespace().any(|c| c == controller));
        assert!(v1 || v2, "no cgroup controller {controller}");
    }
}

#[test]
fn mounts_an_overlay() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    for name in ["lower", "upper", "work", "root"] {
        fs::create_dir(path(name)).unwrap();
    }
    fs::write(path("lower/gone"), "").unwrap();
    let options =
        format!("lowerdir={},upperdir={},workdir={}", path("lower"), path("upper"), path("work"));
    let options = std::ffi::CString::new(options).unwrap();

    let flags = MountFlags::empty();
    rustix::mount::mount("overlay", path("root"), "overlay", flags, options.as_c_str()).unwrap();
    let removed = fs::remove_file(path("root/gone"));
    rustix::mount::unmount(path("root"), UnmountFlags::DETACH).unwrap();

    removed.unwrap();
    assert!(!fs::metadata(path("upper/gone")).unwrap().is_file(), "no whiteout was made");
}

#[test]
fn runs_tank_and_has_the_fixtures() {
    assert!(fixtures::busybox_image().oci_archive().exists());
    let mut busybox = std::process::Command::new(fixtures::busybox_rootfs().join("bin/busybox"));
    program::run(busybox.arg("true"), &[], std::time::Duration::from_secs(10)).ok();
    let _ = Tank::new().run(["--version"]).ok();
}
