//! What can go wrong with a group, and what is only worth a note.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::{Controller, GroupPath, GroupPathError};
use crate::model::Bytes;
use crate::sys;

/// Why something could not be done to a group.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No file system of type cgroup or cgroup2 is mounted.
    #[error("cannot find a mounted cgroup hierarchy")]
    NoHierarchy,
    /// A file or directory of a hierarchy could not be used.
    #[error("cannot {verb} {}", path.display())]
    File {
        /// What was tried: open, read, create, remove, watch.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The kernel refused a value.
    #[error("cannot write \"{value}\" to {}", path.display())]
    Write {
        /// What was written.
        value: String,
        /// To which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A limit was asked for that needs a controller which this host does not offer.
    #[error("cannot set the {0} limit: the host offers no {0} controller here")]
    NoController(Controller),
    /// A group with processes cannot hand controllers to its children: cgroups(7), "no internal
    /// processes". Happens at the top of a delegated tree, such as another container's.
    #[error(
        "cannot enable the {controller} controller below {}: processes live directly in it",
        directory.display()
    )]
    InternalProcesses {
        /// The controller.
        controller: Controller,
        /// The group with processes of its own.
        directory: PathBuf,
    },
    /// The group to be made is there, with processes in it.
    #[error("cannot create cgroup {0}: it exists and has processes")]
    NotEmpty(GroupPath),
    /// The group uses more memory than the new limit, and the kernel could not reclaim the rest.
    #[error("cannot limit the memory of cgroup {group} to {} bytes: it uses more", limit.0)]
    MemoryInUse {
        /// The group.
        group: GroupPath,
        /// The limit that was asked for.
        limit: Bytes,
    },
    /// Processes were killed and have not ended by the deadline.
    #[error("cannot remove cgroup {group}: {}", describe(processes, *uninterruptible))]
    Stuck {
        /// The group.
        group: GroupPath,
        /// The processes that are left; none if the kernel itself still holds the group.
        processes: Vec<i32>,
        /// Whether one of them is in uninterruptible sleep (a dead NFS server, a broken disk).
        uninterruptible: bool,
    },
    /// A name that is not fit for a group.
    #[error(transparent)]
    Path(#[from] GroupPathError),
    /// Another system call failed.
    #[error(transparent)]
    System(#[from] sys::Error),
}

/// What a function of this module returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(super) fn file(verb: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::File { verb, path: path.to_owned(), source: source.into() }
    }

    /// The error number of the call that failed, if one did.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::File { source, .. } | Self::Write { source, .. } => source.raw_os_error(),
            Self::System(error) => Some(error.errno()),
            _ => None,
        }
    }

    pub(super) fn is(&self, errno: i32) -> bool {
        self.errno() == Some(errno)
    }

    /// Whether the group is gone. A file of a removed group that is still open reads `ENODEV`.
    pub(super) fn is_gone(&self) -> bool {
        self.is(libc::ENOENT) || self.is(libc::ENODEV)
    }
}

fn describe(processes: &[i32], uninterruptible: bool) -> String {
    let [first, others @ ..] = processes else {
        return "the kernel still holds it".to_owned();
    };
    let who = match others.len() {
        0 => format!("process {first} has not ended"),
        more => format!("process {first} and {more} more have not ended"),
    };
    if uninterruptible { format!("{who} (stuck in uninterruptible sleep)") } else { who }
}

/// Something harmless that the host does not offer: tank carries on and says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// No limit needs it, but use is not accounted for and cannot be limited later.
    NoController(Controller),
    /// Memory is limited, swap is not: the kernel does not account for it.
    SwapNotLimited,
    /// Access to devices is not filtered; without the capability MKNOD no device can be made.
    DevicesNotFiltered(sys::Error),
    /// The host has neither the v1 devices controller nor cgroup2.
    NoDeviceFilter,
    /// A device that tank itself may not use cannot be allowed to a container.
    DeviceForbidden(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoController(controller) => {
                write!(f, "the host offers no {controller} controller")
            }
            Self::SwapNotLimited => {
                f.write_str("swap is not limited: the kernel does not count it")
            }
            Self::DevicesNotFiltered(error) => write!(f, "devices are not filtered: {error}"),
            Self::NoDeviceFilter => f.write_str("devices are not filtered: the host cannot"),
            Self::DeviceForbidden(rule) => write!(f, "the host forbids device \"{rule}\""),
        }
    }
}
