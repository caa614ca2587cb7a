//! One tank of a test's own: its binary, roots that no other test shares, and a leak check.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::namespace::Namespace;
use super::program::{self, Output};
use super::wait;
use super::world::{Scope, World};

/// How long a command of tank may take unless a test says otherwise. Generous: it only bounds a
/// hang, and the virtual machine is slow.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long processes may take to notice that there is nothing left for them to do.
const SETTLED: Duration = Duration::from_secs(3);

/// A tank with its own roots. Dropping it deletes its pods, ends what is left, and fails the test
/// if anything was.
#[derive(Debug)]
pub(crate) struct Tank {
    dir: tempfile::TempDir,
    inside: Option<Namespace>,
    scope: RefCell<Scope>,
    before: World,
}

impl Tank {
    pub(crate) fn new() -> Self {
        Self::with(None)
    }

    /// One whose commands, monitors with them, run in a network namespace: its machine.
    pub(crate) fn inside(namespace: &Namespace) -> Self {
        Self::with(Some(namespace.clone()))
    }

    fn with(inside: Option<Namespace>) -> Self {
        // The name is short because sockets live below it: their paths have 107 bytes (unix(7)).
        let dir = tempfile::Builder::new().prefix("tank-").rand_bytes(8).tempdir().unwrap();
        let [root, run] = ["root", "run"].map(|name| dir.path().join(name));
        let mut scope = Scope::new(&root, &run, inside.clone());
        let before = World::of(&mut scope);
        Self { dir, inside, scope: RefCell::new(scope), before }
    }

    /// The binary under test: the one cargo built, or `TANK_BIN` where that is not to be had.
    pub(crate) fn binary() -> PathBuf {
        std::env::var_os("TANK_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_tank").into()).into()
    }

    /// `--root`.
    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// `--run-root`.
    pub(crate) fn run_root(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    /// A directory for the test's own files, beside both roots.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file of the test's own (a pod file, say) and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The command `tank ARGS` on this tank's roots, with an empty environment.
    pub(crate) fn command(&self, args: impl IntoIterator<Item = impl AsRef<str>>) -> Command {
        let mut command = match &self.inside {
            Some(namespace) => namespace.command(Self::binary()),
            None => Command::new(Self::binary()),
        };
        command.env_clear().current_dir(self.dir.path());
        command.arg("--root").arg(self.root()).arg("--run-root").arg(self.run_root());
        command.args(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        command
    }

    /// Runs `tank ARGS` with nothing on standard input.
    #[must_use = "assert how it ended: ok() or exits(CODE)"]
    #[track_caller]
    pub(crate) fn run(&self, args: impl IntoIterator<Item = impl AsRef<str>>) -> Output {
        self.run_with(&mut self.command(args), &[])
    }

    /// Runs a command of [`Tank::command`] that the test has added to, with `stdin` as its input.
    #[must_use = "assert how it ended: ok() or exits(CODE)"]
    #[track_caller]
    pub(crate) fn run_with(&self, command: &mut Command, stdin: &[u8]) -> Output {
        let output = program::run(command, stdin, DEADLINE);
        self.scope.borrow_mut().learn();
        output
    }

    /// Applies a pod file given as text.
    #[must_use = "assert how it ended: ok() or exits(CODE)"]
    #[track_caller]
    pub(crate) fn apply(&self, pods: &str) -> Output {
        self.run_with(&mut self.command(["apply", "-f", "-"]), pods.as_bytes())
    }

    /// What there is of this tank on the machine now.
    pub(crate) fn world(&self) -> World {
        World::of(&mut self.scope.borrow_mut())
    }

    /// What is there now and was not before this tank's first command, except files: they may
    /// stay (images, logs), and tests that care compare [`Tank::world`] themselves.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        self.world().without_files().since(&self.before.clone().without_files())
    }

    /// The world once every process of this tank has ended, or as it is when some do not: a
    /// command that finds its pod gone ends by itself, but in its own time.
    pub(crate) fn settled(&self) -> World {
        let deadline = Instant::now() + SETTLED;
        loop {
            let world = self.world();
            let Some((pid, _)) = world.processes.first() else { return world };
            let left = deadline.saturating_duration_since(Instant::now());
            if !wait::process_ended(*pid, left) {
                return world;
            }
        }
    }

    /// Deletes every desired pod, if there is a state that could hold one.
    fn delete_pods(&self) {
        if !self.root().join("state.db").exists() {
            return;
        }
        let listed = self.run(["list", "-o", "json"]).ok().json();
        let pods = listed["pods"].as_array().expect("pods").iter();
        let names: Vec<_> =
            pods.map(|pod| pod["name"].as_str().expect("name").to_owned()).collect();
        if !names.is_empty() {
            let delete = ["delete", "--ignore-not-found", "--wait"].map(str::to_owned);
            self.run(delete.into_iter().chain(names)).ok();
        }
    }

    /// Ends and removes by hand whatever is left, so that one failed test does not harm the next.
    fn sweep(&self) {
        let world = self.world();
        for (pid, _) in &world.processes {
            kill(*pid);
        }
        for mount in world.mounts.iter().rev() {
            let target = mount.split(' ').nth(4).unwrap_or_default();
            rustix::mount::unmount(target, rustix::mount::UnmountFlags::DETACH).unwrap_or_default();
        }
        for cgroup in world.cgroups.iter().rev() {
            std::fs::remove_dir(cgroup).unwrap_or_default();
        }
        // The cgroup of all monitors outlives the last one if that was not its monitor's last
        // moment; without another delete nobody comes to take it away.
        for shared in self.scope.borrow().shared_cgroups() {
            std::fs::remove_dir(shared.join("monitors")).unwrap_or_default();
            std::fs::remove_dir(shared).unwrap_or_default();
        }
        self.forget_network();
    }

    /// How everything of this root is called on the machine, its packet filter among it.
    pub(crate) fn base(&self) -> String {
        self.scope.borrow().base()
    }

    /// Removes by hand whatever there is of the network.
    pub(crate) fn forget_network(&self) {
        let scope = self.scope.borrow();
        let mut lines = Vec::new();
        for link in scope.links() {
            lines.push(format!("ip link del {}", link.name));
        }
        for table in scope.tables() {
            lines.push(format!("nft delete table {} {}", table.family, table.name));
        }
        if !lines.is_empty() {
            let mut shell = match &self.inside {
                Some(namespace) => namespace.command("/bin/sh"),
                None => Command::new("/bin/sh"),
            };
            // One end of a pair goes with the other.
            shell.args(["-c", &lines.join("; ")]).stderr(std::process::Stdio::null());
            shell.status().map(drop).unwrap_or_default();
        }
        for file in scope.names() {
            std::fs::remove_file(file).unwrap_or_default();
        }
        scope.record().forget(&scope.owner());
    }
}

impl Drop for Tank {
    fn drop(&mut self) {
        let delete = std::panic::AssertUnwindSafe(|| self.delete_pods());
        let deleted = std::panic::catch_unwind(delete);
        self.settled();
        let left = self.leftovers();
        self.sweep();
        if std::thread::panicking() {
            // A second panic would abort and hide the first, which is the one to read.
            return;
        }
        if let Err(panic) = deleted {
            std::panic::resume_unwind(panic);
        }
        assert!(left.is_empty(), "left behind:\n{}", left.join("\n"));
    }
}

/// Kills a process and waits until it has ended.
fn kill(pid: u32) {
    let target = Pid::from_raw(pid.cast_signed()).expect("a process id");
    if let Ok(pidfd) = pidfd_open(target, PidfdFlags::empty()) {
        pidfd_send_signal(&pidfd, Signal::KILL).unwrap_or_default();
        wait::process_ended(pid, Duration::from_secs(5));
    }
}
