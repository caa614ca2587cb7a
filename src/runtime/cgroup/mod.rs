//! Control groups: what a container may use, and the handle by which all of it can be killed.
//!
//! cgroup v2, v1 and hybrid hosts are served by the same [`Group`]. What the host has is read
//! from `/proc/self/mountinfo` ([`Hierarchies`]); a group is then one directory in each hierarchy
//! that carries something for us, below the root of that hierarchy as it is visible here:
//!
//! | hierarchy | used for |
//! |---|---|
//! | cgroup2 (pure or beside v1) | whatever v1 does not hold; killing; waiting until it is empty |
//! | v1 `pids` `memory` `cpu` `devices` | their limits |
//! | v1 `cpuacct` | CPU time, where there is no cgroup2 to tell it |
//! | v1 `name=systemd` | leaving the login session, whose end must not kill a container |
//!
//! `cpuset`, `blkio`, `freezer` and `hugetlb` are left alone. The first directory of a group is
//! the *tracking* one: processes enter it first, and are counted and killed through it.
//!
//! # What joining costs
//!
//! Writing `cgroup.procs` makes the kernel take a lock that all forks share, and waits about
//! 10 ms for an RCU grace period; further writes right after are cheap. Two ways avoid it: being
//! born in the group ([`Group::open_for_clone`]) for cgroup2, and writing 0 to the v1 file
//! `tasks`, which moves the calling thread alone and takes no lock. [`Group::join`] does the
//! latter in a process of one thread: seven v1 hierarchies took 0.4 ms together, not 15.
//!
//! Files: cgroups(7), and in the kernel's documentation `admin-guide/cgroup-v2.rst` and
//! `admin-guide/cgroup-v1/`.

mod create;
mod device_program;
mod devices;
mod error;
mod file;
mod group;
mod hierarchy;
mod kill;
mod limits;
mod memory;
mod oci;
mod oom;
mod path;
mod read_limits;
mod remove;
mod stats;

#[cfg(test)]
mod tests;

pub use devices::{Access, DeviceKind, DeviceRule, DeviceRules};
pub use error::{Error, Note, Result};
pub use group::Group;
pub use hierarchy::{Controller, Hierarchies, Version};
pub use limits::Limits;
pub use oci::CgroupMount;
pub use oom::OomCounter;
pub use path::{GroupPath, GroupPathError};
pub use read_limits::{Limit, LimitsSeen};
pub use stats::Stats;
