//! A pod's sandbox: its network, IPC and UTS namespaces, pinned to files.
//!
//! There is no pause process. A child makes the namespaces, binds them to files, and ends; they
//! live for as long as the files are mounted.
//!
//! A pid namespace is the exception: it lasts no longer than its first process. Where containers
//! share one, the sandbox has that process (`first`), and a procfs that shows the namespace: one
//! can be made only from inside, and whoever sets up a container stays outside
//! (`init::arrival`).

mod first;

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::{end, observe};
use crate::model::{PodName, ProcessIdentity};
use crate::runtime::directories::Directories;
use crate::sys::file::Durability;
use crate::sys::process::{self, Namespaces};
use crate::sys::{self, file, mount, namespace, pidfd};
pub use first::{NAME, Outside, main};

/// What a sandbox is made from. It is also written beside the pins, so that one that was made for
/// an older spec is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The host name.
    pub hostname: String,
    /// Whether it has a network namespace of its own, with the loopback interface up; otherwise
    /// its containers use the host's.
    pub own_network: bool,
    /// Whether its containers share a pid namespace.
    #[serde(default)]
    pub share_pids: bool,
}

/// What is written of a sandbox.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    sandbox: Sandbox,
    /// The first process of the pid namespace that is shared.
    #[serde(default)]
    first: Option<ProcessIdentity>,
}

/// How much of a sandbox is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Absent,
    /// Not all of it, or one of another make.
    Partial,
    /// All of it.
    Complete,
}

const NAMES: [(&str, Namespaces); 4] = [
    ("net", Namespaces::NEWNET),
    ("ipc", Namespaces::NEWIPC),
    ("uts", Namespaces::NEWUTS),
    (PID, Namespaces::NEWPID),
];

/// The only one of them that a process has to live in.
const PID: &str = "pid";

/// The file system of `/proc`: `PROC_SUPER_MAGIC`.
const PROCFS: i64 = 0x9fa0;

/// How long the processes of a pid namespace whose first one was killed may take to be gone.
const REMOVAL: Duration = Duration::from_secs(10);

/// The record is short.
const MAX_RECORD: u64 = 4096;

impl Sandbox {
    fn wants(&self, name: &str) -> bool {
        match name {
            "net" => self.own_network,
            PID => self.share_pids,
            _ => true,
        }
    }

    /// Makes the pod's namespaces and pins them, replacing what is there of them. `name` shows them
    /// to others; where it fails, the sandbox is not whole.
    pub fn create(
        &self,
        directories: &Directories,
        pod: &PodName,
        outside: &Outside<'_>,
        name: impl FnOnce() -> sys::Result<()>,
    ) -> Result<()> {
        remove(directories, pod)?;
        file::make_dirs(&directories.run_pod(pod).join("ns"), 0o700)?;
        name()?;
        let mut pins = Vec::new();
        let mut kinds = Namespaces::empty();
        for (name, kind) in NAMES.into_iter().filter(|(name, _)| self.wants(name)) {
            let path = directories.namespace(pod, name);
            file::create_new(&path, 0o400)?;
            if name != PID {
                pins.push((name, path));
                kinds |= kind;
            }
        }
        process::in_child(|| {
            namespace::unshare(kinds)?;
            namespace::set_hostname(&self.hostname)?;
            if self.own_network {
                open_to_all_users()?;
                sys::link::up("lo")?;
            }
            for (name, path) in &pins {
                namespace::pin(name, path)?;
            }
            Ok::<_, sys::Error>(())
        })??;
        if !self.share_pids {
            return Ok(self.write(directories, pod, None)?);
        }
        let first = first::spawn(pod, outside)?;
        namespace::pin_of_child(first.identity.pid, PID, &directories.namespace(pod, PID))?;
        let proc = directories.pod_proc(pod);
        file::make_dir(&proc, 0o700)?;
        // Before it is let go on: whatever happens from here on, it will be found.
        self.write(directories, pod, Some(first.identity))?;
        let made = first.settle(pins.into_iter().map(|(_, path)| path).collect(), outside)?;
        Ok(mount::attach(made.as_fd(), file::open_dir(&proc)?.as_fd())?)
    }

    fn write(
        &self,
        directories: &Directories,
        pod: &PodName,
        first: Option<ProcessIdentity>,
    ) -> sys::Result<()> {
        let path = record(directories, pod);
        let bytes = serde_json::to_vec(&Record { sandbox: self.clone(), first }).map_err(|e| {
            sys::Error::new("serialize", path.display().to_string(), std::io::Error::from(e))
        })?;
        file::replace(&path, &bytes, 0o600, Durability::Volatile)
    }

    /// Says how much of the pod's sandbox is there.
    pub fn presence(&self, directories: &Directories, pod: &PodName) -> Presence {
        let pinned = |name: &str| namespace::is_pinned(&directories.namespace(pod, name));
        let complete = NAMES.iter().all(|(name, _)| pinned(name) == self.wants(name));
        if complete && self.is_recorded(directories, pod) {
            Presence::Complete
        } else if exists(directories, pod) {
            Presence::Partial
        } else {
            Presence::Absent
        }
    }

    /// Whether the record tells of such a sandbox, and of a first process that is alive, if there
    /// has to be one.
    fn is_recorded(&self, directories: &Directories, pod: &PodName) -> bool {
        let Some(record) = read(directories, pod) else { return false };
        let lives = || {
            record.first.is_some_and(observe::is_alive)
                && mount::is_on(&directories.pod_proc(pod), PROCFS)
        };
        record.sandbox == *self && (!self.share_pids || lives())
    }
}

/// Sets what a network namespace of a pod's own has no reason to keep from ordinary users, and
/// keeps interfaces that will appear in it from listening to routers: ip-sysctl.
fn open_to_all_users() -> sys::Result<()> {
    // Files of parameters are those of the namespace of whoever opens them.
    for (name, value) in [
        ("ipv4/ip_unprivileged_port_start", "0"),
        ("ipv4/ping_group_range", "0 2147483647"),
        ("ipv6/conf/default/accept_ra", "0"),
        ("ipv6/conf/default/accept_dad", "0"),
    ] {
        match file::write_proc(&Path::new("/proc/sys/net").join(name), value) {
            // A kernel without IPv6.
            Err(e) if e.is_not_found() => {}
            result => result?,
        }
    }
    Ok(())
}

fn record(directories: &Directories, pod: &PodName) -> PathBuf {
    directories.run_pod(pod).join("sandbox.json")
}

fn read(directories: &Directories, pod: &PodName) -> Option<Record> {
    let bytes = file::read_bounded(&record(directories, pod), MAX_RECORD).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whether anything of a sandbox is there.
pub fn exists(directories: &Directories, pod: &PodName) -> bool {
    directories.run_pod(pod).exists()
}

/// Unpins the pod's namespaces, ends the first process of the one that has one, with all others in
/// it, and removes their files. What is not there is fine.
pub fn remove(directories: &Directories, pod: &PodName) -> Result<()> {
    // A record without the pin is one of before a reboot.
    if namespace::is_pinned(&directories.namespace(pod, PID))
        && let Some(first) = read(directories, pod).and_then(|record| record.first)
    {
        end_namespace(first)?;
    }
    // A pin may have been bound twice when a pass was killed between two steps.
    let proc = directories.pod_proc(pod);
    while mount::is_on(&proc, PROCFS) {
        mount::unmount(&proc)?;
    }
    for (name, _) in NAMES {
        let path = directories.namespace(pod, name);
        while namespace::is_pinned(&path) {
            mount::unmount(&path)?;
        }
        file::remove_file(&path)?;
    }
    // With whatever a full disk has left of it.
    Ok(file::remove_tree(&directories.run_pod(pod))?)
}

/// Kills the first process of a pid namespace, which ends when all others there have.
fn end_namespace(first: ProcessIdentity) -> Result<()> {
    let Some(process) = end::ask(first, libc::SIGKILL)? else { return Ok(()) };
    if !pidfd::await_end(process.as_fd(), Some(REMOVAL))? {
        return Err(Error::StuckSandbox);
    }
    // It may be a child of this very process.
    process::reap(process.as_fd()).ok();
    Ok(())
}
