//! Mounts, devices, masked paths, and the mounts of the pod file.

use std::fs;
use std::path::Path;

use super::{Boxed, SLEEPER, SOON, pod_file, shell};
use crate::support::{Tank, wait};

/// The options of the mount at a path, with those of its file system.
#[track_caller]
fn mount(boxed: &Boxed, target: &str) -> String {
    let table = boxed.sh("cat /proc/self/mountinfo");
    let line = table.lines().rfind(|line| line.split(' ').nth(4) == Some(target));
    let line = line.unwrap_or_else(|| panic!("nothing mounted on {target}:\n{table}"));
    let fields: Vec<_> = line.split(' ').collect();
    format!("{} {} {}", fields[5], fields[fields.len() - 3], fields[fields.len() - 1])
}

#[test]
fn mounts_are_there_with_their_flags() {
    let boxed = Boxed::sleeping("");
    for (target, kind, flags) in [
        ("/", "overlay", &["rw"][..]),
        ("/proc", "proc", &["rw", "nosuid", "nodev", "noexec"]),
        ("/dev", "tmpfs", &["nosuid", "mode=755"]),
        ("/dev/pts", "devpts", &["nosuid", "noexec", "ptmxmode=666", "mode=620", "gid=5"]),
        ("/dev/shm", "tmpfs", &["nosuid", "nodev", "noexec", "size=65536k"]),
        ("/dev/mqueue", "mqueue", &["nosuid", "nodev", "noexec"]),
        ("/sys", "sysfs", &["ro", "nosuid", "nodev", "noexec"]),
        ("/sys/fs/cgroup", "", &["ro", "nosuid", "nodev", "noexec"]),
    ] {
        let options = mount(&boxed, target);
        assert!(options.contains(kind), "{target}: {options}");
        let has: Vec<_> = options.split([' ', ',']).collect();
        for flag in flags {
            assert!(has.contains(flag), "{target} is not {flag}: {options}");
        }
    }
    assert_eq!(boxed.sh("stat -c %a /dev/shm"), "1777");
    assert_eq!(boxed.sh("df -m /dev/shm | awk 'END { print $2 }'"), "64");
}

#[test]
fn nothing_it_mounts_is_seen_by_the_host() {
    let boxed = Boxed::sleeping("");
    let host = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let id = boxed.ps()["id"].as_str().unwrap().to_owned();
    assert!(!host.contains(&id), "a mount of the container is in the host's namespace:\n{host}");
}

#[test]
fn devices_are_the_harmless_ones() {
    let boxed = Boxed::sleeping("");
    let listed = boxed.sh("ls /dev | tr '\\n' ' '");
    let expected = "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero";
    assert_eq!(listed.trim(), expected);
    for (name, number) in
        [("null", "1 3"), ("zero", "1 5"), ("full", "1 7"), ("random", "1 8"), ("urandom", "1 9")]
    {
        let seen = boxed.sh(&format!("stat -c '%t %T %a' /dev/{name}"));
        assert_eq!(seen, format!("{number} 666"), "{name}");
    }
    boxed.sh("echo x > /dev/null && head -c 10 /dev/urandom > /dev/null && ! echo x > /dev/full");
    assert_eq!(boxed.sh("ls /dev/pts"), "ptmx");
}

#[test]
fn a_device_that_is_not_asked_for_cannot_be_used() {
    // /dev/kmsg, with the capability to make nodes but without the right to the device.
    let boxed = Boxed::sleeping("capabilities = { add = [\"MKNOD\"] }\nseccomp = \"unconfined\"");
    let made = boxed.exec(&["box", "--", "mknod", "/tmp/kmsg", "c", "1", "11"]);
    if made.status.success() {
        let read = boxed.exec(&["box", "--", "head", "-c", "1", "/tmp/kmsg"]);
        assert_ne!(read.status.code(), Some(0), "{read}");
    }
}

#[test]
fn a_device_that_is_asked_for_works() {
    let boxed = Boxed::sleeping("devices = [\"/dev/kmsg\"]");
    assert_eq!(boxed.sh("stat -c '%t %T' /dev/kmsg"), "1 b");
    boxed.sh("exec 3>>/dev/kmsg");
}

#[test]
fn masked_paths_tell_nothing_and_keep_nothing() {
    let boxed = Boxed::sleeping("");
    for path in ["/proc/keys", "/proc/kcore", "/proc/timer_list", "/proc/interrupts"] {
        if Path::new(path).exists() {
            assert_eq!(boxed.sh(&format!("wc -c < {path}")), "0", "{path}");
        }
    }
    for path in ["/proc/acpi", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"] {
        if Path::new(path).exists() {
            assert_eq!(boxed.sh(&format!("ls -A {path}")), "", "{path}");
            let write = boxed.exec(&["box", "--", "touch", &format!("{path}/x")]).exits(1);
            assert!(write.stderr.contains("Read-only file system"), "{write}");
        }
    }
}

#[test]
fn read_only_paths_cannot_be_written() {
    let boxed = Boxed::sleeping("");
    for path in [
        "/proc/sys/kernel/hostname",
        "/proc/sysrq-trigger",
        "/proc/irq/default_smp_affinity",
        "/sys/kernel/profiling",
        "/sys/kernel/uevent_helper",
    ] {
        if Path::new(path).exists() {
            let write =
                boxed.exec(&["box", "--", "sh", "-c", &format!("echo 0 > {path}")]).exits(1);
            assert!(write.stderr.contains("Read-only file system"), "{write}");
        }
    }
    let script = "find /sys/fs/cgroup -name cgroup.procs | head -n 1";
    let procs = boxed.sh(script);
    assert!(procs.ends_with("cgroup.procs"), "no cgroup file system: {procs:?}");
    let write = boxed.exec(&["box", "--", "sh", "-c", &format!("echo 1 > {procs}")]).exits(1);
    assert!(write.stderr.contains("Read-only file system"), "{write}");
}

#[test]
fn a_read_only_root_has_writable_mounts() {
    let boxed = Boxed::sleeping(
        "read_only = true\n[[containers.mounts]]\ntarget = \"/tmp\"\ntmpfs = \"2MiB\"",
    );
    let write = boxed.exec(&["box", "--", "touch", "/etc/x"]).exits(1);
    assert!(write.stderr.contains("Read-only file system"), "{write}");
    boxed.sh("touch /tmp/x /dev/shm/x");
    let full = boxed.exec(&["box", "--", "dd", "if=/dev/zero", "of=/tmp/x", "bs=1M", "count=3"]);
    assert!(full.stderr.contains("No space left"), "{full}");
    for flag in ["nosuid", "nodev"] {
        assert!(mount(&boxed, "/tmp").contains(flag));
    }
}

#[test]
fn what_it_writes_stays_out_of_the_rootfs() {
    let boxed = Boxed::sleeping("");
    boxed.sh("echo changed > /www/index.html; rm /etc/group; touch /new");
    let rootfs = crate::support::fixtures::busybox_rootfs();
    assert_eq!(fs::read_to_string(rootfs.join("www/index.html")).unwrap(), "served by busybox\n");
    assert!(rootfs.join("etc/group").exists() && !rootfs.join("new").exists());
}

#[test]
fn host_directories_are_mounted_as_asked() {
    let tank = Tank::new();
    for name in ["rw", "ro"] {
        fs::create_dir(tank.dir().join(name)).unwrap();
        tank.file(&format!("{name}/file"), "from the host\n");
    }
    let mount = |name: &str, read_only: bool| {
        let host = tank.dir().join(name);
        format!(
            "[[containers.mounts]]\ntarget = \"/made/for/{name}\"\nhost = {host:?}\n\
             read_only = {read_only}\n"
        )
    };
    let mounts = mount("rw", false) + &mount("ro", true);
    tank.apply(&pod_file("", &shell(SLEEPER), &mounts)).ok();
    let boxed = Boxed { tank };

    assert_eq!(boxed.sh("cat /made/for/rw/file /made/for/ro/file"), "from the host\nfrom the host");
    boxed.sh("echo from inside > /made/for/rw/new");
    assert_eq!(fs::read_to_string(boxed.tank.dir().join("rw/new")).unwrap(), "from inside\n");
    let write = boxed.exec(&["box", "--", "touch", "/made/for/ro/file"]).exits(1);
    assert!(write.stderr.contains("Read-only file system"), "{write}");
    let host = boxed.tank.dir().to_owned();
    let inode = boxed.sh("stat -c %i /made/for/ro");
    use std::os::unix::fs::MetadataExt;
    assert_eq!(inode, fs::metadata(host.join("ro")).unwrap().ino().to_string());
}

#[test]
fn a_host_file_is_mounted_as_a_file() {
    let tank = Tank::new();
    let host = tank.file("site.conf", "a setting\n");
    let mount = format!("[[containers.mounts]]\ntarget = \"/etc/site.conf\"\nhost = {host:?}\n");
    tank.apply(&pod_file("", &shell(SLEEPER), &mount)).ok();
    let boxed = Boxed { tank };
    assert_eq!(boxed.sh("cat /etc/site.conf"), "a setting");
}

#[test]
fn a_missing_host_directory_fails_the_start_and_is_not_made() {
    let tank = Tank::new();
    let mount = "[[containers.mounts]]\ntarget = \"/data\"\nhost = \"/nowhere/at/all\"\n";
    let output = tank.apply(&pod_file("restart = \"never\"", &shell(SLEEPER), mount)).exits(1);
    assert!(output.stderr.contains("/nowhere/at/all"), "{output}");
    assert!(!Path::new("/nowhere").exists());
    wait::until("the container to be failed", SOON, || {
        (super::container(&tank)["state"] == "failed").then_some(())
    });
}
