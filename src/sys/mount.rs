//! Mounts, made detached and attached by descriptor: fsopen(2), open_tree(2), mount_setattr(2),
//! move_mount(2). A path is resolved once, by the caller, and never again.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags,
};

use super::{Error, Result};

/// Attributes of a mount, `MOUNT_ATTR_*` of mount_setattr(2).
pub use rustix::mount::MountAttrFlags as Attributes;

/// One option of a file system: a flag, or a key with a value.
#[derive(Debug, Clone, Copy)]
pub enum FsOption<'a> {
    /// `key`
    Flag(&'a str),
    /// `key=value`; values are at most 255 bytes long
    Value(&'a str, &'a str),
}

/// Makes a new file system of type `kind`, mounted nowhere yet.
pub fn create(kind: &str, options: &[FsOption<'_>], attributes: Attributes) -> Result<OwnedFd> {
    let failed = |call, errno| Error::new(call, kind, errno);
    let context = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)
        .map_err(|errno| failed("fsopen", errno))?;
    for option in options {
        match *option {
            FsOption::Flag(key) => rustix::mount::fsconfig_set_flag(&context, key),
            FsOption::Value(key, value) => rustix::mount::fsconfig_set_string(&context, key, value),
        }
        .map_err(|errno| failed("fsconfig", errno))?;
    }
    rustix::mount::fsconfig_create(&context).map_err(|errno| failed("fsconfig", errno))?;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
        .map_err(|errno| failed("fsmount", errno))
}

/// Makes a detached copy of the mount at `path` below `base`, of the mounts below it too if
/// `recursive`. An empty path is `base` itself.
pub fn copy(base: BorrowedFd<'_>, path: &Path, recursive: bool) -> Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(base, path, flags)
        .map_err(|errno| Error::new("open_tree", path.display().to_string(), errno))
}

/// Adds `attributes` to the mount behind `mount` and stops it from exchanging mounts with its
/// peers; the mounts below it too if `recursive`.
pub fn restrict(mount: BorrowedFd<'_>, attributes: Attributes, recursive: bool) -> Result<()> {
    let request = libc::mount_attr {
        attr_set: u64::from(attributes.bits()),
        attr_clr: 0,
        propagation: libc::MS_PRIVATE,
        userns_fd: 0,
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    let empty: &CStr = c"";
    // SAFETY: the path is a valid empty string and the structure is valid for the size given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            empty.as_ptr(),
            flags,
            &raw const request,
            size_of_val(&request),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(Error::new("mount_setattr", "", std::io::Error::last_os_error())),
    }
}

/// Attaches the detached `mount` on top of `target`.
pub fn attach(mount: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", target, c"", flags)
        .map_err(|errno| Error::new("move_mount", "", errno))
}

/// Mounts an overlay file system on `target` by mount(2), whose option string may be a page long;
/// fsconfig(2) would limit each value to 255 bytes.
pub fn overlay(target: &Path, options: &CStr) -> Result<()> {
    rustix::mount::mount(c"overlay", target, c"overlay", MountFlags::NODEV, options)
        .map_err(|errno| Error::new("mount", format!("overlay on {}", target.display()), errno))
}

/// Binds what is at `source` on `target`, both host paths that tank owns.
pub fn bind(source: &Path, target: &Path) -> Result<()> {
    rustix::mount::mount_bind(source, target)
        .map_err(|errno| Error::new("mount", target.display().to_string(), errno))
}

/// Cuts this mount namespace off from its peers: nothing mounted here shows elsewhere.
pub fn make_all_private() -> Result<()> {
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|errno| Error::new("mount", "/ private", errno))
}

/// Makes the directory `root`, a mount point, the root of this mount namespace and detaches the
/// old one: pivot_root(2), the `pivot_root(".", ".")` form.
pub fn pivot_root(root: BorrowedFd<'_>) -> Result<()> {
    let failed = |call, errno| Error::new(call, "/", errno);
    rustix::process::fchdir(root).map_err(|errno| failed("fchdir", errno))?;
    rustix::process::pivot_root(".", ".").map_err(|errno| failed("pivot_root", errno))?;
    // The old root now lies on top of the new one.
    rustix::mount::unmount(".", UnmountFlags::DETACH).map_err(|errno| failed("umount2", errno))?;
    rustix::process::chdir("/").map_err(|errno| failed("chdir", errno))
}

/// Leaves every file system: the root and the working directory become an empty directory that
/// nobody can write to. The process has a mount namespace of its own.
pub fn leave_all() -> Result<()> {
    make_all_private()?;
    let attributes = Attributes::MOUNT_ATTR_RDONLY
        | Attributes::MOUNT_ATTR_NOSUID
        | Attributes::MOUNT_ATTR_NODEV
        | Attributes::MOUNT_ATTR_NOEXEC;
    let empty =
        create("tmpfs", &[FsOption::Flag("ro"), FsOption::Value("mode", "555")], attributes)?;
    attach(empty.as_fd(), super::file::open_dir(Path::new("/"))?.as_fd())?;
    pivot_root(empty.as_fd())
}

/// Takes the mount off `path`; nothing mounted there is fine. Links are not followed.
pub fn unmount(path: &Path) -> Result<()> {
    match rustix::mount::unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
        Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => Ok(()),
        Err(errno) => Err(Error::new("umount2", path.display().to_string(), errno)),
    }
}

/// Whether `path` is on a file system of this type, by its magic number in statfs(2).
pub fn is_on(path: &Path, magic: i64) -> bool {
    rustix::fs::statfs(path).is_ok_and(|stat| stat.f_type == magic)
}

/// Whether `fd` is on a file system of this type, by its magic number in statfs(2).
pub fn fd_is_on(fd: impl AsFd, magic: i64) -> bool {
    rustix::fs::fstatfs(fd).is_ok_and(|stat| stat.f_type == magic)
}
