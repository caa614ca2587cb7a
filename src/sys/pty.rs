//! Pseudo terminals: pty(7).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;

use super::{Error, Result};

/// The file system of pseudo terminals: `DEVPTS_SUPER_MAGIC`.
const DEVPTS: i64 = 0x1cd1;

/// How long to leave a terminal alone that no program has open, at first and at last.
const CLOSED: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How long to leave a terminal alone that no program has open: its master answers EIO and polls as
/// hung up until one opens it again, of which no event tells. The longer it is closed, the longer.
#[derive(Debug, Default)]
pub struct Closed(Duration);

impl Closed {
    /// The pause after another look that found it closed.
    pub fn pause(&mut self) -> Duration {
        self.0 = (self.0 * 2).clamp(CLOSED.0, CLOSED.1);
        self.0
    }
}

/// The two ends of a pseudo terminal.
#[derive(Debug)]
pub struct Pty {
    /// The end that tank holds.
    pub master: OwnedFd,
    /// The end that is the program's terminal.
    pub slave: OwnedFd,
}

/// Opens a new pseudo terminal of the devpts instance whose `ptmx` is at `path`.
///
/// The slave comes from the master itself (`TIOCGPTPEER`), never from a path that a container's
/// image could have put something at; a `ptmx` that is not on devpts is refused.
pub fn open(path: &str) -> Result<Pty> {
    let failed = |call, errno| Error::new(call, path, errno);
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let master = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| failed("open", e))?;
    if !super::mount::fd_is_on(&master, DEVPTS) {
        return Err(failed("open", rustix::io::Errno::NOTTY));
    }
    rustix::pty::unlockpt(&master).map_err(|errno| failed("unlockpt", errno))?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags)
        .map_err(|errno| failed("TIOCGPTPEER", errno))?;
    Ok(Pty { master, slave })
}

/// Makes `terminal` the controlling terminal of this process's session, which has none yet.
pub fn make_controlling(terminal: BorrowedFd<'_>) -> Result<()> {
    rustix::process::ioctl_tiocsctty(terminal).map_err(|errno| Error::new("TIOCSCTTY", "", errno))
}

/// Sets a terminal's size in rows and columns; the foreground process gets SIGWINCH.
pub fn set_size(terminal: impl AsFd, rows: u16, columns: u16) -> Result<()> {
    let size =
        rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let number = terminal.as_fd().as_raw_fd();
    rustix::termios::tcsetwinsize(terminal, size)
        .map_err(|errno| Error::new("TIOCSWINSZ", number.to_string(), errno))
}
