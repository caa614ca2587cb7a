//! One check of whether a container is well.
//!
//! A monitor spawns a *probe* for every check: tank itself, executed as `tank-probe` from the
//! read-only copy, because what executes a command in a container is visible there. It asks its
//! question inside the pod's namespaces, within its time, tells the monitor what it found, and
//! ends. The monitor itself never waits for anybody.

mod command;
mod http;
mod tcp;

use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::failure::{Doing, Failure};
use super::order;
use crate::model::pod::Check;
use crate::sys::process::{self, Child, Namespaces, Program};
use crate::sys::{self, clock, namespace, pidfd, signal};

/// The name it is executed under, which is also how `main` recognises the role.
pub const NAME: &str = "tank-probe";

/// Descriptors it is started with, after the standard streams: the order, the pipe to the monitor,
/// and the container's first process.
const ORDER: i32 = 3;
const REPORT: i32 = 4;
const CONTAINER: i32 = 5;

/// No verdict is longer.
const MAX_VERDICT: u64 = 64 * 1024;

/// What is to be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// What is asked.
    pub(super) check: Check,
    /// How long it may take.
    pub(super) timeout: Duration,
    /// The directory of the instance's files.
    pub(super) directory: PathBuf,
    /// The container's cgroup.
    pub(super) container: String,
    /// The name, below it, of the cgroup for a command and its children.
    pub(super) group: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verdict {
    /// The container is well.
    Pass,
    /// It is not.
    Fail(String),
    /// The check could not be made, which says nothing of the container.
    Unknown(String),
}

/// A check that is being made; its pipe is readable when it is over.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    report: OwnedFd,
}

impl Running {
    /// Spawns the probe for the container whose first process is behind `container`.
    pub(super) fn start(order: &Order, container: BorrowedFd<'_>) -> sys::Result<Self> {
        let failed = |call, path: &str, errno| sys::Error::new(call, path, errno);
        let open = |path: &str, flags| {
            rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty())
                .map_err(|errno| failed("open", path, errno))
        };
        let executable = open("/proc/self/exe", OFlags::PATH)?;
        let null = open("/dev/null", OFlags::RDWR)?;
        let (report, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .map_err(|errno| failed("pipe2", "", errno))?;
        let order = order::write(order)?;
        let (null, name) = (null.as_fd(), [CString::from(c"tank-probe")]);
        let pid = process::spawn(&Program {
            file: executable.as_fd(),
            arguments: &name,
            environment: &[],
            descriptors: &[null, null, null, order.as_fd(), theirs.as_fd(), container],
            cgroup: None,
            new_session: true,
        })?;
        // Its own child, which nobody else reaps: the number is still its.
        Ok(Self { child: Child { pid, pidfd: pidfd::open(pid)? }, report })
    }

    /// Reads what it found, once its pipe is readable, and reaps it.
    pub(super) fn finish(self) -> Verdict {
        let mut bytes = Vec::new();
        let read = File::from(self.report).take(MAX_VERDICT).read_to_end(&mut bytes);
        process::wait_pid(self.child.pid).ok();
        let verdict = read.ok().and_then(|_| serde_json::from_slice(&bytes).ok());
        verdict.unwrap_or_else(|| Verdict::Unknown("the probe ended without a word".to_owned()))
    }

    /// Ends it; what it has started is taken away by the next one.
    pub(super) fn abandon(self) {
        pidfd::kill(&self.child.pidfd).ok();
        process::wait_pid(self.child.pid).ok();
    }
}

impl AsFd for Running {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.report.as_fd()
    }
}

/// Runs the probe; the return value is that of the process.
pub fn main() -> ExitCode {
    let (Ok(order), Ok(report), Ok(container)) =
        (process::inherited(ORDER), process::inherited(REPORT), process::inherited(CONTAINER))
    else {
        return ExitCode::from(2);
    };
    let verdict = run(order, container).unwrap_or_else(|f| Verdict::Unknown(f.to_string()));
    let bytes = serde_json::to_vec(&verdict).unwrap_or_default();
    File::from(report).write_all(&bytes).ok();
    ExitCode::SUCCESS
}

fn run(order: OwnedFd, container: OwnedFd) -> Result<Verdict, Failure> {
    signal::block_all().doing("block signals")?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let order: Order = order::read(order).doing("read the order")?;
    let end = clock::monotonic() + order.timeout;
    let enter_network = || {
        namespace::join_process(container.as_fd(), Namespaces::NEWNET)
            .doing("join the network namespace")
    };
    Ok(match &order.check {
        Check::Exec(command) => command::check(&order, command, container, end)?,
        Check::Http { port, path } => {
            enter_network()?;
            verdict(http::check(*port, path, end), order.timeout)
        }
        Check::Tcp { port } => {
            enter_network()?;
            verdict(tcp::connect(*port, end).map(drop), order.timeout)
        }
    })
}

/// Why a server is not well.
#[derive(Debug)]
enum Unwell {
    /// It did not answer in time.
    Late,
    /// It did, or could not be reached.
    Wrong(String),
}

fn verdict(asked: Result<(), Unwell>, timeout: Duration) -> Verdict {
    match asked {
        Ok(()) => Verdict::Pass,
        Err(Unwell::Late) => Verdict::Fail(late(timeout)),
        Err(Unwell::Wrong(problem)) => Verdict::Fail(problem),
    }
}

fn late(timeout: Duration) -> String {
    format!("no answer within {}", crate::model::Timespan(timeout))
}

/// The time that is left until `end`.
fn left(end: Instant) -> Result<Duration, Unwell> {
    let left = end.saturating_duration_since(clock::monotonic());
    if left.is_zero() { Err(Unwell::Late) } else { Ok(left) }
}
