//! The supervisor: outside the container, it waits for the process inside.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;

use oci_spec::runtime::Spec;
use rustix::fs::{Mode, OFlags};

use super::Order;
use super::inside::Inside;
use crate::runtime::cgroup::{Group, GroupPath, Hierarchies};
use crate::runtime::directories::InstanceFiles;
use crate::runtime::failure::{Doing, Failure};
use crate::runtime::launch::{self, Launch};
use crate::runtime::message::Message;
use crate::runtime::order;
use crate::sys::process::{Child, Ended, Forked, Namespaces};
use crate::sys::{self, clock, pidfd, poll, process, pty, signal, socket};

/// Descriptors it is started with, after the standard streams: the order, the socket to
/// the command, and the container's first process.
const ORDER: i32 = 3;
const SOCKET: i32 = 4;
const CONTAINER: i32 = 5;
/// The mount that the program is seen through, where there is one; it is closed here.
const MOUNT: i32 = 6;

/// How long killed processes may take to be gone.
const REMOVAL: Duration = Duration::from_secs(2);

/// Runs it; the return value is that of the process.
pub fn main() -> ExitCode {
    let (Ok(order), Ok(socket), Ok(container)) =
        (process::inherited(ORDER), process::inherited(SOCKET), process::inherited(CONTAINER))
    else {
        return ExitCode::from(2);
    };
    let _mount = process::inherited(MOUNT);
    let mut group = None;
    let ran = run(order, socket.as_fd(), container, &mut group);
    if let Some(group) = group {
        // What the program left in the background lives on in the container, and in its cgroup,
        // unless all of it was killed.
        let is_killed = matches!(ran, Ok(Outcome::Killed));
        if is_killed || group.processes().is_ok_and(|left| left.is_empty()) {
            group.remove(clock::monotonic() + REMOVAL).ok();
        }
    }
    if let Err(failure) = ran {
        Message::Failed(failure).send(socket.as_fd(), None).ok();
    }
    ExitCode::SUCCESS
}

fn run(
    order: OwnedFd,
    socket: BorrowedFd<'_>,
    container: OwnedFd,
    group: &mut Option<Group>,
) -> Result<Outcome, Failure> {
    signal::block_all().doing("block signals")?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let order: Order = order::read(order).doing("read the order")?;
    let files = InstanceFiles { directory: &order.directory, run: &order.run };
    let launch: Launch = launch::read(&files.launch()).doing("read the instance's description")?;
    let spec: Spec = launch::read(&files.spec()).doing("read the instance's specification")?;

    let own = group.insert(child_group(&order)?);
    let into = own.open_for_clone().doing("open the cgroup")?;
    let (ours, theirs) = socket::pair().doing("make a socket")?;
    let forked = process::fork(Namespaces::empty(), into.as_ref().map(AsFd::as_fd));
    let forked = forked.doing("start a process")?;
    let mut child = match forked {
        Forked::Parent(child) => child,
        Forked::Child => {
            drop(ours);
            let request = &order.request;
            let inside = Inside { spec: &spec, launch: &launch, group: own, request };
            let Err(failure) = inside.become_program(container, theirs.as_fd());
            Message::Failed(failure).send(theirs.as_fd(), None).ok();
            process::exit_now(127)
        }
    };
    drop((theirs, container));
    release_streams()?;
    match relay(ours.as_fd(), socket, &mut child)? {
        Relayed::Failed => Ok(Outcome::Ended),
        Relayed::GivenUp(signal) => {
            // First, because what is frozen may not end for long.
            if let Some(signal) = signal {
                Message::Ended(Some(Ended::Signaled(signal))).send(socket, None).ok();
            }
            own.kill().doing("kill the new process")?;
            // It may not be in the group yet.
            pidfd::kill(&child.pidfd).ok();
            process::wait_pid(child.pid).doing("reap the new process")?;
            Ok(Outcome::Killed)
        }
        Relayed::Started(master) => {
            let command = (!order.request.detach).then_some(socket);
            Supervised { child, master, group: own }.run(command)
        }
    }
}

/// What became of the program.
enum Outcome {
    /// It ended by itself, or never began.
    Ended,
    /// It was killed, with everything that it had started.
    Killed,
}

/// Makes the cgroup below the container's for this program and its children. That is done here and
/// not by the command, which may be killed at any moment and would leave it behind.
fn child_group(order: &Order) -> Result<Group, Failure> {
    let doing = "find the cgroup";
    let container: GroupPath = order.container.parse().doing(doing)?;
    let container = Hierarchies::detect().doing(doing)?.group(&container);
    container.create_nested(&order.group).doing("make the cgroup")
}

/// Lets go of the program's streams, so that the supervisor keeps no pipe open.
fn release_streams() -> Result<(), Failure> {
    let doing = "release the standard streams";
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| sys::Error::new("open", "/dev/null", errno))
        .doing(doing)?;
    for number in 0..3 {
        process::duplicate_to(null.as_fd(), number).doing(doing)?;
    }
    Ok(())
}

/// What became of the process inside.
enum Relayed {
    /// It executed the program, on a terminal with this master if it has one.
    Started(Option<OwnedFd>),
    /// It failed, and the command was told.
    Failed,
    /// The command got this signal before, or is gone.
    GivenUp(Option<i32>),
}

/// Passes on what the process inside says until it executed the program or failed, or the command
/// gives up. `child` becomes the one that is inside.
fn relay(
    inner: BorrowedFd<'_>,
    outer: BorrowedFd<'_>,
    child: &mut Child,
) -> Result<Relayed, Failure> {
    let doing = "hear from the new process";
    let (mut master, mut failed) = (None, false);
    loop {
        let (said, _) = poll::either(inner, outer).doing(doing)?;
        if !said {
            let signal = match Message::receive(outer) {
                Ok(Some((Message::Signal(signal), _))) => Some(signal),
                _ => None,
            };
            return Ok(Relayed::GivenUp(signal));
        }
        let Some((message, fd)) = Message::receive(inner).doing(doing)? else { break };
        if let Message::Entered(pid) = message {
            process::wait_pid(child.pid).doing("reap the process that made it")?;
            *child = process::own_child(pid).doing("find the new process")?;
            continue;
        }
        failed |= matches!(message, Message::Failed(_));
        message.send(outer, fd.as_ref().map(AsFd::as_fd)).ok();
        master = fd.or(master);
    }
    if failed {
        process::wait_pid(child.pid).doing("reap the new process")?;
        return Ok(Relayed::Failed);
    }
    Message::Started.send(outer, None).ok();
    Ok(Relayed::Started(master))
}

/// How long the command stayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attended {
    /// Until the program had ended.
    ToTheEnd,
    /// Until it left it to itself.
    Left,
    /// Until it was gone without a word.
    Lost,
}

/// A program that was executed.
struct Supervised<'a> {
    child: Child,
    /// Its terminal, which does not hang up when a command leaves it running.
    master: Option<OwnedFd>,
    group: &'a Group,
}

impl Supervised<'_> {
    /// Waits for the program's end, or for that of the command; passes the command's signals on.
    fn run(mut self, command: Option<BorrowedFd<'_>>) -> Result<Outcome, Failure> {
        let attended = match command {
            None => {
                self.master = None;
                Attended::ToTheEnd
            }
            Some(socket) => self.attended(socket)?,
        };
        match attended {
            Attended::Left => return self.alone().map(|()| Outcome::Ended),
            Attended::Lost => self.group.kill().doing("kill the program")?,
            Attended::ToTheEnd => {}
        }
        let ended = process::wait_pid(self.child.pid).doing("reap the program")?;
        if let Some(socket) = command {
            Message::Ended(ended).send(socket, None).ok();
        }
        Ok(if attended == Attended::Lost { Outcome::Killed } else { Outcome::Ended })
    }

    /// Does what the command says for as long as there are both.
    fn attended(&self, socket: BorrowedFd<'_>) -> Result<Attended, Failure> {
        loop {
            let (ended, _) =
                poll::either(self.child.pidfd.as_fd(), socket).doing("wait for the program")?;
            if ended {
                return Ok(Attended::ToTheEnd);
            }
            match Message::receive(socket) {
                Ok(Some((Message::Signal(signal), _))) => {
                    pidfd::send(&self.child.pidfd, signal).doing("send the program a signal")?;
                }
                Ok(Some((Message::Detach, _))) => return Ok(Attended::Left),
                _ => return Ok(Attended::Lost),
            }
        }
    }

    /// Waits for the end of a program whose terminal nobody reads any more.
    fn alone(self) -> Result<(), Failure> {
        let (program, doing) = (self.child.pidfd.as_fd(), "wait for the program");
        let (mut unread, mut closed) = ([0; 4096], pty::Closed::default());
        while let Some(master) = &self.master {
            let (ended, output) = poll::either(program, master.as_fd()).doing(doing)?;
            if ended {
                break;
            }
            if output && rustix::io::read(master, &mut unread).is_ok() {
                closed = pty::Closed::default();
            } else if output {
                // Nobody has it open, but somebody may open it again.
                pidfd::await_end(program, Some(closed.pause())).doing(doing)?;
            }
        }
        process::wait_pid(self.child.pid).doing("reap the program").map(drop)
    }
}
