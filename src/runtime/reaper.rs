//! `init = true`: a small first process that passes signals on and reaps what is orphaned.

use std::os::fd::AsFd;

use nix::sys::signal::{SigSet, Signal};

use super::credentials::Credentials;
use crate::sys::process::{self, Ended, Forked, Namespaces};
use crate::sys::signal::{Received, Signals};
use crate::sys::{self, descriptors, pidfd, poll};

/// The exit code of a container whose init could not do its work.
const TANK_FAILED: i32 = 125;

/// Forks; the child returns and becomes the program, this process stays as the container's first,
/// with nothing that the program does not have, until the child ended, and ends the way it did.
pub(super) fn become_reaper(credentials: &Credentials) -> sys::Result<()> {
    // Where the pod has one pid namespace, pid 1 is another process, and orphans would be its.
    process::adopt_orphans()?;
    let pid = match process::fork(Namespaces::empty(), None)? {
        Forked::Child => return Ok(()),
        Forked::Parent(child) => child.pid,
    };
    match reap_until(pid, credentials) {
        Ok(Ended::Exited(code)) => process::exit_now(code),
        Ok(Ended::Signaled(signal)) => process::exit_now(128 + signal),
        Err(_) => process::exit_now(TANK_FAILED),
    }
}

fn reap_until(main: i32, credentials: &Credentials) -> sys::Result<Ended> {
    // The socket to the monitor is among them: its end is what says that the program runs.
    descriptors::close_all_but(&descriptors::streams())?;
    let pidfd = pidfd::open(main)?;
    let all: Vec<Signal> = SigSet::all().iter().collect();
    let mut signals = Signals::block(&all)?;
    if credentials.confine().is_err() {
        process::exit_now(TANK_FAILED);
    }
    loop {
        while let Some((pid, ended)) = process::reap_any()? {
            if pid == main {
                return Ok(ended);
            }
        }
        poll::readable(signals.as_fd(), None)?;
        while let Some(signal) = signals.pending()? {
            if is_for_program(signal) {
                pidfd::send(&pidfd, signal.number)?;
            }
        }
    }
}

/// Whether the program does not hear of a signal by itself. The program stays in the process group
/// of its init, so that the keys and the size of a terminal reach both. When it hangs up, init alone
/// is told, for it leads the session.
fn is_for_program(signal: Received) -> bool {
    let is_of_terminal = [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGWINCH];
    let is_heard = signal.by_kernel && is_of_terminal.contains(&signal.number);
    signal.number != libc::SIGCHLD && !is_heard
}
