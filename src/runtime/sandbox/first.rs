//! The first process of the pid namespace that a pod's containers share.
//!
//! It does nothing: orphans are reaped by the kernel, which also keeps signals from inside the
//! namespace away from its pid 1. But the containers see it, and one that may trace can look into
//! it and make it do anything. So nothing can be had from it: no file system, no descriptor, no
//! namespace that is the host's, except the network where the pod has that anyway, no capability,
//! and no system call but to go on waiting. Its program is the read-only copy.
//!
//! It is tank itself, executed as `tank-sandbox POD`. Its descriptors are 3, the socket to the
//! command that makes the sandbox, and 4, the mount that the copy is seen through. It takes one
//! message, the [`Order`], which it gets when its identity is written down, and answers with
//! [`Message::Started`] and a procfs of its namespace. It dies with the command until then.

use std::convert::Infallible;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;

use oci_spec::runtime::{LinuxSeccompAction, LinuxSeccompBuilder, LinuxSyscallBuilder};
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::model::{PodName, ProcessIdentity};
use crate::runtime::cgroup::{Group, GroupPath, Hierarchies};
use crate::runtime::failure::{Doing, Failure};
use crate::runtime::init::program;
use crate::runtime::message::Message;
use crate::runtime::seccomp;
use crate::sys::exe::Sealed;
use crate::sys::mount::{self, Attributes};
use crate::sys::process::{self, Namespaces, Program};
use crate::sys::{self, credentials, descriptors, memory, namespace, signal, socket};

/// The name it is executed under, which is also how `main` recognises the role.
pub const NAME: &str = "tank-sandbox";

/// The descriptor of the socket to the command.
const SOCKET: i32 = 3;
/// The mount that the program is seen through, where there is one; it is closed here.
const MOUNT: i32 = 4;

/// What it still does: send its answer, close everything, wait, and end.
const CALLS: [&str; 8] = [
    "sendmsg",
    "close_range",
    "pause",
    "ppoll",
    "restart_syscall",
    "rt_sigreturn",
    "exit",
    "exit_group",
];

/// What the first process, which stays outside of the containers, is made of.
#[derive(Debug, Clone, Copy)]
pub struct Outside<'a> {
    /// The program it runs from.
    pub executable: &'a Sealed,
    /// The cgroup of all monitors, which is there.
    pub cgroup: &'a Group,
}

/// Where it has to go.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    /// The files that pin the pod's other namespaces.
    namespaces: Vec<PathBuf>,
    /// The cgroup of all monitors.
    cgroup: String,
}

/// A first process that waits for its order.
#[derive(Debug)]
pub(super) struct First {
    /// Who it is.
    pub(super) identity: ProcessIdentity,
    socket: OwnedFd,
}

/// Makes a pid namespace with its first process, which ends if this process does or drops it.
pub(super) fn spawn(pod: &PodName, outside: &Outside<'_>) -> Result<First, Failure> {
    let doing = "start the first process of the pod's pid namespace";
    let (ours, theirs) = socket::pair().doing(doing)?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| sys::Error::new("open", "/dev/null", errno))
        .doing(doing)?;
    let cgroup = outside.cgroup.open_for_clone().doing(doing)?;
    let arguments = [NAME, pod.as_str()].map(CString::new).into_iter().flatten();
    let null = null.as_fd();
    let mut descriptors = vec![null, null, null, theirs.as_fd()];
    descriptors.extend(outside.executable.mount.as_ref().map(AsFd::as_fd));
    let program = Program {
        file: outside.executable.file.as_fd(),
        arguments: &arguments.collect::<Vec<_>>(),
        environment: &[],
        descriptors: &descriptors,
        cgroup: cgroup.as_ref().map(AsFd::as_fd),
        new_session: true,
    };
    let pid = process::spawn_in(Namespaces::NEWPID | Namespaces::NEWNS, &program).doing(doing)?;
    let start_time = process::start_time_of_child(pid).ok_or_else(died)?;
    Ok(First { identity: ProcessIdentity { pid, start_time }, socket: ours })
}

impl First {
    /// Tells it where to go, and waits until it is there and will outlive this process. Returns a
    /// procfs of its namespace that is mounted nowhere yet.
    pub(super) fn settle(
        self,
        namespaces: Vec<PathBuf>,
        outside: &Outside<'_>,
    ) -> Result<OwnedFd, Failure> {
        let doing = "hear from the first process of the pod's pid namespace";
        let cgroup = outside.cgroup.path().as_str().to_owned();
        let order = serde_json::to_vec(&Order { namespaces, cgroup })
            .map_err(|e| sys::Error::new("serialize", "order", std::io::Error::from(e)))
            .doing(doing)?;
        socket::send(self.socket.as_fd(), &order, &[]).doing(doing)?;
        match Message::receive(self.socket.as_fd()).doing(doing)? {
            Some((Message::Started, Some(proc))) => Ok(proc),
            Some((Message::Failed(failure), _)) => Err(failure),
            _ => Err(died()),
        }
    }
}

fn died() -> Failure {
    let cause = sys::Error::new("recvmsg", NAME, rustix::io::Errno::CONNRESET);
    Failure::new("hear from the first process of the pod's pid namespace", &cause)
}

/// Runs it; the return value is that of the process.
pub fn main() -> ExitCode {
    let Ok(socket) = process::inherited(SOCKET) else { return ExitCode::from(2) };
    // Where the program is seen through a mount, the mount comes along to be closed here.
    drop(process::inherited(MOUNT));
    let Err(failure) = settle(socket.as_fd());
    Message::Failed(failure).send(socket.as_fd(), None).ok();
    ExitCode::FAILURE
}

fn settle(socket: BorrowedFd<'_>) -> Result<Infallible, Failure> {
    program::die_with_parent(socket)?;
    rustix::thread::set_name(c"tank-sandbox").ok();
    let (bytes, _) = socket::receive(socket).doing("wait for the order")?;
    let order: Order = serde_json::from_slice(&bytes)
        .map_err(|e| sys::Error::new("parse", "order", std::io::Error::from(e)))
        .doing("read the order")?;

    memory::outlive_others();
    let cgroup: GroupPath = order.cgroup.parse().doing("name the cgroup")?;
    let hierarchies = Hierarchies::detect().doing("find the cgroups")?;
    hierarchies.group(&cgroup).join().doing("join the monitors' cgroup")?;
    namespace::unshare(Namespaces::NEWCGROUP).doing("make a cgroup namespace")?;
    for path in &order.namespaces {
        namespace::join(path, Namespaces::empty()).doing("join the pod's namespaces")?;
    }
    let attributes = Attributes::MOUNT_ATTR_NOSUID
        | Attributes::MOUNT_ATTR_NODEV
        | Attributes::MOUNT_ATTR_NOEXEC;
    let proc = mount::create("proc", &[], attributes).doing("make a procfs")?;
    // Signals act as they do by default, which inside a pid namespace they do not on its pid 1.
    credentials::reset_signals().doing("reset signals")?;
    signal::ignore_children().doing("leave orphans to the kernel")?;
    let answer = serde_json::to_vec(&Message::Started)
        .map_err(|e| sys::Error::new("serialize", "answer", std::io::Error::from(e)))
        .doing("answer")?;
    let filter = filter()?;
    memory::release_idle();
    // From here on there is no /proc, and once it is confined it cannot ask for memory.
    mount::leave_all().doing("leave the host's file systems")?;
    program::live_without_parent()?;
    confine(&filter).doing("give up what nobody may have")?;
    socket::send(socket, &answer, &[proc.as_fd()]).doing("answer")?;
    descriptors::close_all_but(&[]).doing("close descriptors")?;
    signal::wait_for_ever()
}

/// Gives up every capability and every system call that the filter does not let through.
fn confine(filter: &seccomp::Program) -> sys::Result<()> {
    credentials::set_undumpable()?;
    credentials::set_capabilities(0, 0)?;
    credentials::set_no_new_privileges()?;
    sys::seccomp::install(&filter.instructions, filter.flags)
}

/// Lets [`CALLS`] through and nothing else.
fn filter() -> Result<seccomp::Program, Failure> {
    let doing = "compile the system call filter";
    let allowed = LinuxSyscallBuilder::default()
        .names(CALLS.map(str::to_owned))
        .action(LinuxSeccompAction::ScmpActAllow)
        .build()
        .doing(doing)?;
    let profile = LinuxSeccompBuilder::default()
        .default_action(LinuxSeccompAction::ScmpActErrno)
        .syscalls(vec![allowed])
        .build()
        .doing(doing)?;
    seccomp::compile(&profile).doing(doing)
}
