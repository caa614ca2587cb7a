//! Credentials, capabilities and the system call filter: of the main process, and of `exec`.

use super::{Boxed, SLEEPER};

/// The lines of proc_pid_status(5) that say what a process may do.
const STATUS: &str = "grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp|Seccomp_filters):'";

/// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE,
/// SYS_CHROOT, SETFCAP.
const DEFAULT_CAPABILITIES: u64 = 0x8004_05fb;

#[track_caller]
fn status_of_both(boxed: &Boxed) -> String {
    let main = boxed.sh(&format!("{STATUS} /proc/1/status"));
    let exec = boxed.sh(&format!("{STATUS} /proc/self/status"));
    assert_eq!(main, exec, "exec is not what the main process is");
    main
}

#[track_caller]
fn assert_has(status: &str, line: &str) {
    assert!(status.lines().any(|has| has.trim_end() == line), "no {line:?} in\n{status}");
}

#[test]
fn root_has_eleven_capabilities_and_a_filter() {
    let status = status_of_both(&Boxed::sleeping(""));
    assert_has(&status, "Uid:\t0\t0\t0\t0");
    assert_has(&status, "Gid:\t0\t0\t0\t0");
    let set = format!("{DEFAULT_CAPABILITIES:016x}");
    for name in ["CapPrm", "CapEff", "CapBnd"] {
        assert_has(&status, &format!("{name}:\t{set}"));
    }
    for name in ["CapInh", "CapAmb"] {
        assert_has(&status, &format!("{name}:\t{:016x}", 0));
    }
    assert_has(&status, "NoNewPrivs:\t1");
    assert_has(&status, "Seccomp:\t2");
}

#[test]
fn a_user_has_its_groups_and_no_capability() {
    let status = status_of_both(&Boxed::sleeping("user = \"guest\""));
    assert_has(&status, "Uid:\t1000\t1000\t1000\t1000");
    assert_has(&status, "Gid:\t1000\t1000\t1000\t1000");
    assert_has(&status, "Groups:\t1000 2000");
    for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_has(&status, &format!("{name}:\t{:016x}", 0));
    }
    assert_has(&status, &format!("CapBnd:\t{DEFAULT_CAPABILITIES:016x}"));
}

#[test]
fn a_number_is_a_user_without_an_entry() {
    let boxed = Boxed::sleeping("user = \"4321:8765\"");
    let status = status_of_both(&boxed);
    assert_has(&status, "Uid:\t4321\t4321\t4321\t4321");
    assert_has(&status, "Gid:\t8765\t8765\t8765\t8765");
    assert_has(&status, "Groups:\t8765");
    assert_eq!(boxed.sh("echo $HOME"), "/");
}

#[test]
fn exec_as_another_user_is_that_user() {
    let boxed = Boxed::sleeping("");
    let id = |user: &str| boxed.exec(&["-u", user, "box", "--", "id"]).ok().stdout;
    assert_eq!(id("guest"), "uid=1000(guest) gid=1000(guest) groups=1000(guest),2000(extra)\n");
    assert_eq!(id("1000"), id("guest"));
    assert_eq!(id("1:2"), "uid=1 gid=2 groups=2\n");
    let status = boxed.exec(&["-u", "guest", "box", "--", "grep", "CapEff", "/proc/self/status"]);
    assert_has(&status.ok().stdout, &format!("CapEff:\t{:016x}", 0));
    for (user, part) in [("nobody-here", "nobody-here"), ("4294967296", "4294967296")] {
        let output = boxed.exec(&["-u", user, "box", "--", "id"]).exits(125);
        assert!(output.stderr.contains(part), "{output}");
    }
}

#[test]
fn capabilities_are_added_and_dropped() {
    let boxed = Boxed::sleeping("capabilities = { add = [\"NET_RAW\"], drop = [\"ALL\"] }");
    let status = status_of_both(&boxed);
    let net_raw = format!("{:016x}", 1_u64 << 13);
    for name in ["CapPrm", "CapEff", "CapBnd"] {
        assert_has(&status, &format!("{name}:\t{net_raw}"));
    }
    assert_has(&status, &format!("CapInh:\t{:016x}", 0));
}

#[test]
fn privileges_can_be_had_when_asked_for() {
    let boxed = Boxed::sleeping("no_new_privileges = false\nseccomp = \"unconfined\"");
    let status = status_of_both(&boxed);
    assert_has(&status, "NoNewPrivs:\t0");
    assert_has(&status, "Seccomp:\t0");
}

#[test]
fn forbidden_system_calls_fail() {
    let boxed = Boxed::sleeping("");
    for script in [
        "mount -t tmpfs none /tmp",
        "unshare -U true",
        "unshare -n true",
        "umount /proc",
        "chroot /proc/1/root mknod /tmp/disk b 254 0",
        "echo 1 > /proc/sys/kernel/core_pattern",
        "echo b > /proc/sysrq-trigger",
        "insmod /bin/busybox",
        "swapoff -a && false",
        "dmesg -c",
    ] {
        let output = boxed.exec(&["box", "--", "sh", "-c", script]);
        assert_ne!(output.status.code(), Some(0), "{output}");
    }
}

#[test]
fn the_same_in_a_container_with_init() {
    let boxed = Boxed::new("", SLEEPER, "init = true");
    assert_has(&status_of_both(&boxed), "Seccomp:\t2");
}
