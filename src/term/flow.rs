//! One direction of a session: bytes from a source to a sink, through one buffer.
//!
//! The source is read only while the buffer is empty, so a slow sink slows the source down.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{SendFlags, Shutdown};

use super::detach::{Found, Matcher};
use crate::sys::{Error, clock, pty};

/// The most that is on its way in one direction, in bytes.
const BUFFER: usize = 64 * 1024;

/// The most that a pipe which polls as writable takes without blocking: pipe(7), `PIPE_BUF`.
const UNBLOCKED: usize = 4096;

/// The device number of /dev/ptmx. Opening a pty's master anew would make another pty.
const PTMX: (u32, u32) = (5, 2);

/// What flows, and what its end means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The caller's input to a pipe or a socket: its end closes the pipe, or shuts the socket down
    /// for writing.
    Input,
    /// The caller's input to a terminal, on which the end of it is nothing but a key.
    TerminalInput,
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
    /// What goes to the sink before all else.
    pub begin: Vec<u8>,
}

impl Link {
    /// One that begins with what comes from the source.
    pub fn new(source: OwnedFd, sink: OwnedFd, kind: Kind) -> Self {
        Self { source, sink, kind, begin: Vec::new() }
    }
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
    /// How many bytes are still read, where that is bounded.
    allowance: Option<usize>,
    /// Finds the keys that leave, in a terminal's input.
    matcher: Option<Matcher>,
    /// Whether a program may open the terminal again that all have closed. Until then it gives
    /// nothing, and what is typed is lost.
    may_reopen: bool,
    /// When to look again at a terminal that nobody has open.
    rests: Option<Instant>,
    closed: pty::Closed,
}

/// What happened to a flow.
#[derive(Debug)]
pub(super) enum Sunk {
    /// Nothing remarkable.
    Fine,
    /// Nobody reads any more.
    ReaderLeft,
    /// It could not be written to.
    Failed(Error),
    /// The keys that leave were typed.
    Detach,
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
            start: 0,
            end: link.begin.len(),
            buffer: buffer(link.begin),
            allowance: None,
            matcher: None,
            may_reopen: false,
            rests: None,
            closed: pty::Closed::default(),
        }
    }

    /// Looks for the keys that leave, where it is a terminal's input.
    pub(super) fn watch_for(&mut self, matcher: &mut Option<Matcher>) {
        if self.kind == Kind::TerminalInput {
            self.matcher = matcher.take();
        }
    }

    /// Sets whether a terminal that nobody has open may be opened again; where it may not, that is
    /// its end.
    pub(super) fn set_may_reopen(&mut self, may: bool) {
        self.may_reopen = may;
        self.rests = None;
    }

    /// When to call [`Flow::expire`] at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let typing = self.matcher.as_ref().and_then(Matcher::deadline);
        typing.into_iter().chain(self.rests).min()
    }

    /// Passes on the keys that were withheld for long enough, and looks again at a terminal that
    /// nobody had open.
    pub(super) fn expire(&mut self) {
        self.rests = self.rests.filter(|until| *until > clock::monotonic());
        let Some(matcher) = &mut self.matcher else { return };
        if self.start == self.end && matcher.deadline().is_some_and(|end| end <= clock::monotonic())
        {
            let mut through = Vec::new();
            matcher.give_up(&mut through);
            self.buffer[..through.len()].copy_from_slice(&through);
            (self.start, self.end) = (0, through.len());
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
        let source = self.source.as_ref().filter(|_| empty && self.rests.is_none());
        let sink_interest = match self.kind {
            _ if !empty => Some(PollFlags::OUT),
            // POLLERR, of a socket POLLHUP, comes unasked when the program closes its end.
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
    /// `follow` is shown what is read.
    pub(super) fn advance(&mut self, ready: &[PollFlags], follow: &mut dyn FnMut(&[u8])) -> Sunk {
        let mut ready = ready.iter().copied();
        let mut writable = self.manner != Manner::Sparingly;
        let mut found = Found::Nothing;
        if self.start < self.end {
            writable |= ready.next().is_some_and(|ready| !ready.is_empty());
        } else {
            let is_asked = self.source.is_some() && self.rests.is_none();
            if is_asked && ready.next().is_some_and(|ready| !ready.is_empty()) {
                found = self.fill();
                follow(&self.buffer[self.start..self.end]);
            }
            let is_closed = |ready: PollFlags| ready.intersects(PollFlags::ERR | PollFlags::HUP);
            if ready.next().is_some_and(is_closed) {
                self.close();
            }
        }
        let sunk = if writable { self.drain() } else { Sunk::Fine };
        match found {
            Found::Nothing => sunk,
            Found::Detach => Sunk::Detach,
        }
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

    /// Neither reads nor writes any more, and keeps what was read and not written.
    pub(super) fn stop(&mut self) {
        (self.source, self.sink) = (None, None);
    }

    /// What was read and not written.
    pub(super) fn unsent(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Ends the flow in both directions.
    pub(super) fn close(&mut self) {
        (self.source, self.sink) = (None, None);
        (self.start, self.end) = (0, 0);
    }

    fn fill(&mut self) -> Found {
        let Some(source) = &self.source else { return Found::Nothing };
        // What was withheld before is passed on with what is typed next.
        let room = if self.matcher.is_some() { BUFFER / 2 } else { BUFFER };
        let most = self.allowance.unwrap_or(room).min(room);
        match rustix::io::read(source, &mut self.buffer[..most]) {
            Ok(0) => self.source = None,
            Ok(count) => {
                (self.start, self.end) = (0, count);
                if let Some(allowance) = &mut self.allowance {
                    *allowance -= count;
                    if *allowance == 0 {
                        self.source = None;
                    }
                }
                return self.match_keys();
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::IO) if self.may_reopen && self.is_terminal_output() => {
                self.rests = clock::monotonic().checked_add(self.closed.pause());
            }
            Err(_) => self.source = None,
        }
        Found::Nothing
    }

    /// Keeps of what was read what the program gets by now.
    fn match_keys(&mut self) -> Found {
        let Some(matcher) = &mut self.matcher else { return Found::Nothing };
        let mut through = Vec::with_capacity(self.end);
        let found = matcher.take(&self.buffer[..self.end], &mut through);
        self.buffer[..through.len()].copy_from_slice(&through);
        self.end = through.len();
        found
    }

    fn drain(&mut self) -> Sunk {
        let mut sunk = Sunk::Fine;
        while self.start < self.end {
            let Some(sink) = &self.sink else {
                if self.is_output() {
                    self.start = self.end;
                }
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
        if self.is_over()
            && let Some(sink) = self.sink.take()
            && self.kind == Kind::Input
        {
            // Whoever reads a socket that its owner holds open learns it so; of a pipe, by its end
            // being closed, and this fails.
            let _ = rustix::net::shutdown(&sink, Shutdown::Write);
        }
        sunk
    }

    fn sink_failed(&mut self, errno: Errno) -> Sunk {
        match self.kind {
            Kind::TerminalInput if errno == Errno::IO && self.may_reopen => self.start = self.end,
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

/// A buffer that holds what a link begins with.
fn buffer(mut begin: Vec<u8>) -> Box<[u8]> {
    begin.resize(begin.len().max(BUFFER), 0);
    begin.into_boxed_slice()
}

fn write(sink: &OwnedFd, manner: Manner, bytes: &[u8]) -> rustix::io::Result<usize> {
    match manner {
        Manner::Freely => rustix::io::write(sink, bytes),
        Manner::Socket => rustix::net::send(sink, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
        Manner::Sparingly => rustix::io::write(sink, &bytes[..bytes.len().min(UNBLOCKED)]),
    }
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
