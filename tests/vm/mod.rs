//! The tests on another kernel: Debian's own, with nothing but cgroup v2.
//!
//! [`boots`] starts it under qemu's interpreter (no KVM needed) from an initramfs that holds
//! busybox, the kernel modules, tank, this very test binary and the library's unit tests. There
//! the tests named below run and report on the serial line. A test may ask
//! [`crate::support::in_vm`] where it is, and finds only the fixtures listed here.
//!
//! The machines of [`reboot`] have a disk, and are started again.

mod cpio;
mod initramfs;
mod kernel;
mod machine;
mod qemu;
mod reboot;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Tank, fixtures, source};
use initramfs::stripped;
use kernel::Kernel;
use qemu::Machine;

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
    "several::share_pids::the_end_of_one",
    "several::share_pids::they_see",
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

/// How long the machine may take from power on to power off.
const DEADLINE: Duration = Duration::from_secs(350);

#[test]
fn boots() {
    let kernel = Kernel::newest();
    let dir = tempfile::tempdir().unwrap();
    let initrd = dir.path().join("initrd");
    fs::write(&initrd, everything(&kernel, dir.path())).unwrap();

    let started = Instant::now();
    let serial = Machine::new(&kernel.image(), &initrd).run(DEADLINE);

    let passed = |tests: &str| serial.contains(&format!("vm: {tests}: exit 0"));
    assert!(passed("black-box") && passed("unit"), "the tests there failed\n{serial}");
    // A filter that matches nothing also ends well, so count.
    let ran = serial.lines().filter(|line| line.starts_with("test result: ok. "));
    let counts: Vec<_> = ran.filter_map(|line| line.split(' ').nth(3)).collect();
    assert!(counts.len() == 2 && !counts.contains(&"0"), "too few tests ran: {counts:?}\n{serial}");
    println!("{serial}\nup and done in {:?}", started.elapsed());
}

/// Everything the machine has.
fn everything(kernel: &Kernel, scratch: &Path) -> Vec<u8> {
    let mut archive = initramfs::base(kernel);
    archive.dir("payload/fixtures", 0o755);
    archive.file("payload/start", 0o644, &fs::read(source("tests/vm/tests.sh")).unwrap());
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
///
/// It must not see what the runner tells a test about its package: some of the dependencies' build
/// scripts ask for variables of the same names, so they would run again, and the executable would be
/// linked anew while its tests run.
fn unit_tests() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    let output = command
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
