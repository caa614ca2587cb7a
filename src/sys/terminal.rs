//! What a session on a terminal needs of the kernel beside bytes: the signals that people and
//! terminals send, as events of a descriptor (signalfd(2)), and being stopped.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::{Error, Result};

/// The signals a session takes as events: those that end it, those that are passed on, and those
/// about its terminal.
const SIGNALS: [Signal; 9] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
    Signal::SIGTSTP,
    Signal::SIGCONT,
];

/// A signal of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The terminal has another size: SIGWINCH.
    Resized,
    /// The process is asked to stop: SIGTSTP.
    Stop,
    /// The process was stopped and goes on: SIGCONT.
    Continued,
    /// Any other, by its number: SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1 or SIGUSR2.
    Signal(i32),
}

/// The signals of a session, blocked and readable. Dropping it unblocks those that were not
/// blocked before; one that arrived and was not read then takes its usual effect.
#[derive(Debug)]
pub struct Signals {
    events: SignalFd,
    before: SigSet,
}

impl Signals {
    /// Blocks the signals in the calling thread, and opens a descriptor for them that does not
    /// block. A process that is started meanwhile inherits the mask and has to reset it.
    pub fn take() -> Result<Self> {
        let set: SigSet = SIGNALS.into_iter().collect();
        let before = set
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .map_err(|errno| error("pthread_sigmask", errno))?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        match SignalFd::with_flags(&set, flags) {
            Ok(events) => Ok(Self { events, before }),
            Err(errno) => {
                let _ = before.thread_set_mask();
                Err(error("signalfd", errno))
            }
        }
    }

    /// The next signal, if one has arrived.
    pub fn next(&self) -> Result<Option<Event>> {
        loop {
            match self.events.read_signal() {
                Ok(None) => return Ok(None),
                Ok(Some(signal)) => return Ok(Some(event(signal.ssi_signo.cast_signed()))),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(error("read", errno)),
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // Setting a mask that the kernel itself handed out does not fail.
        let _ = self.before.thread_set_mask();
    }
}

/// Stops the process until SIGCONT, as SIGTSTP would have done.
pub fn stop() -> Result<()> {
    raise(Signal::SIGSTOP).map_err(|errno| error("raise", errno))
}

/// Does to the process what a signal that was taken as an event would have done: one that nobody
/// handles ends it, and its parent sees by which.
pub fn end_by(number: i32) -> Result<()> {
    let signal = Signal::try_from(number).map_err(|errno| error("raise", errno))?;
    let set: SigSet = std::iter::once(signal).collect();
    raise(signal).map_err(|errno| error("raise", errno))?;
    set.thread_unblock().map_err(|errno| error("pthread_sigmask", errno))
}

fn event(number: i32) -> Event {
    match number {
        libc::SIGWINCH => Event::Resized,
        libc::SIGTSTP => Event::Stop,
        libc::SIGCONT => Event::Continued,
        number => Event::Signal(number),
    }
}

fn error(call: &'static str, errno: Errno) -> Error {
    Error::new(call, "signals", std::io::Error::from(errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_becomes_an_event_and_does_nothing_else() {
        let signals = Signals::take().unwrap();
        assert_eq!(signals.next().unwrap(), None);
        raise(Signal::SIGWINCH).unwrap();
        raise(Signal::SIGTERM).unwrap();
        let mut seen = vec![signals.next().unwrap(), signals.next().unwrap()];
        seen.sort_by_key(|event| *event == Some(Event::Resized));
        assert_eq!(seen, [Some(Event::Signal(libc::SIGTERM)), Some(Event::Resized)]);
        assert_eq!(signals.next().unwrap(), None);
    }

    #[test]
    fn the_mask_is_put_back() {
        let before = SigSet::thread_get_mask().unwrap();
        drop(Signals::take().unwrap());
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}
