//! Signals, received as events on a descriptor instead of by handlers, or not at all.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigHandler, SigSet, Signal as Number};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::{Error, Result};

/// Signals that are blocked for this process and arrive here: signalfd(2).
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
}

/// A signal that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Its number.
    pub number: i32,
    /// Whether the kernel itself sent it, as for the keys of a terminal. No process can pretend so.
    pub by_kernel: bool,
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

    /// The next pending signal, if there is one.
    pub fn pending(&mut self) -> Result<Option<Received>> {
        let info = self.fd.read_signal().map_err(|errno| Error::new("read", "signalfd", errno))?;
        Ok(info.map(|info| Received {
            number: info.ssi_signo.cast_signed(),
            by_kernel: info.ssi_code == libc::SI_KERNEL,
        }))
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

/// Lets the kernel reap the children of this process when they end: what its pid 1 ignores
/// nobody has to wait for.
pub fn ignore_children() -> Result<()> {
    // SAFETY: to ignore a signal installs no handler that could run at a bad moment.
    unsafe { nix::sys::signal::signal(Number::SIGCHLD, SigHandler::SigIgn) }
        .map(drop)
        .map_err(|errno| Error::new("sigaction", "SIGCHLD", errno))
}

/// Waits for ever: pause(2). Signals that end the process do.
pub fn wait_for_ever() -> ! {
    loop {
        rustix::event::pause();
    }
}

/// Blocks every signal that can be blocked, for a process that must not be disturbed.
pub fn block_all() -> Result<()> {
    SigSet::all().thread_block().map_err(|errno| Error::new("sigprocmask", "", errno))
}
