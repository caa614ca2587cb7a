//! Network namespaces of a test's own: machines that no other test sees, and the world around them.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use nix::sched::{CloneFlags, setns, unshare};

use super::fixtures::installed;
use super::program::{self, Output};

/// How long a program that sets something up may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// A network namespace without a name. It is gone once the test is, and all that runs in it.
#[derive(Debug, Clone)]
pub(crate) struct Namespace(Arc<File>);

impl Namespace {
    /// A new one, with nothing but a loopback interface that is up.
    pub(crate) fn new() -> Self {
        let made = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        let namespace = Self(Arc::new(made.join().unwrap()));
        namespace.ip("link set lo up");
        namespace
    }

    /// The one that a file is, which somebody else made.
    #[track_caller]
    pub(crate) fn at(file: &Path) -> Self {
        let open = File::open(file);
        Self(Arc::new(open.unwrap_or_else(|error| panic!("{}: {error}", file.display()))))
    }

    /// Its file, for as long as this process has it open.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }

    /// Does something inside of it. Sockets that are made there stay there.
    pub(crate) fn within<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> T {
        let enter = || {
            setns(&*self.0, CloneFlags::CLONE_NEWNET).unwrap();
            inside()
        };
        let done = std::thread::scope(|scope| scope.spawn(enter).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// The command that runs a program inside of it, to which arguments may be added.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(installed("nsenter", "util-linux"));
        command.arg(format!("--net={}", self.path())).arg("--").arg(program);
        command
    }

    /// Runs a shell script inside of it; how it ends is the test's to say.
    #[must_use = "assert how it ended: ok() or exits(CODE)"]
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> Output {
        program::run(self.command("/bin/sh").args(["-c", script]), &[], DEADLINE)
    }

    /// Runs `ip ARGS` inside of it, which must succeed; gives what it prints.
    #[track_caller]
    pub(crate) fn ip(&self, args: &str) -> String {
        let mut command = self.command(installed("ip", "iproute2"));
        program::run(command.args(args.split_whitespace()), &[], DEADLINE).ok().stdout
    }

    /// Gives nft(8) a script, which must succeed; gives what it prints.
    #[track_caller]
    pub(crate) fn nft(&self, script: &str) -> String {
        let mut command = self.command(installed("nft", "nftables"));
        program::run(command.args(["-f", "-"]), script.as_bytes(), DEADLINE).ok().stdout
    }

    /// Sets a kernel parameter of its own.
    pub(crate) fn set_sysctl(&self, name: &str, value: &str) {
        let path = format!("/proc/sys/net/{name}");
        let set = self.within(|| std::fs::write(&path, value));
        set.unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}
