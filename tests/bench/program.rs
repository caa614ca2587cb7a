//! Runs a program and takes its time.

use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::Outcome;
use crate::namespace::Namespace;

/// After this time a program is taken to hang, and killed.
const DEADLINE: Duration = Duration::from_secs(300);

/// What a program took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cost {
    /// From start to exit.
    pub(crate) time: Duration,
    /// The most that was resident at once, in bytes, of it or of a child that it waited for.
    pub(crate) memory: u64,
}

/// Where a program's output goes: to files, because what it leaves running (a monitor, conmon)
/// may keep them open, which would hang a reader of a pipe.
#[derive(Debug, Clone)]
pub(crate) struct Runner {
    stdout: PathBuf,
    stderr: PathBuf,
    /// The network that programs run in, if not that of this process.
    network: Option<Rc<Namespace>>,
}

impl Runner {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { stdout: dir.join("stdout"), stderr: dir.join("stderr"), network: None }
    }

    /// Runs programs in this network from now on.
    pub(crate) fn within(self, network: Rc<Namespace>) -> Self {
        Self { network: Some(network), ..self }
    }

    /// Whether they run in a network of their own.
    pub(crate) fn has_network(&self) -> bool {
        self.network.is_some()
    }

    /// How long the program takes from start to exit; an error when it fails.
    pub(crate) fn time(&self, command: &mut Command) -> Outcome<Duration> {
        self.run(command).map(|cost| cost.time)
    }

    /// The same with the memory that it takes.
    pub(crate) fn cost(&self, command: &mut Command) -> Outcome<Cost> {
        // A child that is made by vfork(2) counts the memory of this process as its own; one that
        // changes its user is not.
        self.run(command.uid(rustix::process::getuid().as_raw()))
    }

    fn run(&self, command: &mut Command) -> Outcome<Cost> {
        let create =
            |path: &Path| File::create(path).map_err(|e| format!("{}: {e}", path.display()));
        command.stdin(Stdio::null()).stdout(create(&self.stdout)?).stderr(create(&self.stderr)?);
        let name = shown(command);
        let failed = |what: &dyn std::fmt::Display| format!("{name}: {what}");
        let _entered = self.network.as_ref().map(|network| network.enter()).transpose()?;
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| failed(&error))?;
        let ended = Pid::from_raw(child.id().cast_signed()).is_some_and(has_ended);
        if !ended {
            child.kill().map_err(|error| failed(&error))?;
        }
        let (status, memory) = reap(child.id()).map_err(|error| failed(&error))?;
        let cost = Cost { time: started.elapsed(), memory };
        if status.success() {
            return Ok(cost);
        }
        let stderr = std::fs::read_to_string(&self.stderr).unwrap_or_default();
        let last = stderr.lines().last().unwrap_or_default().trim();
        Err(failed(&format!("{status}{}{last}", if last.is_empty() { "" } else { ": " })))
    }

    /// What the program writes to standard output.
    pub(crate) fn output(&self, command: &mut Command) -> Outcome<String> {
        self.time(command)?;
        std::fs::read_to_string(&self.stdout).map_err(|error| error.to_string())
    }
}

/// Waits for a child; gives how it ended and the most memory it had: getrusage(2).
fn reap(pid: u32) -> io::Result<(ExitStatus, u64)> {
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    #[expect(unsafe_code, reason = "no safe call tells what a child took")]
    // SAFETY: both pointers are to values of this frame, which the call fills.
    let waited = unsafe { libc::wait4(pid.cast_signed(), &raw mut status, 0, usage.as_mut_ptr()) };
    if waited < 0 {
        return Err(io::Error::last_os_error());
    }
    #[expect(unsafe_code, reason = "it was filled by a call that is not safe")]
    // SAFETY: a structure of numbers may be all zeros, so it is whole even where nothing was filled.
    let usage = unsafe { usage.assume_init() };
    let kilobytes = u64::try_from(usage.ru_maxrss).unwrap_or_default();
    Ok((ExitStatus::from_raw(status), kilobytes * 1024))
}

/// Waits until the process has ended; false when the deadline comes first.
fn has_ended(pid: Pid) -> bool {
    let deadline = Timespec::try_from(DEADLINE).ok();
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], deadline.as_ref()).is_ok_and(|ready| ready > 0)
}

/// The program and its first words that are neither options nor paths, for messages.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = [program].into_iter().chain(command.get_args());
    let words = words.map(|word| word.to_string_lossy()).filter(|word| !word.contains(['/', '-']));
    words.take(3).collect::<Vec<_>>().join(" ")
}

/// Whether a program is on the path.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
