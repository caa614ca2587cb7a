//! The size of a terminal: ioctl_tty(2), `TIOCGWINSZ` and `TIOCSWINSZ`.

use std::os::fd::AsFd;

use rustix::termios::{Winsize, tcgetwinsize, tcsetwinsize};

use crate::sys;

/// How many characters a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// The size of the terminal `fd` is; `None` if it is none.
pub fn of(fd: impl AsFd) -> Option<Size> {
    let size = tcgetwinsize(fd).ok()?;
    Some(Size { rows: size.ws_row, columns: size.ws_col })
}

/// Sets the size of a terminal, through either end of it; its foreground process group gets
/// SIGWINCH when that is a change.
pub fn set(fd: impl AsFd, size: Size) -> sys::Result<()> {
    let size = Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(fd, size).map_err(|errno| sys::Error::new("ioctl", "TIOCSWINSZ", errno))
}
