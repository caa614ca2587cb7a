//! A container's terminal: from its own devpts, at `/dev/console` and the standard streams.

use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

use super::program;
use crate::runtime::failure::{Doing, Failure};
use crate::runtime::in_root::Root;
use crate::sys::pty::{self, Pty};
use crate::sys::{mount, process};
use rustix::fs::{CWD, OFlags};

/// The size of a terminal that nobody is attached to yet, in rows and columns.
pub(crate) const SIZE: (u16, u16) = (24, 80);

/// Opens a pseudo terminal of the devpts that was mounted in `root`, and shows it there as
/// `/dev/console`.
pub(super) fn open(root: &Root) -> Result<Pty, Failure> {
    let doing = "open the terminal";
    let dev =
        root.open_path(Path::new("/dev/pts"), OFlags::PATH | OFlags::DIRECTORY).doing(doing)?;
    let path = format!("/proc/self/fd/{}/ptmx", dev.as_raw_fd());
    let pty = pty::open(&path).doing(doing)?;
    let (rows, columns) = SIZE;
    pty::set_size(&pty.master, rows, columns).doing(doing)?;
    let slave = format!("/proc/self/fd/{}", pty.slave.as_raw_fd());
    let copy = mount::copy(CWD, Path::new(&slave), false).doing("show the terminal")?;
    let console = root.ensure_file(Path::new("/dev/console")).doing("make /dev/console")?;
    mount::attach(copy.as_fd(), console.as_fd()).doing("mount /dev/console")?;
    Ok(pty)
}

/// Makes the terminal the standard streams and, unless that is left to a session to come, this
/// session's own.
pub(super) fn take(pty: &Pty, later: bool) -> Result<(), Failure> {
    let slave = pty.slave.as_fd();
    if !later {
        pty::make_controlling(slave).doing("take the terminal")?;
    }
    program::set_streams([slave, slave, slave])?;
    process::close_from_on_exec(3).doing("close descriptors")
}
