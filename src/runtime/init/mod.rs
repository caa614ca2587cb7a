//! What runs inside the new namespaces until it becomes the container's program.
//!
//! The monitor copies itself into new mount and pid namespaces, and the copy does, in this order
//! (what differs in a pod whose containers share a pid namespace is in brackets):
//!
//! 1. die with the monitor, should it be killed before the program runs
//! 2. a session of its own
//! 3. the instance's cgroup, where it was not born in it (cgroup v1)
//! 4. the pod's network, IPC and UTS namespaces [and, for its children, the pid namespace]
//! 5. a cgroup namespace, so that its own cgroup is the root it sees
//! 6. a mount namespace that exchanges nothing with the host's
//! 7. the overlay root file system; what it has in the place of a new named volume is copied there
//! 8. `/proc` [the sandbox's], `/dev` with its devices, `/dev/pts`, `/dev/shm`, `/dev/mqueue`,
//!    `/sys`, cgroups
//! 9. `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`, and the mounts of the pod file, in order
//! 10. the terminal, if there is one, from the container's own devpts
//! 11. kernel parameters, through a private `/proc`
//! 12. `pivot_root`; the host's file systems are gone
//! 13. masked and read-only paths, the read-only root
//! 14. standard streams; the root's own null device in the place of the host's
//! 15. user and groups, from the files of the root file system
//! 16. resource limits, credentials
//! 17. the working directory, entered as that user, and checked to lie inside the root
//! 18. [a copy in the pod's pid namespace, with a session of its own, goes on: `arrival`]
//! 19. capabilities, system call filter
//! 20. every descriptor but the standard streams is closed by `execve`
//!
//! What fails is sent to the monitor as a [`Failure`]; when `execve` succeeds, the socket closes.

mod arrival;
mod copy_up;
mod devices;
mod file_systems;
mod masks;
mod null;
pub(super) mod program;
mod root;
mod terminal;

pub(super) use terminal::SIZE as TERMINAL_SIZE;

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use oci_spec::runtime::{LinuxNamespaceType, Spec};

use super::cgroup::Group;
use super::failure::{Doing, Failure};
use super::launch::Launch;
use super::message::Message;
use crate::sys::process::Namespaces;
use crate::sys::{self, mount, namespace, process};

/// What the monitor hands to its copy.
#[derive(Debug)]
pub(super) struct Init<'a> {
    /// The specification to carry out.
    pub(super) spec: &'a Spec,
    /// What is needed beyond it.
    pub(super) launch: &'a Launch,
    /// The instance's cgroup.
    pub(super) group: &'a Group,
    /// Standard input, output and error; none of them when the container has a terminal.
    pub(super) streams: Option<[OwnedFd; 3]>,
    /// Where messages go.
    pub(super) socket: BorrowedFd<'a>,
}

impl Init<'_> {
    /// Becomes the container's program, or reports why not and ends.
    pub(super) fn run(self) -> ! {
        let socket = self.socket;
        let Err(failure) = self.become_program();
        // Nobody is left to tell when the monitor is gone.
        Message::Failed(failure).send(socket, None).ok();
        process::exit_now(127)
    }

    fn become_program(mut self) -> Result<Infallible, Failure> {
        self.enter_namespaces()?;
        let oom_score = program::open_oom_score();
        let shares_pids = shares_pids(self.spec);
        let root = self.build_root()?;
        if let Some(streams) = &self.streams {
            program::set_streams([streams[0].as_fd(), streams[1].as_fd(), streams[2].as_fd()])?;
        } else {
            let pty = terminal::open(&root)?;
            Message::Terminal
                .send(self.socket, Some(pty.master.as_fd()))
                .doing("hand over the terminal")?;
            terminal::take(&pty, shares_pids)?;
        }
        self.streams = None;
        let spec = self.spec;
        self.finish_root(root)?;
        let process = spec.process().as_ref().ok_or_else(|| program::incomplete("process"))?;
        let arguments = process.args().iter().flatten().map(OsString::from).collect::<Vec<_>>();
        let program = program::Program {
            arguments: &arguments,
            process,
            seccomp: spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref()),
            user: self.launch.user.as_deref(),
            make_working_dir: self.launch.make_working_dir,
            init: self.launch.init,
            oom_score,
            enters_pid_namespace: shares_pids,
        };
        program.execute(self.socket)
    }

    /// Steps 1 to 6.
    fn enter_namespaces(&self) -> Result<(), Failure> {
        program::die_with_parent(self.socket)?;
        rustix::process::setsid()
            .map_err(|errno| sys::Error::new("setsid", "", errno))
            .doing("start a session")?;
        self.group.join().doing("join the cgroup")?;
        let linux = self.spec.linux().as_ref().ok_or_else(|| program::incomplete("linux"))?;
        for item in linux.namespaces().iter().flatten() {
            if let (Some(path), Some(kind)) = (item.path(), joinable(item.typ())) {
                namespace::join(path, kind).doing(format!("join the {} namespace", item.typ()))?;
            }
        }
        namespace::unshare(Namespaces::NEWCGROUP).doing("make a cgroup namespace")?;
        mount::make_all_private().doing("leave the host's mount propagation")
    }
}

/// Whether the pid namespace is one of the pod's.
pub(super) fn shares_pids(spec: &Spec) -> bool {
    let namespaces = spec.linux().iter().filter_map(|linux| linux.namespaces().as_ref()).flatten();
    namespaces
        .into_iter()
        .any(|item| item.typ() == LinuxNamespaceType::Pid && item.path().is_some())
}

fn joinable(kind: LinuxNamespaceType) -> Option<Namespaces> {
    match kind {
        LinuxNamespaceType::Network => Some(Namespaces::NEWNET),
        LinuxNamespaceType::Ipc => Some(Namespaces::NEWIPC),
        LinuxNamespaceType::Uts => Some(Namespaces::NEWUTS),
        LinuxNamespaceType::Pid => Some(Namespaces::NEWPID),
        _ => None,
    }
}
