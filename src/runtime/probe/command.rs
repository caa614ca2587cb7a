//! Executing a command in the container, by the same builder as its main process and `tank exec`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use oci_spec::runtime::Spec;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::{Order, Verdict, late};
use crate::runtime::cgroup::{Group, GroupPath, Hierarchies};
use crate::runtime::directories::InstanceFiles;
use crate::runtime::exec::{ExecRequest, Inside};
use crate::runtime::failure::{Doing, Failure};
use crate::runtime::init::program;
use crate::runtime::launch::{self, Launch};
use crate::runtime::message::Message;
use crate::sys::process::{Child, Ended, Forked, Namespaces};
use crate::sys::{self, clock, pidfd, poll, process, socket};

/// How much of a command's output is kept; the rest is read and forgotten.
const KEPT: usize = 4096;

/// How much of that is told.
const TOLD: usize = 200;

/// How long killed processes may take to be gone.
const REMOVAL: Duration = Duration::from_secs(2);

/// Executes `command`; it is well if it returns 0 before `end`. Whatever it leaves behind is killed.
pub(super) fn check(
    order: &Order,
    command: &[String],
    container: OwnedFd,
    end: Instant,
) -> Result<Verdict, Failure> {
    let group = group(order)?;
    let verdict = execute(order, command, container, &group, end);
    // What stays, because it cannot be killed, is taken away by the next one, or with the container;
    // it says nothing of the answer.
    group.remove(clock::monotonic() + REMOVAL).ok();
    verdict
}

/// Makes the cgroup for the command, without what an earlier one has left of it.
fn group(order: &Order) -> Result<Group, Failure> {
    let doing = "make the cgroup";
    let container: GroupPath = order.container.parse().doing(doing)?;
    let container = Hierarchies::detect().doing(doing)?.group(&container);
    let old = container.nested(&order.group).doing(doing)?;
    old.remove(clock::monotonic() + REMOVAL).doing(doing)?;
    container.create_nested(&order.group).doing(doing)
}

fn execute(
    order: &Order,
    command: &[String],
    container: OwnedFd,
    group: &Group,
    end: Instant,
) -> Result<Verdict, Failure> {
    let files = InstanceFiles { directory: &order.directory, run: Path::new("") };
    let launch: Launch = launch::read(&files.launch()).doing("read the instance's description")?;
    let spec: Spec = launch::read(&files.spec()).doing("read the instance's specification")?;
    let request = ExecRequest {
        arguments: command.iter().map(OsString::from).collect(),
        environment: BTreeMap::new(),
        terminal_type: String::new(),
        working_dir: None,
        user: None,
        terminal: None,
        detach: false,
        privileged: false,
    };
    let into = group.open_for_clone().doing("open the cgroup")?;
    let (ours, theirs) = socket::pair().doing("make a socket")?;
    let (output, inner) = pipe().doing("make a pipe")?;
    let forked = process::fork(Namespaces::empty(), into.as_ref().map(AsFd::as_fd));
    let mut child = match forked.doing("start a process")? {
        Forked::Parent(child) => child,
        Forked::Child => {
            drop((ours, output));
            let inside = Inside { spec: &spec, launch: &launch, group, request: &request };
            let become_program = || {
                let null = rustix::stdio::stdin();
                program::set_streams([null, inner.as_fd(), inner.as_fd()])?;
                inside.become_program(container, theirs.as_fd())
            };
            let Err(failure) = become_program();
            Message::Failed(failure).send(theirs.as_fd(), None).ok();
            process::exit_now(127)
        }
    };
    drop((theirs, inner, container));
    let (mut heard, mut failed) = (Vec::new(), None);
    let is_over =
        hear(ours.as_fd(), &mut child, &mut failed, end).doing("hear from the command")?;
    let ended = match is_over {
        true => attend(&child, output.as_fd(), &mut heard, end).doing("wait for the command")?,
        false => None,
    };
    if ended.is_none() {
        group.kill().doing("kill the command")?;
        // It may have been stopped before it was in the group.
        pidfd::kill(&child.pidfd).ok();
        process::wait_pid(child.pid).doing("reap the command")?;
    }
    if let Some(failure) = failed {
        return Ok(match failure.program {
            Some(_) => Verdict::Fail(failure.to_string()),
            None => Verdict::Unknown(failure.to_string()),
        });
    }
    Ok(match ended {
        Some(Ended::Exited(0)) => Verdict::Pass,
        Some(Ended::Exited(code)) => {
            Verdict::Fail(with_output(format!("exit code {code}"), &heard))
        }
        Some(Ended::Signaled(signal)) => {
            Verdict::Fail(with_output(format!("ended by signal {signal}"), &heard))
        }
        None => Verdict::Fail(with_output(late(order.timeout), &heard)),
    })
}

/// Hears from the process that enters the container until it has executed the command, or could
/// not, which is said in `failed`; `false` if its time is up before. `child` becomes the one inside.
fn hear(
    socket: BorrowedFd<'_>,
    child: &mut Child,
    failed: &mut Option<Failure>,
    end: Instant,
) -> sys::Result<bool> {
    while poll::readable(socket, Some(end.saturating_duration_since(clock::monotonic())))? {
        match Message::receive(socket)? {
            Some((Message::Entered(pid), _)) => {
                process::wait_pid(child.pid)?;
                *child = process::own_child(pid)?;
            }
            Some((Message::Failed(failure), _)) => *failed = Some(failure),
            Some(_) => {}
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// Reads what the command writes until it has ended, or its time is up.
fn attend(
    child: &Child,
    output: BorrowedFd<'_>,
    heard: &mut Vec<u8>,
    end: Instant,
) -> sys::Result<Option<Ended>> {
    let mut open = true;
    loop {
        if let Some(ended) = process::reap(child.pidfd.as_fd())? {
            // Children that it has left may hold the pipe open; what is there is all that counts.
            drain(output, heard);
            return Ok(Some(ended));
        }
        let left = end.saturating_duration_since(clock::monotonic());
        if left.is_zero() {
            return Ok(None);
        }
        let mut fds = vec![PollFd::from_borrowed_fd(child.pidfd.as_fd(), PollFlags::IN)];
        if open {
            fds.push(PollFd::from_borrowed_fd(output, PollFlags::IN));
        }
        poll::wait(&mut fds, Some(left))?;
        if fds.get(1).is_some_and(|fd| !fd.revents().is_empty()) {
            open = drain(output, heard);
        }
    }
}

/// Reads what is there; `false` at the end of the output.
fn drain(output: BorrowedFd<'_>, heard: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4096];
    // A command that never stops writing must not keep its end from being noticed.
    for _ in 0..16 {
        match rustix::io::read(output, &mut buffer) {
            Ok(0) => return false,
            Ok(count) => {
                let room = KEPT.saturating_sub(heard.len()).min(count);
                heard.extend_from_slice(&buffer[..room]);
            }
            Err(Errno::INTR) => {}
            Err(_) => return true,
        }
    }
    true
}

/// What happened, with the first line of what the command said.
fn with_output(what: String, heard: &[u8]) -> String {
    let text = String::from_utf8_lossy(heard);
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(TOLD) {
        _ if line.is_empty() => what,
        None => format!("{what}: {line}"),
        Some((cut, _)) => format!("{what}: {}...", &line[..cut]),
    }
}

fn pipe() -> sys::Result<(OwnedFd, OwnedFd)> {
    let failed = |call, errno| sys::Error::new(call, "", errno);
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|errno| failed("pipe2", errno))?;
    rustix::fs::fcntl_setfl(&read, OFlags::NONBLOCK).map_err(|errno| failed("fcntl", errno))?;
    Ok((read, write))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_of_output_is_told() {
        let told = |heard: &[u8]| with_output("exit code 1".to_owned(), heard);
        assert_eq!(told(b""), "exit code 1");
        assert_eq!(told(b"\n no connection\nmore\n"), "exit code 1: no connection");
        assert_eq!(told(b"\xff\xfe"), "exit code 1: \u{fffd}\u{fffd}");
        assert_eq!(
            told("é".repeat(300).as_bytes()),
            format!("exit code 1: {}...", "é".repeat(200))
        );
    }
}
