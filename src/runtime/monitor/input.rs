//! The container's standard input: what those who are attached send, one piece after the other.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::sys;

/// Where input goes. Nothing here blocks: while the program reads nothing, nobody's input is read.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// `None` where the program has no input, or no more.
    sink: Option<OwnedFd>,
    /// What the program did not take yet.
    pending: Vec<u8>,
    /// Whether the sink is closed once nothing is pending.
    ending: bool,
}

impl Input {
    /// Writes to `sink` without ever blocking.
    pub(super) fn new(sink: OwnedFd) -> sys::Result<Self> {
        unblock(&sink)?;
        Ok(Self { sink: Some(sink), ..Self::default() })
    }

    /// Whether input reaches the program at all.
    pub(super) fn is_open(&self) -> bool {
        self.sink.is_some() && !self.ending
    }

    /// Whether more may be given now.
    pub(super) fn has_room(&self) -> bool {
        self.is_open() && self.pending.is_empty()
    }

    /// The descriptor to wait for until it can be written to.
    pub(super) fn waits_for(&self) -> Option<BorrowedFd<'_>> {
        self.sink.as_ref().filter(|_| !self.pending.is_empty()).map(AsFd::as_fd)
    }

    /// Gives the program what it takes of `bytes`, and keeps the rest.
    pub(super) fn give(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.flush();
    }

    /// Gives the program what was kept.
    pub(super) fn flush(&mut self) {
        let Some(sink) = &self.sink else { return };
        let mut given = 0;
        while given < self.pending.len() {
            match rustix::io::write(sink, &self.pending[given..]) {
                Ok(count) => given += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                // A terminal that nobody has open takes nothing, until somebody opens it again.
                Err(Errno::IO) => given = self.pending.len(),
                // It has closed its input.
                Err(_) => return *self = Self::default(),
            }
        }
        self.pending.drain(..given);
        if self.ending && self.pending.is_empty() {
            *self = Self::default();
        }
    }

    /// Lets the program read the end of its input, behind what was given.
    pub(super) fn end(&mut self) {
        self.ending = true;
        self.flush();
    }
}

/// Makes a descriptor non-blocking.
pub(super) fn unblock(fd: &OwnedFd) -> sys::Result<()> {
    rustix::fs::fcntl_getfl(fd)
        .and_then(|flags| rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK))
        .map_err(|errno| sys::Error::new("fcntl", "O_NONBLOCK", errno))
}
