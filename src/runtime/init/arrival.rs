//! The way into a pid namespace in which others live already.
//!
//! Whoever may trace processes there could make one that is still setting up a container do
//! anything, with all of root's capabilities and the host's file systems in its reach. So all of
//! that is done outside, and a copy comes in that has little left beyond what the program will
//! have.

use std::os::fd::BorrowedFd;

use crate::runtime::failure::{Doing, Failure};
use crate::runtime::message::Message;
use crate::sys::process::{self, Forked};
use crate::sys::{self, descriptors, pty};

/// Returns in the copy, which leads a session of its own and has nothing open but the standard
/// streams and `socket`. The process that was copied tells who the copy is, and ends. With
/// `terminal`, the standard streams are the session's terminal.
pub(super) fn enter(socket: BorrowedFd<'_>, terminal: bool) -> Result<(), Failure> {
    let [stdin, stdout, stderr] = descriptors::streams();
    descriptors::close_all_but(&[stdin, stdout, stderr, socket]).doing("close descriptors")?;
    match process::fork_sibling().doing("enter the pod's pid namespace")? {
        Forked::Child => {}
        Forked::Parent(child) => {
            // Without a monitor nobody has to know.
            Message::Entered(child.pid).send(socket, None).ok();
            process::exit_now(0)
        }
    }
    rustix::process::setsid()
        .map_err(|errno| sys::Error::new("setsid", "", errno))
        .doing("start a session")?;
    match terminal {
        true => pty::make_controlling(stdin).doing("take the terminal"),
        false => Ok(()),
    }
}
