//! The first content of a named volume: what the image has in its place.
//!
//! Everything goes through descriptors of directories, and no link is followed: the image may hold
//! any, and so may a volume.

use std::ffi::CStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::fs::{
    self as rfs, AtFlags, Dir, FileType, FlockOperation, Gid, Mode, OFlags, RenameFlags, SeekFrom,
    Stat, Timestamps, Uid, XattrFlags,
};
use rustix::io::Errno;

use crate::runtime::in_root::Root;
use crate::runtime::volume::DATA;
use crate::sys::{Error, Result, file};

/// What the content is called until it is complete.
const UNFINISHED: &str = "unfinished";

/// How deep a tree may be. Every level has descriptors open.
const MAX_DEPTH: u32 = 256;

/// The longest list of extended attributes, and the longest value of one (xattr(7)).
const XATTR_BYTES: usize = 64 << 10;

const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::RDONLY).union(OFlags::CLOEXEC);

/// Makes sure that the volume in `directory` can be mounted at `target` below `root`. One that was
/// never mounted gets a copy of what is there.
pub(super) fn prepare(directory: &Path, root: &Root, target: &Path) -> Result<()> {
    let open = rfs::open(directory, DIRECTORY, Mode::empty());
    let volume =
        open.map_err(|errno| failed("open", directory.as_os_str().as_encoded_bytes(), errno))?;
    if is_there(volume.as_fd())? {
        return Ok(());
    }
    // Another container may be about to do the same.
    rfs::flock(&volume, FlockOperation::LockExclusive).map_err(|e| failed("flock", b"", e))?;
    if is_there(volume.as_fd())? {
        return Ok(());
    }
    file::remove_tree_at(volume.as_fd(), UNFINISHED.as_bytes())?;
    let new = make_directory(volume.as_fd(), UNFINISHED.as_bytes())?;
    match root.open_path(target, DIRECTORY & !OFlags::NOFOLLOW) {
        Ok(source) => {
            let stat = stat(source.as_fd())?;
            copy_directory(source, new.as_fd(), MAX_DEPTH)?;
            dress(new.as_fd(), &stat)?;
        }
        Err(e) if e.is_not_found() || e.is(libc::ENOTDIR) => {
            rfs::fchmod(&new, Mode::from_raw_mode(0o755)).map_err(|e| failed("fchmod", b"", e))?;
        }
        Err(e) => return Err(e),
    }
    // Nobody is to find a part of it after a power cut.
    rfs::syncfs(&new).map_err(|errno| failed("syncfs", b"", errno))?;
    rfs::renameat_with(&volume, UNFINISHED, &volume, DATA, RenameFlags::NOREPLACE)
        .map_err(|errno| failed("renameat2", DATA.as_bytes(), errno))?;
    rfs::fsync(&volume).map_err(|errno| failed("fsync", b"", errno))
}

fn failed(call: &'static str, name: &[u8], errno: Errno) -> Error {
    Error::new(call, String::from_utf8_lossy(name), errno)
}

fn is_there(volume: BorrowedFd<'_>) -> Result<bool> {
    match rfs::statat(volume, DATA, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(failed("fstatat", DATA.as_bytes(), errno)),
    }
}

fn stat(fd: BorrowedFd<'_>) -> Result<Stat> {
    rfs::fstat(fd).map_err(|errno| failed("fstat", b"", errno))
}

fn make_directory(parent: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd> {
    rfs::mkdirat(parent, name, Mode::RWXU).map_err(|errno| failed("mkdirat", name, errno))?;
    rfs::openat(parent, name, DIRECTORY, Mode::empty()).map_err(|e| failed("openat", name, e))
}

fn copy_directory(from: OwnedFd, to: BorrowedFd<'_>, depth: u32) -> Result<()> {
    let depth = depth.checked_sub(1).ok_or_else(|| failed("mkdirat", b"", Errno::NAMETOOLONG))?;
    let mut entries = Dir::read_from(&from).map_err(|errno| failed("getdents64", b"", errno))?;
    while let Some(entry) = entries.read() {
        let entry = entry.map_err(|errno| failed("getdents64", b"", errno))?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            copy_entry(from.as_fd(), to, name, depth)?;
        }
    }
    Ok(())
}

fn copy_entry(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr, depth: u32) -> Result<()> {
    let bytes = name.to_bytes();
    let failed = |call, errno| failed(call, bytes, errno);
    let stat = rfs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW);
    let stat = stat.map_err(|errno| failed("fstatat", errno))?;
    let open = |flags| rfs::openat(from, name, flags, Mode::empty());
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            let source = open(DIRECTORY).map_err(|errno| failed("openat", errno))?;
            let made = make_directory(to, bytes)?;
            copy_directory(source, made.as_fd(), depth)?;
            dress(made.as_fd(), &stat)
        }
        FileType::RegularFile => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let mut source = File::from(open(flags).map_err(|errno| failed("openat", errno))?);
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let made = rfs::openat(to, name, flags, Mode::RUSR | Mode::WUSR);
            let mut made = File::from(made.map_err(|errno| failed("openat", errno))?);
            copy_data(&mut source, &mut made)
                .map_err(|e| Error::new("copy", String::from_utf8_lossy(bytes), e))?;
            copy_attributes(source.as_fd(), made.as_fd(), &stat, bytes)
        }
        FileType::Symlink => {
            let target = rfs::readlinkat(from, name, Vec::new());
            let target = target.map_err(|errno| failed("readlinkat", errno))?;
            rfs::symlinkat(target.as_c_str(), to, name).map_err(|e| failed("symlinkat", e))?;
            let (owner, group) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
            rfs::chownat(to, name, Some(owner), Some(group), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|errno| failed("fchownat", errno))
        }
        FileType::Fifo => {
            rfs::mknodat(to, name, FileType::Fifo, Mode::RUSR, 0)
                .map_err(|errno| failed("mknodat", errno))?;
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let made = rfs::openat(to, name, flags, Mode::empty());
            dress(made.map_err(|errno| failed("openat", errno))?.as_fd(), &stat)
        }
        // Devices and sockets mean nothing without the host they were made on.
        _ => Ok(()),
    }
}

/// Copies what a file holds, and leaves its holes: lseek(2). A file may claim to be far larger than
/// the image that it came with.
fn copy_data(from: &mut File, to: &mut File) -> std::io::Result<()> {
    let length = from.metadata()?.len();
    let mut place = 0;
    while place < length {
        let start = match rfs::seek(&*from, SeekFrom::Data(place)) {
            Ok(start) => start,
            // Nothing but a hole is left.
            Err(Errno::NXIO) => break,
            Err(errno) => return Err(errno.into()),
        };
        let end = rfs::seek(&*from, SeekFrom::Hole(start))?;
        rfs::seek(&*from, SeekFrom::Start(start))?;
        rfs::seek(&*to, SeekFrom::Start(start))?;
        std::io::copy(&mut from.take(end - start), to)?;
        place = end;
    }
    to.set_len(length)
}

/// Gives what was made the attributes of what it is a copy of; file capabilities go with a change of
/// owner, and so come after it.
fn copy_attributes(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    stat: &Stat,
    name: &[u8],
) -> Result<()> {
    dress(to, stat)?;
    let mut names = Vec::with_capacity(XATTR_BYTES);
    match rfs::flistxattr(from, spare_capacity(&mut names)) {
        Ok(_) | Err(Errno::NOTSUP) => {}
        Err(errno) => return Err(failed("flistxattr", name, errno)),
    }
    let kept = |key: &&[u8]| *key == b"security.capability" || key.starts_with(b"user.");
    for key in names.split(|byte| *byte == 0).filter(kept) {
        let mut value = Vec::with_capacity(XATTR_BYTES);
        rfs::fgetxattr(from, key, spare_capacity(&mut value))
            .map_err(|errno| failed("fgetxattr", name, errno))?;
        rfs::fsetxattr(to, key, &value, XattrFlags::empty())
            .map_err(|errno| failed("fsetxattr", name, errno))?;
    }
    Ok(())
}

/// Sets owner, mode and times.
fn dress(fd: BorrowedFd<'_>, stat: &Stat) -> Result<()> {
    let (owner, group) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rfs::fchown(fd, Some(owner), Some(group)).map_err(|errno| failed("fchown", b"", errno))?;
    rfs::fchmod(fd, Mode::from_raw_mode(stat.st_mode & 0o7777))
        .map_err(|errno| failed("fchmod", b"", errno))?;
    let time = rfs::Timespec {
        tv_sec: stat.st_mtime,
        tv_nsec: stat.st_mtime_nsec.try_into().unwrap_or_default(),
    };
    rfs::futimens(fd, &Timestamps { last_access: time, last_modification: time })
        .map_err(|errno| failed("futimens", b"", errno))
}
