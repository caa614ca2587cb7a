//! The caller's end of a program far away: its streams and its terminal, lent for a while.

use std::ops::ControlFlow;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use crate::model::DetachKeys;
use crate::sys;
use crate::sys::terminal::Signals;
use crate::term::detach::Matcher;
use crate::term::pump::{self, Event, Link};
use crate::term::raw::RawMode;
use crate::term::size::{self, Size};

/// The size of a terminal that does not know its own.
const DEFAULT_SIZE: Size = Size { rows: 24, columns: 80 };

/// What is moved between the caller and the program.
pub(super) struct Wires<'a> {
    /// The directions in which bytes flow.
    pub(super) links: Vec<Link>,
    /// Readable once the program has ended.
    pub(super) ended: BorrowedFd<'a>,
    /// The signals of the session, taken before there was anything that they could be meant for.
    pub(super) signals: &'a Signals,
    /// The caller's terminal, where the program's goes on it.
    pub(super) terminal: Option<BorrowedFd<'a>>,
    /// The keys that leave.
    pub(super) detach: &'a DetachKeys,
}

impl Wires<'_> {
    /// Moves bytes until the program has ended, or `on_event` breaks; returns input that was read
    /// and not sent. The terminal is the caller's again when this returns.
    pub(super) fn attend(
        self,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> sys::Result<Vec<u8>> {
        let mut raw = match self.terminal {
            Some(terminal) => Some(RawMode::enter(copy(terminal)?)?),
            None => None,
        };
        let session = pump::Session {
            links: self.links,
            process: Some(self.ended),
            signals: Some(self.signals),
            raw: raw.as_mut(),
            detach: Matcher::new(self.detach),
        };
        let ended = pump::run(session, on_event)?;
        ended.lost_output.map_or(Ok(ended.unsent), Err)
    }
}

/// The rows and columns of the caller's terminal.
pub(super) fn size_of(terminal: BorrowedFd<'_>) -> (u16, u16) {
    let size = size::of(terminal).unwrap_or(DEFAULT_SIZE);
    (size.rows, size.columns)
}

/// A descriptor of tank's own for one of the caller's.
pub(super) fn copy(fd: BorrowedFd<'_>) -> sys::Result<OwnedFd> {
    fd.try_clone_to_owned().map_err(|e| sys::Error::new("fcntl", "F_DUPFD_CLOEXEC", e))
}

/// The null device.
pub(super) fn null() -> sys::Result<OwnedFd> {
    rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| sys::Error::new("open", "/dev/null", errno))
}
