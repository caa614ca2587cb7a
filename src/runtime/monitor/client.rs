//! One who is attached, or about to be.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::input::unblock;
use crate::runtime::attach::{self, Answer, Request};
use crate::runtime::log::Stream;

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    /// `None` once it is gone.
    control: Option<OwnedFd>,
    /// Whether it is attached, or was.
    attached: bool,
    output: Option<OwnedFd>,
    errors: Option<OwnedFd>,
    input: Option<OwnedFd>,
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Asked {
    /// There is none (any more).
    Nothing,
    /// There is one, with the descriptors that came with it.
    For(Request, Vec<OwnedFd>),
    /// The client is gone, or says what no client says.
    Gone,
}

/// What became of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    /// The client has it, or does not want it.
    Taken,
    /// There was no room for all of it.
    NoRoom,
}

impl Client {
    /// One who connected, and has not said a word yet.
    pub(super) fn new(control: OwnedFd) -> Self {
        let (output, errors, input) = (None, None, None);
        Self { control: Some(control), attached: false, output, errors, input }
    }

    /// Takes the descriptors that come with a request to be attached. `false` if they are not what
    /// a client hands over.
    pub(super) fn attach(&mut self, fds: Vec<OwnedFd>, wants_input: bool) -> bool {
        if self.attached || fds.iter().any(|fd| unblock(fd).is_err()) {
            return false;
        }
        let mut fds = fds.into_iter();
        (self.output, self.errors) = (fds.next(), fds.next());
        self.input = fds.next().filter(|_| wants_input);
        self.attached = self.output.is_some() && self.errors.is_some();
        self.attached
    }

    /// The connection, as long as it is one.
    pub(super) fn control(&self) -> Option<BorrowedFd<'_>> {
        self.control.as_ref().map(AsFd::as_fd)
    }

    /// Where its input comes from, as long as there is more.
    pub(super) fn input(&self) -> Option<BorrowedFd<'_>> {
        self.input.as_ref().map(AsFd::as_fd)
    }

    /// There is no more input of it, or nobody to give it to.
    pub(super) fn end_input(&mut self) {
        self.input = None;
    }

    /// The next thing it asks for.
    pub(super) fn ask(&self) -> Asked {
        let Some(control) = &self.control else { return Asked::Nothing };
        match attach::receive(control.as_fd()) {
            Ok(Some((request, fds))) => Asked::For(request, fds),
            Err(e) if e.is(libc::EAGAIN) => Asked::Nothing,
            Ok(None) | Err(_) => Asked::Gone,
        }
    }

    /// Tells it something. One that cannot be told is found to be gone by its connection.
    pub(super) fn tell(&self, answer: &Answer) {
        if let Some(control) = &self.control {
            attach::send(control.as_fd(), answer, &[]).ok();
        }
    }

    /// Hands over output.
    pub(super) fn offer(&mut self, stream: Stream, bytes: &[u8]) -> Offered {
        let sink = match stream {
            Stream::Stdout => &mut self.output,
            Stream::Stderr => &mut self.errors,
        };
        let Some(fd) = sink else { return Offered::Taken };
        let mut taken = 0;
        while taken < bytes.len() {
            match rustix::io::write(&*fd, &bytes[taken..]) {
                Ok(count) => taken += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Offered::NoRoom,
                Err(_) => {
                    *sink = None;
                    break;
                }
            }
        }
        Offered::Taken
    }

    /// Hands over the end of `history`, as much as there is room for, and says how much that is.
    pub(super) fn begin_with(&mut self, history: &[u8]) -> usize {
        let room =
            self.output.as_ref().and_then(|sink| rustix::pipe::fcntl_getpipe_size(sink).ok());
        let begin = history.len().saturating_sub(room.unwrap_or(0));
        match self.offer(Stream::Stdout, &history[begin..]) {
            Offered::Taken => history.len() - begin,
            Offered::NoRoom => 0,
        }
    }

    /// Shows it no more output. What it has sent is still input.
    pub(super) fn drop_outputs(&mut self) {
        (self.output, self.errors) = (None, None);
    }

    /// It is gone; `true` if what it has sent before was not all read.
    pub(super) fn is_gone(&mut self) -> bool {
        self.control = None;
        self.drop_outputs();
        self.input.is_some()
    }
}
