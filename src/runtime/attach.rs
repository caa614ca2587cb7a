//! Attaching to the main process of a running container, seen from the command.
//!
//! The command connects to the monitor's socket and hands over ends of its own: two pipes that the
//! monitor writes the program's output to, and a socket that it reads input from. So the command
//! moves plain bytes, as it does for `exec`, and the connection itself carries what is left: sizes
//! in one direction, and in the other how it ended.
//!
//! What a terminal shows is not kept by the monitor, which would have to interpret all that a
//! container cares to print. It keeps the last output as it came, and the terminal's modes; the
//! command makes a screen of them. The pipe of a command that is attached begins with them.
//!
//! A command that does not read is let go as soon as its pipe is full. It may attach again.
//!
//! The end of input is a half-closed socket. A client that is killed closes both halves, and so
//! never looks like one whose input ended.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::directories::InstanceFiles;
use super::launch::PROTOCOL;
use crate::model::Exit;
use crate::model::modes::Modes;
use crate::sys::{self, socket};

/// How much output may wait for a client, in bytes, before it is let go. The kernel allows
/// everybody a mebibyte, unless it is told otherwise.
const CAPACITY: usize = 1 << 20;

/// What a client asks of a monitor.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// The first message. With it come the ends to write standard output and standard error to,
    /// and to read input from, if there is any.
    Attach {
        /// [`PROTOCOL`] of the client.
        version: u32,
        /// The client's terminal, if it has one.
        terminal: Option<Caller>,
    },
    /// The client's terminal has this size now.
    Resize {
        /// Lines.
        rows: u16,
        /// Characters in a line.
        columns: u16,
    },
}

/// The terminal of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
    /// Whether the program is to hear of the size even if it does not change, so that it paints
    /// what it shows.
    pub nudge: bool,
}

/// The terminal of a program, at the moment that somebody was attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Lines, while its last output was written.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
    /// Its modes.
    pub modes: Modes,
    /// How many bytes of its last output the client's pipe begins with.
    pub history: usize,
}

/// What a monitor tells a client.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The client is attached.
    Attached {
        /// [`PROTOCOL`] of the monitor.
        version: u32,
        /// The program's terminal, if it has one.
        terminal: Option<Shown>,
        /// Whether input reaches it.
        input: bool,
    },
    /// It is not, because there are so many already.
    Full(usize),
    /// The program ended, and its last output is in the pipes.
    Ended(Exit),
    /// There was no room for output in the pipes: they end where that began.
    Dropped,
}

/// Why nobody was attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Nobody listens: the program has ended, or its monitor is of a version that does not.
    #[error("its monitor takes nobody")]
    NoMonitor,
    /// The monitor was busy with its end.
    #[error("its monitor ended")]
    MonitorEnded,
    /// Too many are attached.
    #[error("{0} are attached already")]
    Full(usize),
    /// The monitor is of another version.
    #[error("its monitor speaks version {0} of the protocol, and this tank version {PROTOCOL}")]
    Version(u32),
    /// A system call failed.
    #[error(transparent)]
    Sys(#[from] sys::Error),
}

/// A connection to a running program.
#[derive(Debug)]
pub struct Attachment {
    control: OwnedFd,
    /// Takes input, if it reaches the program.
    pub input: Option<OwnedFd>,
    /// Gives what the program writes to its terminal, or to standard output.
    pub output: OwnedFd,
    /// Gives what it writes to standard error.
    pub errors: OwnedFd,
    /// The program's terminal, if it has one.
    pub terminal: Option<Shown>,
}

/// How an attachment ended.
#[derive(Debug)]
pub enum Parted {
    /// The program ended.
    Ended(Exit),
    /// Output was read too slowly.
    Dropped,
    /// The monitor is gone without a word.
    Vanished,
}

/// Attaches to the program of the instance whose files these are. Where the program has a terminal,
/// as the caller has, it gets the size of the caller's.
pub fn attach(
    files: InstanceFiles<'_>,
    terminal: Option<Caller>,
    input: bool,
) -> Result<Attachment, AttachError> {
    let control = socket::connect(&files.attach()).map_err(|e| match e.errno() {
        libc::ENOENT | libc::ECONNREFUSED => AttachError::NoMonitor,
        _ => e.into(),
    })?;
    let (output, their_output) = pipe()?;
    let (errors, their_errors) = pipe()?;
    let input = if input { Some(socket::stream_pair()?) } else { None };
    let (input, their_input) = input.unzip();
    let mut theirs = vec![their_output.as_fd(), their_errors.as_fd()];
    theirs.extend(their_input.as_ref().map(AsFd::as_fd));
    let request = Request::Attach { version: PROTOCOL, terminal };
    match send(control.as_fd(), &request, &theirs) {
        // Who is let go before a word is told why.
        Err(e) if e.is(libc::EPIPE) || e.is(libc::ECONNRESET) => {}
        sent => sent?,
    }
    match receive(control.as_fd())?.map(|(answer, _)| answer) {
        Some(Answer::Attached { version, .. }) if version != PROTOCOL => {
            Err(AttachError::Version(version))
        }
        Some(Answer::Attached { terminal, input: taken, .. }) => {
            let input = input.filter(|_| taken);
            Ok(Attachment { control, input, output, errors, terminal })
        }
        Some(Answer::Full(count)) => Err(AttachError::Full(count)),
        Some(Answer::Ended(_) | Answer::Dropped) | None => Err(AttachError::MonitorEnded),
    }
}

impl Attachment {
    /// Tells the size of the caller's terminal.
    pub fn resize(&self, rows: u16, columns: u16) -> sys::Result<()> {
        send(self.control.as_fd(), &Request::Resize { rows, columns }, &[])
    }

    /// The last output of the program's terminal, which is taken from the beginning of what comes.
    pub fn history(&self) -> sys::Result<Vec<u8>> {
        let length = self.terminal.as_ref().map_or(0, |shown| shown.history);
        let mut history = vec![0; length.min(CAPACITY)];
        let mut filled = 0;
        while filled < history.len() {
            match rustix::io::read(&self.output, &mut history[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(sys::Error::new("read", "the history", errno)),
            }
        }
        history.truncate(filled);
        Ok(history)
    }

    /// Waits for the end.
    pub fn wait(&self) -> sys::Result<Parted> {
        match receive(self.control.as_fd())?.map(|(answer, _)| answer) {
            Some(Answer::Ended(exit)) => Ok(Parted::Ended(exit)),
            Some(Answer::Dropped) => Ok(Parted::Dropped),
            _ => Ok(Parted::Vanished),
        }
    }
}

/// Readable once the attachment has ended.
impl AsFd for Attachment {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}

/// A pipe with as much room as the kernel allows.
fn pipe() -> sys::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
        .map_err(|errno| sys::Error::new("pipe2", "", errno))?;
    rustix::pipe::fcntl_setpipe_size(&write, CAPACITY).ok();
    Ok((read, write))
}

/// Sends a message of either side.
pub(super) fn send(
    socket: BorrowedFd<'_>,
    message: &impl Serialize,
    fds: &[BorrowedFd<'_>],
) -> sys::Result<()> {
    let bytes = serde_json::to_vec(message)
        .map_err(|e| sys::Error::new("serialize", "message", std::io::Error::from(e)))?;
    socket::send(socket, &bytes, fds)
}

/// A message of the other side with its descriptors; `None` when it is gone.
pub(super) fn receive<T: DeserializeOwned>(
    socket: BorrowedFd<'_>,
) -> sys::Result<Option<(T, Vec<OwnedFd>)>> {
    let is_reset = |e: &sys::Error| e.is(Errno::CONNRESET.raw_os_error());
    let received = match socket::receive(socket) {
        // The other side left something unread. What it said before comes after this.
        Err(e) if is_reset(&e) => socket::receive(socket),
        received => received,
    };
    let (bytes, fds) = match received {
        Err(e) if is_reset(&e) => return Ok(None),
        received => received?,
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    let message = serde_json::from_slice(&bytes)
        .map_err(|e| sys::Error::new("parse", "message", std::io::Error::from(e)))?;
    Ok(Some((message, fds)))
}
