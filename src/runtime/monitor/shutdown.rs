//! Whether the machine goes down. One that does sends SIGTERM to every process, so that the end of
//! a program that was sent it as well is not its own.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::sys;
use crate::sys::signal::Signals;

/// How long what runs may take to end when a machine goes down; systemd's default is 90 s. Whatever
/// is up after that was sent the signal for another reason.
const LASTS: Duration = Duration::from_secs(120);

/// Notices that the machine goes down.
#[derive(Debug)]
pub(super) struct Shutdown {
    signals: Signals,
    /// When this process was last told.
    told: Option<Instant>,
}

impl Shutdown {
    /// Begins to listen; what was sent while signals were blocked is heard too.
    pub(super) fn watch() -> sys::Result<Self> {
        Ok(Self { signals: Signals::block(&[Signal::SIGTERM])?, told: None })
    }

    /// Takes in what this process was sent.
    pub(super) fn turn(&mut self, now: Instant) {
        while self.signals.pending().is_ok_and(|signal| signal.is_some()) {
            self.told = Some(now);
        }
    }

    /// Whether the machine goes down now.
    pub(super) fn is_under_way(&mut self, now: Instant) -> bool {
        self.turn(now);
        self.told.is_some_and(|told| now.saturating_duration_since(told) < LASTS)
    }
}

impl AsFd for Shutdown {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;

    #[test]
    fn the_machine_goes_down_for_a_while_after_the_signal() {
        let mut shutdown = Shutdown::watch().unwrap();
        let now = clock::monotonic();
        assert!(!shutdown.is_under_way(now));
        // Sent to this thread alone; the others of the test do not block it.
        nix::sys::signal::raise(Signal::SIGTERM).unwrap();
        assert!(shutdown.is_under_way(now));
        let late = now + LASTS;
        assert!(shutdown.is_under_way(late - Duration::from_millis(1)));
        assert!(!shutdown.is_under_way(late));
        // It was taken, so that it ends nobody that this process becomes.
        nix::sys::signal::SigSet::empty().thread_set_mask().unwrap();
        let mut shutdown = Shutdown::watch().unwrap();
        assert!(!shutdown.is_under_way(now));
    }
}
