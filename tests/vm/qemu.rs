//! Machines that write what they have to say on a serial line.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};

use crate::support::fixtures::installed;
use crate::support::program::Running;

/// A machine that can be started.
#[derive(Debug)]
pub(crate) struct Machine(Command);

impl Machine {
    /// One that boots `kernel` with `initrd`.
    pub(crate) fn new(kernel: &Path, initrd: &Path) -> Self {
        let mut command = Command::new(installed("qemu-system-x86_64", "qemu-system-x86"));
        command
            .args(["-accel", "tcg", "-cpu", "max", "-m", "1G", "-nographic", "-no-reboot"])
            .args(["-nodefaults", "-serial", "stdio"])
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(initrd)
            // A kernel that panics reboots at once, and with -no-reboot that ends qemu.
            .args(["-append", "console=ttyS0 quiet panic=-1 cgroup_no_v1=all"]);
        Self(command)
    }

    /// The same with a disk, `/dev/vda`. What the machine was told is written is in the file; it is
    /// even on the disk that the file is on, but where the file system knows no O_DIRECT, the
    /// kernel keeps a copy, too.
    pub(crate) fn disk(mut self, file: &Path) -> Self {
        let is_direct = rustix::fs::open(file, OFlags::RDWR | OFlags::DIRECT, Mode::empty());
        let cache = if is_direct.is_ok() { "directsync" } else { "writethrough" };
        let file = file.to_str().unwrap();
        let drive = format!("file={file},format=raw,if=virtio,cache={cache}");
        self.0.args(["-drive", &drive]);
        self
    }

    /// Starts it. Dropping it pulls the plug.
    pub(crate) fn start(mut self) -> Running {
        Running::start(&mut self.0, &[])
    }

    /// Runs it until it powers off, and gives what it wrote; kills the machine and panics with that
    /// after `deadline`.
    pub(crate) fn run(self, deadline: Duration) -> String {
        readable(&self.start().finish(deadline).ok().stdout)
    }
}

/// What came over the line, which ends its lines as terminals do.
pub(crate) fn readable(serial: &str) -> String {
    serial.replace('\r', "")
}
