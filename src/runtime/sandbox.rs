//! A pod's sandbox: its network, IPC and UTS namespaces, pinned to files.
//!
//! There is no pause process. A child makes the namespaces, binds them to files, and ends; they
//! live for as long as the files are mounted.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::PodName;
use crate::runtime::directories::Directories;
use crate::sys::file::Durability;
use crate::sys::process::{self, Namespaces};
use crate::sys::{self, file, mount, namespace};

/// What a sandbox is made from. It is also written beside the pins, so that one that was made for
/// an older spec is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The host name.
    pub hostname: String,
    /// Whether it has a network namespace of its own, with the loopback interface up; otherwise
    /// its containers use the host's.
    pub own_network: bool,
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

const NAMES: [(&str, Namespaces); 3] =
    [("net", Namespaces::NEWNET), ("ipc", Namespaces::NEWIPC), ("uts", Namespaces::NEWUTS)];

/// The record is short.
const MAX_RECORD: u64 = 4096;

impl Sandbox {
    fn wants(&self, name: &str) -> bool {
        self.own_network || name != "net"
    }

    /// Makes the pod's namespaces and pins them, replacing what is there of them.
    pub fn create(&self, directories: &Directories, pod: &PodName) -> sys::Result<()> {
        remove(directories, pod)?;
        file::make_dirs(&directories.run_pod(pod).join("ns"), 0o700)?;
        let mut pins = Vec::new();
        let mut kinds = Namespaces::empty();
        for (name, kind) in NAMES.into_iter().filter(|(name, _)| self.wants(name)) {
            let path = directories.namespace(pod, name);
            file::create_new(&path, 0o400)?;
            pins.push((name, path));
            kinds |= kind;
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
            Ok(())
        })??;
        let path = record(directories, pod);
        let bytes = serde_json::to_vec(self).map_err(|e| {
            sys::Error::new("serialize", path.display().to_string(), std::io::Error::from(e))
        })?;
        file::replace(&path, &bytes, 0o600, Durability::Volatile)
    }

    /// Says how much of the pod's sandbox is there.
    pub fn presence(&self, directories: &Directories, pod: &PodName) -> Presence {
        let pinned = |name: &str| namespace::is_pinned(&directories.namespace(pod, name));
        let complete = NAMES.iter().all(|(name, _)| pinned(name) == self.wants(name));
        if complete && read(directories, pod).as_ref() == Some(self) {
            Presence::Complete
        } else if exists(directories, pod) {
            Presence::Partial
        } else {
            Presence::Absent
        }
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

fn read(directories: &Directories, pod: &PodName) -> Option<Sandbox> {
    let bytes = file::read_bounded(&record(directories, pod), MAX_RECORD).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whether anything of a sandbox is there.
pub fn exists(directories: &Directories, pod: &PodName) -> bool {
    directories.run_pod(pod).exists()
}

/// Unpins the pod's namespaces and removes their files. What is not there is fine.
pub fn remove(directories: &Directories, pod: &PodName) -> sys::Result<()> {
    for (name, _) in NAMES {
        let path = directories.namespace(pod, name);
        // A pin may have been bound twice when a pass was killed between two steps.
        while namespace::is_pinned(&path) {
            mount::unmount(&path)?;
        }
        file::remove_file(&path)?;
    }
    // With whatever a full disk has left of it.
    file::remove_tree(&directories.run_pod(pod))
}
