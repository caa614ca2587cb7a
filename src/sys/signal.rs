//! Signals, received as events on a descriptor instead of by handlers.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal as Number};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::{Error, Result};

/// Signals that are blocked for this process and arrive here: signalfd(2).
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
}

impl Signals {
    /// Blocks `numbers` and opens a descriptor that is readable when one of them is pending.
    pub fn block(numbers: &[Number]) -> Result<Self> {
        let set: SigSet = numbers.iter().copied().collect();
        set.thread_block().map_err(|errno| Error::new("sigprocmask", "", errno))?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map_err(|errno| Error::new("signalfd", "", errno))?;
        Ok(Self { fd })
    }

    /// The next pending signal's number, if there is one.
    pub fn pending(&mut self) -> Result<Option<i32>> {
        let info = self.fd.read_signal().map_err(|errno| Error::new("read", "signalfd", errno))?;
        Ok(info.map(|info| info.ssi_signo.cast_signed()))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Forgets a signal that is blocked and pending: delivered later, it would act later.
pub fn discard(number: Number) -> Result<()> {
    let mut signals = Signals::block(&[number])?;
    while signals.pending()?.is_some() {}
    Ok(())
}

/// Whether a signal that is blocked was sent to this process. It stays pending.
pub fn is_pending(number: Number) -> Result<bool> {
    let signals = Signals::block(&[number])?;
    super::poll::readable(signals.as_fd(), Some(std::time::Duration::ZERO))
}

/// Blocks every signal that can be blocked, for a process that must not be disturbed.
pub fn block_all() -> Result<()> {
    SigSet::all().thread_block().map_err(|errno| Error::new("sigprocmask", "", errno))
}
