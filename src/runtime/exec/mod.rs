//! A second process in a running container.
//!
//! The command spawns a *supervisor*: tank itself, executed as `tank-exec` from the read-only copy,
//! because the process that enters a container is visible there. The supervisor makes a child
//! cgroup of the container's and forks; the copy joins the container's namespaces, takes the
//! container's own credentials (by the same builder as the main process), enters the pid namespace
//! last (`init::arrival`), and executes the program. The supervisor stays outside, waits, and kills
//! the child cgroup if the command goes away. Nothing is written to the database.

mod inside;
mod supervisor;

use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cgroup::Group;
use super::directories::InstanceFiles;
use super::error::Result;
use super::failure::{Doing, Failure};
use super::message::Message;
use super::order;
use crate::model::ProcessIdentity;
use crate::sys::exe::Sealed;
use crate::sys::process::{self, Ended, Program};
use crate::sys::terminal::{self, Event, Signals};
use crate::sys::{self, pidfd, poll};

pub(super) use inside::Inside;
pub use supervisor::main as supervisor_main;

/// The name the supervisor is executed under, which is also how `main` recognises the role.
pub const SUPERVISOR: &str = "tank-exec";

/// How long a process that has given up its namespaces may take until it is seen as ended. Only a
/// failure waits so long.
const ENDING: Duration = Duration::from_millis(500);

/// What to execute, and how it differs from the container's main process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecRequest {
    /// The program and its arguments.
    pub arguments: Vec<OsString>,
    /// Variables over the container's own.
    pub environment: BTreeMap<String, String>,
    /// The value of `TERM` where there is a terminal and the container sets none.
    pub terminal_type: String,
    /// The working directory; `None` is the container's.
    pub working_dir: Option<String>,
    /// `user[:group]`; `None` is the container's.
    pub user: Option<String>,
    /// The rows and columns of the terminal it gets; `None` for plain streams.
    pub terminal: Option<(u16, u16)>,
    /// Whether it goes on without the command that started it.
    pub detach: bool,
    /// Whether it gets every capability that tank has, and neither no_new_privs nor a system call
    /// filter. What the container's namespaces and mounts keep from it stays so.
    pub privileged: bool,
}

/// What the supervisor reads: the request, and where the container's files are.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    request: ExecRequest,
    directory: std::path::PathBuf,
    run: std::path::PathBuf,
    /// The container's cgroup.
    container: String,
    /// The name, below it, of the cgroup for this program and its children.
    group: String,
}

/// What the supervisor, which stays outside of the container, is made of.
#[derive(Debug, Clone, Copy)]
pub struct Outside<'a> {
    /// The program it runs from.
    pub executable: &'a Sealed,
    /// The cgroup2 directory it is born in, where there is one.
    pub cgroup: Option<BorrowedFd<'a>>,
}

/// A program that is about to be executed in a container.
#[derive(Debug)]
pub struct Starting {
    socket: OwnedFd,
    /// The container's first process.
    container: OwnedFd,
}

/// What became of a program that was about to be executed.
#[derive(Debug)]
pub enum Begun {
    /// It was executed.
    Running(Session),
    /// It was not, because this signal came first.
    Signaled(i32),
}

/// A program that was executed in a container.
#[derive(Debug)]
pub struct Session {
    socket: OwnedFd,
    /// The master of its terminal, if it has one.
    pub terminal: Option<OwnedFd>,
    /// Harmless things the host refused.
    pub notes: Vec<String>,
}

/// Begins to execute a program in the container whose first process is `process` and whose cgroup
/// is `container`. `streams` are its standard input, output and error; with a terminal it does not
/// see them.
pub fn start(
    files: InstanceFiles<'_>,
    process: ProcessIdentity,
    container: &Group,
    request: &ExecRequest,
    streams: [BorrowedFd<'_>; 3],
    outside: Outside<'_>,
) -> Result<Starting> {
    let pidfd = pidfd::open_started(process.pid, process.start_time)?;
    let name = format!("exec-{:x}", sys::random::bits()?);
    let order = Order {
        request: request.clone(),
        directory: files.directory.to_owned(),
        run: files.run.to_owned(),
        container: container.path().as_str().to_owned(),
        group: name,
    };
    let order = order::write(&order)?;
    let (ours, theirs) = sys::socket::pair()?;
    let [stdin, stdout, stderr] = streams;
    let arguments = [CString::from(c"tank-exec")];
    let mut descriptors = vec![stdin, stdout, stderr, order.as_fd(), theirs.as_fd(), pidfd.as_fd()];
    descriptors.extend(outside.executable.mount.as_ref().map(AsFd::as_fd));
    process::spawn(&Program {
        file: outside.executable.file.as_fd(),
        arguments: &arguments,
        environment: &[],
        descriptors: &descriptors,
        cgroup: outside.cgroup,
        new_session: true,
    })?;
    Ok(Starting { socket: ours, container: pidfd })
}

/// Whether the container ended while it was entered, which then fails in one way or another: its
/// namespaces go first, then its files. One that has lost them takes a moment to be seen as ended.
fn is_ending(first: BorrowedFd<'_>) -> bool {
    pidfd::await_end(first, Some(ENDING)).unwrap_or(false)
}

fn died() -> Failure {
    let cause = sys::Error::new("recvmsg", "the exec supervisor", rustix::io::Errno::CONNRESET);
    Failure::new("hear from the exec supervisor", &cause)
}

impl Starting {
    /// Waits until the program was executed. One of `signals` may keep it from being so: a
    /// container that is frozen lets nobody in, and whoever waits for it must be able to give up.
    ///
    /// # Errors
    ///
    /// The program was not executed; `ESRCH` because the container ended meanwhile.
    pub fn finish(self, signals: &Signals) -> Result<Begun> {
        let Self { socket, container } = self;
        begin(socket, signals).map_err(|failure| match failure.program {
            None if is_ending(container.as_fd()) => {
                sys::Error::new("setns", "the container", rustix::io::Errno::SRCH).into()
            }
            _ => failure.into(),
        })
    }
}

fn begin(socket: OwnedFd, signals: &Signals) -> std::result::Result<Begun, Failure> {
    let doing = "hear from the exec supervisor";
    let mut session = Session { socket, terminal: None, notes: Vec::new() };
    loop {
        let (said, _) = poll::either(session.socket.as_fd(), signals.as_fd()).doing(doing)?;
        if !said {
            match signals.next().doing("take a signal")? {
                // The supervisor knows whether the program can have it; if it is gone, that is
                // heard.
                Some(Event::Signal(number)) => drop(session.signal(number)),
                Some(Event::Stop) => terminal::stop().doing("stop")?,
                Some(Event::Resized | Event::Continued) | None => {}
            }
            continue;
        }
        match Message::receive(session.socket.as_fd()).doing(doing)?.ok_or_else(died)? {
            (Message::Terminal, fd) => session.terminal = fd,
            (Message::Notes(notes), _) => session.notes.extend(notes),
            (Message::Failed(failure), _) => return Err(failure),
            (Message::Ended(Some(Ended::Signaled(signal))), _) => {
                return Ok(Begun::Signaled(signal));
            }
            _ => return Ok(Begun::Running(session)),
        }
    }
}

impl Session {
    /// Sends the program a signal.
    pub fn signal(&self, signal: i32) -> sys::Result<()> {
        Message::Signal(signal).send(self.socket.as_fd(), None)
    }

    /// Leaves the program running, with nobody at its terminal.
    pub fn detach(self) -> sys::Result<()> {
        Message::Detach.send(self.socket.as_fd(), None)
    }

    /// Waits for the program's end; `None` when nobody could see how it ended.
    pub fn wait(&self) -> Result<Option<Ended>> {
        let received =
            Message::receive(self.socket.as_fd()).doing("hear from the exec supervisor")?;
        match received {
            Some((Message::Ended(ended), _)) => Ok(ended),
            _ => Err(died().into()),
        }
    }
}

/// Readable once the program ended.
impl AsFd for Session {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
