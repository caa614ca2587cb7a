//! Namespaces: made, joined, and pinned to files so that they outlive their processes.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::sched::CloneFlags;
use rustix::thread::ThreadNameSpaceType;

use super::process::Namespaces;
use super::{Error, Result};

/// The file systems behind `/proc/PID/ns/*` and the files that pin a namespace: `NSFS_MAGIC`.
const NSFS: i64 = 0x6e73_6673;

/// Moves the calling process into new `namespaces`: unshare(2).
#[expect(clippy::disallowed_methods, reason = "the one home of unshare")]
pub fn unshare(namespaces: Namespaces) -> Result<()> {
    nix::sched::unshare(CloneFlags::from_bits_truncate(namespaces.bits().cast_signed()))
        .map_err(|errno| Error::new("unshare", format!("{namespaces:?}"), errno))
}

/// Joins the namespace that the file `path` pins, which must be of the type `kind` unless that is
/// empty. A pid namespace is joined by the children that this process has from then on, not by
/// itself.
#[expect(clippy::disallowed_methods, reason = "the one home of setns")]
pub fn join(path: &Path, kind: Namespaces) -> Result<()> {
    let file =
        std::fs::File::open(path).map_err(|e| Error::new("open", path.display().to_string(), e))?;
    nix::sched::setns(file.as_fd(), CloneFlags::from_bits_truncate(kind.bits().cast_signed()))
        .map_err(|errno| Error::new("setns", path.display().to_string(), errno))
}

/// Joins several namespaces of the process behind `pidfd` at once. Linux 5.8 or newer.
pub fn join_process(pidfd: BorrowedFd<'_>, kinds: Namespaces) -> Result<()> {
    let kinds = ThreadNameSpaceType::from_bits_truncate(kinds.bits());
    rustix::thread::move_into_thread_name_spaces(pidfd, kinds)
        .map_err(|errno| Error::new("setns", "pidfd", errno))
}

/// Pins the calling process's namespace `name` (as in `/proc/self/ns`) to the file `path`, which
/// must exist: it lives until the file is unmounted and nobody is in it.
pub fn pin(name: &str, path: &Path) -> Result<()> {
    // A vfork child reads its own namespaces, not its parent's, through thread-self.
    super::mount::bind(&Path::new("/proc/thread-self/ns").join(name), path)
}

/// Pins the namespace `name` of the process `pid`, a child that was not reaped yet.
pub fn pin_of_child(pid: i32, name: &str, path: &Path) -> Result<()> {
    super::mount::bind(&Path::new("/proc").join(pid.to_string()).join("ns").join(name), path)
}

/// Whether the file `path` pins a namespace.
pub fn is_pinned(path: &Path) -> bool {
    super::mount::is_on(path, NSFS)
}

/// Sets the host name of the calling process's UTS namespace: sethostname(2).
pub fn set_hostname(name: &str) -> Result<()> {
    rustix::system::sethostname(name.as_bytes())
        .map_err(|errno| Error::new("sethostname", name, errno))
}
