//! Images and containers that mean harm. Each attack has a canary on the host.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{Boxed, SLEEPER, shell, with_source};
use crate::support::program::Output;
use crate::support::{Tank, fixtures};

/// A root file system of the test's own, and a directory of the host that must stay as it is.
struct Attack {
    tank: Tank,
    rootfs: PathBuf,
    canary: PathBuf,
}

impl Attack {
    fn new() -> Self {
        let tank = Tank::new();
        let (rootfs, canary) = (tank.dir().join("rootfs"), tank.dir().join("canary"));
        for dir in ["bin", "dev", "etc", "proc", "sys", "tmp", "work"] {
            fs::create_dir_all(rootfs.join(dir)).unwrap();
        }
        let busybox = fixtures::busybox_rootfs().join("bin/busybox");
        fs::copy(busybox, rootfs.join("bin/busybox")).unwrap();
        for applet in ["sh", "sleep", "cat", "ls"] {
            symlink("busybox", rootfs.join("bin").join(applet)).unwrap();
        }
        fs::create_dir(&canary).unwrap();
        for name in ["hosts", "resolv.conf", "null", "file"] {
            fs::write(canary.join(name), "canary\n").unwrap();
        }
        Self { tank, rootfs, canary }
    }

    /// Replaces a path of the root by a symbolic link.
    fn link(&self, path: &str, target: &Path) {
        let path = self.rootfs.join(path);
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        symlink(target, path).unwrap();
    }

    fn apply(&self, container: &str) -> Output {
        let source = format!("rootfs = {:?}", self.rootfs);
        let pod = with_source("restart = \"never\"", &source, &shell(SLEEPER), container);
        self.tank.apply(&pod)
    }

    #[track_caller]
    fn assert_canary_is_unchanged(&self) {
        let mut seen: Vec<_> = fs::read_dir(&self.canary)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        seen.sort();
        assert_eq!(seen, ["file", "hosts", "null", "resolv.conf"]);
        for name in seen {
            let path = self.canary.join(name);
            assert_eq!(fs::read_to_string(&path).unwrap(), "canary\n", "{}", path.display());
            assert!(fs::metadata(&path).unwrap().is_file());
        }
        let mode = fs::metadata(&self.canary).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o755);
    }
}

#[test]
fn proc_and_sys_and_dev_that_are_links_are_refused_or_harmless() {
    for dir in ["proc", "sys", "dev"] {
        for target in ["../../../../../canary", "absolute"] {
            let attack = Attack::new();
            let absolute = attack.canary.clone();
            let relative = PathBuf::from("/../../../../../..").join(&absolute);
            attack.link(dir, if target == "absolute" { &absolute } else { &relative });
            let output = attack.apply("");
            attack.assert_canary_is_unchanged();
            // Started or not, the answer is one of the documented ones.
            assert!(matches!(output.status.code(), Some(0 | 1)), "{output}");
            if output.status.code() == Some(1) {
                assert!(output.stderr.contains(&format!("/{dir}")), "{output}");
            }
        }
    }
}

#[test]
fn files_of_etc_that_are_links_do_not_lead_out() {
    for name in ["hosts", "resolv.conf", "hostname", "passwd", "group"] {
        let attack = Attack::new();
        attack.link(&format!("etc/{name}"), &attack.canary.join("hosts"));
        let output = attack.apply("");
        attack.assert_canary_is_unchanged();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output}");
    }
}

#[test]
fn a_file_of_accounts_that_is_no_file_does_not_hang() {
    let attack = Attack::new();
    let _ = fixtures::tool(
        "mkfifo",
        "coreutils",
        &[attack.rootfs.join("etc/passwd").to_str().unwrap()],
    );
    let output = attack.apply("user = \"somebody\"").exits(1);
    assert!(output.stderr.contains("passwd") || output.stderr.contains("somebody"), "{output}");
}

#[test]
fn null_devices_of_the_image_mask_nothing() {
    // CVE-2025-31133: what the image calls /dev/null must not be put over masked paths.
    let attack = Attack::new();
    attack.link("dev/null", &attack.canary.join("null"));
    let _ = attack.apply("").ok();
    let boxed = Boxed { tank: attack.tank };
    assert_eq!(boxed.sh("cat /proc/keys /dev/null"), "");
}

#[test]
fn targets_of_mounts_do_not_lead_out() {
    let attack = Attack::new();
    attack.link("away", &attack.canary);
    let output =
        attack.apply("[[containers.mounts]]\ntarget = \"/away/new/dir\"\ntmpfs = \"1MiB\"");
    attack.assert_canary_is_unchanged();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output}");
    // In the root the same name leads to a place inside the root.
    assert!(!attack.canary.join("new").exists());
}

#[test]
fn a_working_directory_behind_a_descriptor_is_refused() {
    // T-CWD-01, CVE-2024-21626.
    let attack = Attack::new();
    for number in 3..20 {
        let directory = format!("/proc/self/fd/{number}");
        let output = attack.apply(&format!("working_dir = \"{directory}\"")).exits(1);
        assert!(output.stderr.contains("working directory"), "{output}");
    }
    attack.apply("").ok();
    let boxed = Boxed { tank: attack.tank };
    for number in 3..20 {
        for directory in
            [format!("/proc/self/fd/{number}"), format!("/proc/self/fd/{number}/../..")]
        {
            let output = boxed.exec(&["-w", &directory, "box", "--", "ls"]).exits(125);
            assert!(output.stderr.contains("working directory"), "{output}");
        }
    }
}

#[test]
fn descriptors_of_the_caller_do_not_come_along() {
    // T-FD-02: the caller forgot a descriptor of the host's root.
    use std::os::fd::AsRawFd;
    use std::os::unix::process::CommandExt;
    let boxed = Boxed::sleeping("");
    let root = fs::File::open("/").unwrap();
    let open = rustix::io::fcntl_dupfd_cloexec(&root, 9).unwrap();
    rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty()).unwrap();
    let mut exec = boxed.exec_command(&["box", "--", "ls", "-l", "/proc/self/fd"]);
    exec.arg0("tank");
    let output = boxed.tank.run_with(&mut exec, &[]).ok();
    assert!(!output.stdout.contains(&format!(" {} -> ", open.as_raw_fd())), "{output}");

    let reconcile = super::pod_file("", &shell("sleep 1000"), "env = { NEW = \"1\" }");
    boxed.tank.apply(&reconcile).ok();
    for pid in
        [boxed.pid(), u32::try_from(boxed.ps()["monitor"].as_u64().unwrap_or_default()).unwrap()]
    {
        for entry in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            assert_ne!(target, Path::new("/"), "process {pid} has the host's root open");
        }
    }
}

#[test]
fn a_container_cannot_signal_or_see_the_monitor() {
    let boxed = Boxed::sleeping("");
    assert!(!boxed.sh("ps").contains("tank-monitor"));
    assert!(!boxed.sh("cat /proc/net/unix").contains("tank"));
}

#[test]
fn a_tracer_finds_nothing_of_the_host_in_what_is_executed() {
    // T-FD-01, CVE-2016-9962: it may look into every process that it sees.
    let looks = format!(
        "echo looking; while :; do for p in /proc/[0-9]*; do test -e $p/root{} && echo root $p; \
         case \"$(ls -l $p/fd 2>/dev/null)\" in *' -> /'*tank*) ls -l $p/fd;; esac; \
         case \"$(grep CapPrm $p/status 2>/dev/null)\" in *ffffff) echo mighty $p;; esac; \
         done; done",
        Tank::binary().display()
    );
    let boxed =
        Boxed::new("stop_timeout = \"0s\"", &looks, "capabilities = { add = [\"SYS_PTRACE\"] }");
    for _ in 0..if crate::support::in_vm() { 5 } else { 50 } {
        let _ = boxed.exec(&["box", "--", "true"]).ok();
    }
    assert_eq!(boxed.log(), "looking\n");
}
