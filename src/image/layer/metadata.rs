//! Owner, mode, extended attributes and times of what was unpacked, set through descriptors.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{
    self as rfs, AtFlags, Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags,
};

use super::{Refusal, system};
use crate::image::tar_reader::Entry;

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

/// Sets everything but the time. The order matters: chown(2) clears set-id bits and file
/// capabilities, chmod(2) changes the mask of an ACL.
pub(super) fn apply(fd: BorrowedFd<'_>, entry: &Entry, name: &[u8]) -> Result<(), Refusal> {
    set_owner_and_mode(fd, entry, name)?;
    for (key, value) in entry.xattrs.iter().filter(|(key, _)| is_kept(key)) {
        rfs::fsetxattr(fd, key.as_slice(), value, XattrFlags::empty())
            .map_err(|errno| system("fsetxattr", key, errno))?;
    }
    Ok(())
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
