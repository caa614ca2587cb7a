//! One direction of a session: bytes from a source to a sink, through one buffer.
//!
//! The source is read only while the buffer is empty, so a slow sink slows the source down.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::event::PollFlags;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SendFlags;
use rustix::termios::SpecialCodeIndex;

use crate::sys::Error;

/// The most that is on its way in one direction, in bytes.
const BUFFER: usize = 64 * 1024;

/// The most that a pipe which polls as writable takes without blocking: pipe(7), `PIPE_BUF`.
const UNBLOCKED: usize = 4096;

/// The device number of /dev/ptmx. Opening a pty's master anew would make another pty.
const PTMX: (u32, u32) = (5, 2);

/// What flows, and what its end means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The caller's input to a pipe: its end closes the pipe.
    Input,
    /// The caller's input to a pty's master: its end types end-of-file if that is asked for.
    TerminalInput {
        /// Whether to type end-of-file.
        types_end: bool,
    },
    /// A pipe to the caller: a caller who reads no more closes the pipe.
    Output,
    /// A pty's master to the caller: for a caller who reads no more, what comes is thrown away.
    TerminalOutput,
}

impl Kind {
    fn is_output(self) -> bool {
        matches!(self, Self::Output | Self::TerminalOutput)
    }
}

/// A source, a sink, and what flows between them.
#[derive(Debug)]
pub struct Link {
    /// Where bytes come from.
    pub source: OwnedFd,
    /// Where they go.
    pub sink: OwnedFd,
    /// What they are.
    pub kind: Kind,
}

/// How to write to a sink so that it never blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Anything, at any time: it says when it is full, or (a file) is never.
    Freely,
    /// A socket, whose other users must not see it stop blocking.
    Socket,
    /// A little at a time, when it polls as writable.
    Sparingly,
}

/// A link at work.
#[derive(Debug)]
pub(super) struct Flow {
    kind: Kind,
    source: Option<OwnedFd>,
    sink: Option<OwnedFd>,
    manner: Manner,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    mid_line: bool,
    /// How many bytes are still read, where that is bounded.
    allowance: Option<usize>,
}

/// What happened to the sink of an output.
#[derive(Debug)]
pub(super) enum Sunk {
    /// Nothing remarkable.
    Fine,
    /// Nobody reads any more.
    ReaderLeft,
    /// It could not be written to.
    Failed(Error),
}

impl Flow {
    pub(super) fn new(link: Link) -> Self {
        let (sink, manner) = if link.kind.is_output() {
            unblocked_of_caller(link.sink)
        } else {
            unblocked(link.sink)
        };
        Self {
            kind: link.kind,
            source: Some(link.source),
            sink: Some(sink),
            manner,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            mid_line: false,
            allowance: None,
        }
    }

    pub(super) fn is_output(&self) -> bool {
        self.kind.is_output()
    }

    pub(super) fn is_terminal_output(&self) -> bool {
        self.kind == Kind::TerminalOutput
    }

    /// Whether nothing will flow any more.
    pub(super) fn is_over(&self) -> bool {
        self.source.is_none() && self.start == self.end
    }

    /// The descriptors to wait for, and what for.
    pub(super) fn interests(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let empty = self.start == self.end;
        let source = self.source.as_ref().filter(|_| empty);
        let sink_interest = match self.kind {
            _ if !empty => Some(PollFlags::OUT),
            // POLLERR comes unasked when the program closes its end.
            Kind::Input => Some(PollFlags::empty()),
            _ => None,
        };
        let sink = self.sink.as_ref().zip(sink_interest);
        source
            .map(|source| (source.as_fd(), PollFlags::IN))
            .into_iter()
            .chain(sink.map(|(sink, interest)| (sink.as_fd(), interest)))
    }

    /// Moves what can be moved without blocking, given what became of [`Flow::interests`].
    pub(super) fn advance(&mut self, ready: &[PollFlags]) -> Sunk {
        let mut ready = ready.iter().copied();
        let mut writable = self.manner != Manner::Sparingly;
        if self.start < self.end {
            writable |= ready.next().is_some_and(|ready| !ready.is_empty());
        } else {
            if self.source.is_some() && ready.next().is_some_and(|ready| !ready.is_empty()) {
                self.fill();
            }
            if ready.next().is_some_and(|ready| ready.contains(PollFlags::ERR)) {
                self.close();
            }
        }
        if writable { self.drain() } else { Sunk::Fine }
    }

    /// Reads no more than what waits in the source now.
    pub(super) fn take_only_what_is_there(&mut self) {
        let Some(source) = &self.source else { return };
        let there = rustix::io::ioctl_fionread(source).unwrap_or(0);
        self.allowance = Some(usize::try_from(there).unwrap_or(usize::MAX));
        if there == 0 {
            self.source = None;
        }
    }

    /// Ends the flow in both directions.
    pub(super) fn close(&mut self) {
        (self.source, self.sink) = (None, None);
        (self.start, self.end) = (0, 0);
    }

    fn fill(&mut self) {
        let Some(source) = &self.source else { return };
        let most = self.allowance.unwrap_or(BUFFER).min(BUFFER);
        match rustix::io::read(source, &mut self.buffer[..most]) {
            Ok(0) => self.source_ended(),
            Ok(count) => {
                (self.start, self.end) = (0, count);
                self.mid_line = self.buffer[count - 1] != b'\n';
                if let Some(allowance) = &mut self.allowance {
                    *allowance -= count;
                    if *allowance == 0 {
                        self.source = None;
                    }
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            // A master answers EIO when the last program has closed its terminal.
            Err(_) => self.source_ended(),
        }
    }

    fn source_ended(&mut self) {
        self.source = None;
        if self.kind == (Kind::TerminalInput { types_end: true }) {
            // The first one in the middle of a line only hands in the line: termios(3), VEOF.
            self.end = if self.mid_line { 2 } else { 1 };
            self.start = 0;
            let key = self.sink.as_ref().map_or(4, end_of_file_key);
            self.buffer[..self.end].fill(key);
        }
    }

    fn drain(&mut self) -> Sunk {
        let mut sunk = Sunk::Fine;
        while self.start < self.end {
            let Some(sink) = &self.sink else {
                self.start = self.end;
                break;
            };
            let pending = &self.buffer[self.start..self.end];
            match write(sink, self.manner, pending) {
                Ok(count) => self.start += count,
                Err(Errno::AGAIN) => return sunk,
                Err(Errno::INTR) => continue,
                Err(errno) => sunk = self.sink_failed(errno),
            }
            if self.manner == Manner::Sparingly {
                break;
            }
        }
        if self.is_over() {
            self.sink = None;
        }
        sunk
    }

    fn sink_failed(&mut self, errno: Errno) -> Sunk {
        match self.kind {
            Kind::TerminalOutput => self.sink = None,
            _ => self.close(),
        }
        match errno {
            _ if !self.is_output() => Sunk::Fine,
            Errno::PIPE | Errno::IO | Errno::CONNRESET => Sunk::ReaderLeft,
            errno => Sunk::Failed(Error::new("write", "the output", errno)),
        }
    }
}

fn write(sink: &OwnedFd, manner: Manner, bytes: &[u8]) -> rustix::io::Result<usize> {
    match manner {
        Manner::Freely => rustix::io::write(sink, bytes),
        Manner::Socket => rustix::net::send(sink, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
        Manner::Sparingly => rustix::io::write(sink, &bytes[..bytes.len().min(UNBLOCKED)]),
    }
}

/// The key that ends a file on the terminal of this master, usually ctrl-d.
fn end_of_file_key(master: &OwnedFd) -> u8 {
    rustix::termios::tcgetattr(master)
        .map_or(4, |termios| termios.special_codes[SpecialCodeIndex::VEOF])
}

/// Makes a descriptor of tank's own non-blocking.
fn unblocked(sink: OwnedFd) -> (OwnedFd, Manner) {
    let set = rustix::fs::fcntl_getfl(&sink)
        .and_then(|flags| rustix::fs::fcntl_setfl(&sink, flags | OFlags::NONBLOCK));
    let manner = if set.is_ok() { Manner::Freely } else { Manner::Sparingly };
    (sink, manner)
}

/// Opens the caller's pipe or terminal anew, so that only tank's own description of it is
/// non-blocking: the caller and its other programs share the one that was handed down.
fn unblocked_of_caller(sink: OwnedFd) -> (OwnedFd, Manner) {
    let Ok(stat) = rustix::fs::fstat(&sink) else { return (sink, Manner::Sparingly) };
    let device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
    let is_terminal = rustix::termios::isatty(&sink);
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket => return (sink, Manner::Socket),
        FileType::Fifo => {}
        FileType::CharacterDevice if is_terminal && device != PTMX => {}
        FileType::CharacterDevice if is_terminal => return (sink, Manner::Sparingly),
        _ => return (sink, Manner::Freely),
    }
    let path = PathBuf::from(format!("/proc/self/fd/{}", sink.as_raw_fd()));
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(own) => (own, Manner::Freely),
        Err(_) => (sink, Manner::Sparingly),
    }
}
