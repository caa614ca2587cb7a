//! The tests on another kernel: Debian's own, with nothing but cgroup v2.
//!
//! [`boots`] starts it under qemu's interpreter (no KVM needed) from an initramfs that holds
//! busybox, the kernel modules, tank, this very test binary and the library's unit tests. There
//! `init.sh` runs the tests named below and reports on the serial line. A test may ask
//! [`crate::support::in_vm`] where it is, and finds only the fixtures listed here.

mod cpio;
mod kernel;
mod machine;
mod qemu;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Tank, fixtures, source};
use cpio::Archive;
use kernel::Kernel;

/// What runs there of the black-box tests: arguments of libtest.
const BLACK_BOX: &[&str] = &[
    "vm::machine::",
    "support::selftest::snapshot_sees_a_process",
    "support::selftest::snapshot_sees_the_cgroup",
    "container::end::",
    "container::limits::",
    "container::exec::a_killed_client",
    "container::exec::input_reaches",
    "container::exec::the_exit_code",
    "container::file_systems::a_device_that_is_not_asked_for",
    "container::file_systems::masked_paths",
    "container::file_systems::mounts_are_there",
    "container::namespaces::every_namespace",
    "container::privileges::root_has",
    "crash::command::of_a_change_of_limits",
    "crash::monitor::the_program_lives_on",
    "heal::policy::always",
    "terminals::streams::input_is_fed",
];

/// What runs there of the library's unit tests: arguments of libtest.
const UNIT: &[&str] = &[
    "sys::",
    "runtime::",
    "net::",
    // Perl and Python are not there.
    "--skip=seccomp::kernel_tests::programs_run",
];

/// What the kernel has as modules; each brings those it depends on.
const MODULES: &[&str] = &[
    "overlay",
    "bridge",
    "veth",
    // What nf_tables asks for by the name of an algorithm.
    "crc32c_generic",
    "nf_tables",
    "nft_chain_nat",
    "nft_ct",
    "nft_fib_inet",
    "nft_masq",
    "nft_meta_bridge",
    "nft_nat",
    "nf_conntrack_netlink",
    "tcp_diag",
    "udp_diag",
];

/// How long the machine may take from power on to power off.
const DEADLINE: Duration = Duration::from_secs(350);

#[test]
fn boots() {
    let kernel = Kernel::newest();
    let dir = tempfile::tempdir().unwrap();
    let initrd = dir.path().join("initrd");
    fs::write(&initrd, initramfs(&kernel, dir.path())).unwrap();

    let started = Instant::now();
    let serial = qemu::run(&kernel.image(), &initrd, DEADLINE);

    let passed = |tests: &str| serial.contains(&format!("vm: {tests}: exit 0"));
    assert!(passed("black-box") && passed("unit"), "the tests there failed\n{serial}");
    // A filter that matches nothing also ends well, so count.
    let ran = serial.lines().filter(|line| line.starts_with("test result: ok. "));
    let counts: Vec<_> = ran.filter_map(|line| line.split(' ').nth(3)).collect();
    assert!(counts.len() == 2 && !counts.contains(&"0"), "too few tests ran: {counts:?}\n{serial}");
    println!("{serial}\nup and done in {:?}", started.elapsed());
}

/// Everything the machine has.
fn initramfs(kernel: &Kernel, scratch: &Path) -> Vec<u8> {
    let mut archive = Archive::default();
    for dir in ["dev", "proc", "sys", "tmp", "run", "root", "new", "etc", "modules", "payload"] {
        archive.dir(dir, 0o755);
    }
    archive.dir("payload/fixtures", 0o755);
    // The kernel opens it as the standard streams of init before anything is mounted.
    archive.char_device("dev/console", 5, 1);
    archive.file("init", 0o755, &fs::read(source("tests/vm/init.sh")).unwrap());
    archive.file("etc/passwd", 0o644, b"root:x:0:0:root:/root:/bin/sh\n");
    archive.file("etc/group", 0o644, b"root:x:0:\n");
    archive.tree("bin", &fixtures::busybox_rootfs().join("bin"));
    for (n, module) in kernel.modules(MODULES).iter().enumerate() {
        archive.file(&format!("modules/{n:02}.ko"), 0o644, module);
    }
    for (name, program) in [
        ("tank", Tank::binary()),
        ("black-box", std::env::current_exe().unwrap()),
        ("unit", unit_tests()),
    ] {
        archive.file(&format!("payload/{name}"), 0o755, &stripped(&program, scratch));
    }
    archive.file("payload/black-box.filters", 0o644, BLACK_BOX.join("\n").as_bytes());
    archive.file("payload/unit.filters", 0o644, UNIT.join("\n").as_bytes());
    for fixture in [fixtures::busybox_rootfs(), fixtures::busybox_image().into_dir()] {
        let name = fixture.file_name().unwrap().to_str().unwrap();
        archive.tree(&format!("payload/fixtures/{name}"), &fixture);
    }
    archive.finish()
}

/// The executable of the library's unit tests. cargo says where it is, and builds it if need be.
fn unit_tests() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--no-run", "--lib", "--message-format=json", "--quiet", "--manifest-path"])
        .arg(source("Cargo.toml"))
        .args((!cfg!(debug_assertions)).then_some("--release"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        message["executable"].as_str().map(PathBuf::from)
    });
    executable.expect("cargo names the test executable")
}

/// The program without debug information, which would be most of the initramfs.
fn stripped(program: &Path, scratch: &Path) -> Vec<u8> {
    let target = scratch.join("stripped");
    let args = ["-o", target.to_str().unwrap(), program.to_str().unwrap()];
    fixtures::tool("strip", "binutils", &args);
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o111, 0o111);
    fs::read(&target).unwrap()
}
