//! Computers that are started again: what must survive is on a disk, the rest is gone.

mod image;
mod order;
mod power;
mod told;

use std::fs;
use std::time::Duration;

use super::cpio::Archive;
use super::initramfs::{self, stripped};
use super::kernel::Kernel;
use super::qemu::{Machine, readable};
use crate::support::{Tank, fixtures, source, volume};
use told::Told;

/// How long a computer may be on.
const DEADLINE: Duration = Duration::from_secs(150);

/// How large its disk is.
const DISK: u64 = 192 << 20;

/// A root file system for pods, on every computer.
const ROOTFS: &str = "/payload/rootfs";

/// A computer. It is off.
struct Computer {
    kernel: Kernel,
    /// What it boots from, without the script.
    archive: Vec<u8>,
    dir: tempfile::TempDir,
}

impl Computer {
    /// One with an empty disk, and with these files in `/payload` beside tank.
    fn new(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let kernel = Kernel::newest();
        let mut archive = initramfs::base(&kernel);
        let tank = stripped(&Tank::binary(), dir.path());
        archive.file("payload/tank", 0o755, &tank);
        archive.file("payload/disk.sh", 0o644, &fs::read(source("tests/vm/disk.sh")).unwrap());
        archive.tree("payload/rootfs", &fixtures::busybox_rootfs());
        for (name, content) in files {
            archive.file(&format!("payload/{name}"), 0o644, content);
        }
        volume::make_ext4(&dir.path().join("disk"), DISK);
        Self { kernel, archive: archive.finish(), dir }
    }

    /// The machine, which is going to run a script.
    fn machine(&self, script: &str) -> Machine {
        let mut last = Archive::default();
        let start = format!(". /payload/disk.sh\n{script}");
        last.file("payload/start", 0o644, start.as_bytes());
        // The kernel takes one archive after the other.
        let initrd = self.dir.path().join("initrd");
        fs::write(&initrd, [self.archive.as_slice(), &last.finish()].concat()).unwrap();
        Machine::new(&self.kernel.image(), &initrd).disk(&self.dir.path().join("disk"))
    }

    /// Lets it run a script and power off; gives what it told.
    fn run(&self, script: &str) -> Told {
        Told::new(self.machine(script).run(DEADLINE))
    }

    /// Lets it run a script, and cuts the power when it asks for that; gives what it told.
    fn cut(&self, script: &str) -> Told {
        let running = self.machine(script).start();
        let told = running.await_stdout("vm: cut", DEADLINE);
        running.kill();
        Told::new(readable(&told))
    }
}

/// A pod in a file of several, of one container, with further keys of the pod and of the container.
fn pod(name: &str, keys: &str, container: &str) -> String {
    format!("[[pods]]\nname = '{name}'\n{keys}\n[[pods.containers]]\nname = 'app'\n{container}\n")
}

/// The keys of a container that runs a shell script on the root file system.
fn script(script: &str) -> String {
    format!("rootfs = '{ROOTFS}'\ncommand = ['/bin/sh', '-c', '''{script}''']")
}

/// A script that runs until it is told to end.
const SLEEPER: &str = "trap 'exit 0' TERM; sleep 100000 & wait";
