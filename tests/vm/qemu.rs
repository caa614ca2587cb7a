//! Runs a machine until it powers off, and gives what it wrote on its serial line.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::fixtures::advice;
use crate::support::program;

/// Boots `kernel` with `initrd`; kills the machine and panics with its log after `deadline`.
pub(crate) fn run(kernel: &Path, initrd: &Path, deadline: Duration) -> String {
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args(["-accel", "tcg", "-cpu", "max", "-m", "1G", "-nographic", "-no-reboot"])
        .args(["-nodefaults", "-serial", "stdio"])
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(initrd)
        // A kernel that panics reboots at once, and with -no-reboot that ends qemu.
        .args(["-append", "console=ttyS0 quiet panic=-1 cgroup_no_v1=all"]);
    let installed = Command::new("qemu-system-x86_64").arg("--version").output().is_ok();
    assert!(installed, "no qemu-system-x86_64: {}", advice("qemu-system-x86"));
    let output = program::run(&mut command, &[], deadline).ok();
    // The serial line ends its lines as terminals do.
    output.stdout.replace('\r', "")
}
