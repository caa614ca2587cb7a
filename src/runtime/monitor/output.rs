//! The container's output: two pipes, or a terminal, read until nobody can write any more.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::io::Errno;

use super::audience::Audience;
use super::input::unblock;
use crate::runtime::log::{Log, Stream};
use crate::sys::{self, clock, pty};

/// One read takes at most this much.
const CHUNK: usize = 16 * 1024;
/// One turn takes at most so many reads of a stream, so that a flood on one does not keep the
/// monitor from the other, or from noticing the end.
const CHUNKS: usize = 16;

/// A source of output.
#[derive(Debug)]
pub(super) struct Source {
    fd: OwnedFd,
    stream: Stream,
    /// When to look again at a terminal that nobody has open.
    rests: Option<Instant>,
    closed: pty::Closed,
}

impl Source {
    /// Reads from `fd` without ever blocking.
    pub(super) fn new(fd: OwnedFd, stream: Stream) -> sys::Result<Self> {
        unblock(&fd)?;
        Ok(Self { fd, stream, rests: None, closed: pty::Closed::default() })
    }

    /// Until when it is not to be waited for.
    pub(super) fn rests(&self) -> Option<Instant> {
        self.rests
    }

    /// Ends its rest.
    pub(super) fn wake(&mut self) {
        self.rests = None;
    }

    /// Moves what is there to the log and to those who are attached, as far as one turn goes;
    /// `false` at the end of the stream. A terminal comes to it only once the program has ended.
    pub(super) fn drain(&mut self, log: &mut Log, audience: &mut Audience, ended: bool) -> bool {
        let mut buffer = [0u8; CHUNK];
        for _ in 0..CHUNKS {
            match rustix::io::read(&self.fd, &mut buffer) {
                Ok(0) => return false,
                Ok(count) => {
                    self.closed = pty::Closed::default();
                    log.append(self.stream, &buffer[..count], clock::now());
                    audience.show(self.stream, &buffer[..count]);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return true,
                // All who had the terminal open have closed it, and may open it again.
                Err(Errno::IO) if !ended => {
                    self.rests = clock::monotonic().checked_add(self.closed.pause());
                    return true;
                }
                Err(_) => return false,
            }
        }
        true
    }
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
