//! Owner, mode, extended attributes and times of what was unpacked, set through descriptors.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::fs::{
    self as rfs, AtFlags, Gid, Mode, Stat, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags,
};

use super::{Refusal, system};
use crate::image::limits;
use crate::image::tar_reader::Entry;

/// Marks a layer that does not list its root directory. The kernel shows it to nobody in a
/// container: it is on the layer, and the root that a container sees is its own.
const UNLISTED_ROOT: &str = "trusted.tank.unlisted";

/// Whether the layer at `path` lists its root directory.
pub(in crate::image) fn lists_root(path: &Path) -> bool {
    rfs::lgetxattr(path, UNLISTED_ROOT, &mut [0_u8; 1]).is_err()
}

/// The attribute that what is made in a directory inherits; so it is set when all is made.
pub(super) const DEFAULT_ACL: &[u8] = b"system.posix_acl_default";

/// Whether an image may set the extended attribute `name`.
///
/// Kept are file capabilities, POSIX ACLs and the user's own. Dropped is what would steer the
/// overlay (`trusted.overlay.*`, `user.overlay.*`) or the host's security modules and trusted
/// services (`trusted.*`, other `security.*`).
fn is_kept(name: &[u8]) -> bool {
    match name {
        b"security.capability" | b"system.posix_acl_access" | b"system.posix_acl_default" => true,
        _ => name.starts_with(b"user.") && !name.starts_with(b"user.overlay."),
    }
}

/// Sets everything but the time and a default ACL. The order matters: chown(2) clears set-id bits and file
/// capabilities, chmod(2) changes the mask of an ACL.
pub(super) fn apply(fd: BorrowedFd<'_>, entry: &Entry, name: &[u8]) -> Result<(), Refusal> {
    set_owner_and_mode(fd, entry, name)?;
    for (key, value) in entry.xattrs.iter().filter(|(key, _)| is_kept(key) && key != DEFAULT_ACL) {
        rfs::fsetxattr(fd, key.as_slice(), value, XattrFlags::empty())
            .map_err(|errno| system("fsetxattr", key, errno))?;
    }
    Ok(())
}

/// Marks the root directory of a layer that does not say what it is to be like: a container's is
/// then that of a layer below. Its time is always the same, so that equal layers are equal.
pub(super) fn mark_unlisted(root: BorrowedFd<'_>) -> Result<(), Refusal> {
    rfs::fsetxattr(root, UNLISTED_ROOT, b"y", XattrFlags::empty())
        .map_err(|errno| system("fsetxattr", b"/", errno))?;
    set_time(root, Timespec { tv_sec: 0, tv_nsec: 0 }, b"/")
}

/// Sets the default ACL of a directory.
pub(super) fn set_default_acl(
    fd: BorrowedFd<'_>,
    value: &[u8],
    name: &[u8],
) -> Result<(), Refusal> {
    rfs::fsetxattr(fd, DEFAULT_ACL, value, XattrFlags::empty())
        .map_err(|errno| system("fsetxattr", name, errno))
}

/// Sets owner and mode only: an image may set no attribute on a fifo.
pub(super) fn set_owner_and_mode(
    fd: BorrowedFd<'_>,
    entry: &Entry,
    name: &[u8],
) -> Result<(), Refusal> {
    rfs::fchown(fd, Some(Uid::from_raw(entry.uid)), Some(Gid::from_raw(entry.gid)))
        .map_err(|errno| system("fchown", name, errno))?;
    rfs::fchmod(fd, Mode::from_raw_mode(entry.mode)).map_err(|errno| system("fchmod", name, errno))
}

/// Sets the modification time; the access time is left alone.
pub(super) fn set_time(fd: BorrowedFd<'_>, mtime: Timespec, name: &[u8]) -> Result<(), Refusal> {
    rfs::futimens(fd, &timestamps(mtime)).map_err(|errno| system("futimens", name, errno))
}

/// Sets owner and time of the symbolic link `name` itself. A link has no mode of its own, and of
/// the attributes an image may set none is allowed on one.
pub(super) fn apply_to_link(
    parent: BorrowedFd<'_>,
    entry: &Entry,
    name: &[u8],
) -> Result<(), Refusal> {
    let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
    rfs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| system("fchownat", name, errno))?;
    rfs::utimensat(parent.as_fd(), name, &timestamps(entry.mtime), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| system("utimensat", name, errno))
}

/// Gives `to` all that an image says of what is behind `from`: owner, mode, attributes and time.
pub(super) fn copy(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    stat: &Stat,
    name: &[u8],
) -> Result<(), Refusal> {
    let failed = |call, errno| system(call, name, errno);
    rfs::fchown(to, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))
        .map_err(|errno| failed("fchown", errno))?;
    rfs::fchmod(to, Mode::from_raw_mode(stat.st_mode)).map_err(|errno| failed("fchmod", errno))?;
    let mut names = Vec::with_capacity(limits::XATTR_BYTES);
    rfs::flistxattr(from, spare_capacity(&mut names))
        .map_err(|errno| failed("flistxattr", errno))?;
    let mut value = Vec::with_capacity(limits::XATTR_BYTES);
    for key in names.split(|byte| *byte == 0).filter(|key| is_kept(key)) {
        value.clear();
        rfs::fgetxattr(from, key, spare_capacity(&mut value))
            .map_err(|errno| failed("fgetxattr", errno))?;
        rfs::fsetxattr(to, key, &value, XattrFlags::empty())
            .map_err(|errno| failed("fsetxattr", errno))?;
    }
    set_time(to, mtime(stat), name)
}

/// As [`copy`], for what has no attributes, links and fifos: to `name` itself.
pub(super) fn copy_at(parent: BorrowedFd<'_>, name: &[u8], stat: &Stat) -> Result<(), Refusal> {
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rfs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| system("fchownat", name, errno))?;
    rfs::utimensat(parent, name, &timestamps(mtime(stat)), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| system("utimensat", name, errno))
}

/// The modification time.
pub(super) fn mtime(stat: &Stat) -> Timespec {
    let tv_nsec = stat.st_mtime_nsec.try_into().unwrap_or_default();
    Timespec { tv_sec: stat.st_mtime, tv_nsec }
}

fn timestamps(mtime: Timespec) -> Timestamps {
    let last_access = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    Timestamps { last_access, last_modification: mtime }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_steer_the_host_are_dropped() {
        for kept in ["security.capability", "user.x", "system.posix_acl_access"] {
            assert!(is_kept(kept.as_bytes()), "{kept}");
        }
        for dropped in [
            "trusted.overlay.opaque",
            "trusted.overlay.redirect",
            "user.overlay.whiteout",
            "trusted.x",
            "security.selinux",
            "security.ima",
            "system.other",
        ] {
            assert!(!is_kept(dropped.as_bytes()), "{dropped}");
        }
    }
}
