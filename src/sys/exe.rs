//! This program's own file, in a form that nobody can write to.
//!
//! A process that is about to enter a container shows its executable there as `/proc/PID/exe`.
//! Were that the installed binary, a container's root could write to it (CVE-2019-5736). So tank
//! enters containers only from a copy of itself, seen through a read-only overlay mount that is
//! attached nowhere: the file system itself refuses writes, whatever a container may do to the
//! mount, and it costs no memory, unlike a sealed memfd.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};

use super::mount::{Attributes, FsOption};
use super::{Error, Result, file};

const SELF: &str = "/proc/self/exe";

/// This program's file, to be executed.
#[derive(Debug)]
pub struct Sealed {
    /// The file.
    pub file: OwnedFd,
    /// The mount it is seen through, if any. Closing its last descriptor takes the kernel some
    /// milliseconds, so it is handed to the process that is started, for whom nobody waits.
    pub mount: Option<OwnedFd>,
}

/// Opens this program's file for execution through a read-only view of the copy of it that
/// `directory` holds; the copy is made if it is missing or of another build.
pub fn open_sealed(directory: &Path) -> Result<Sealed> {
    let copies = directory.join("copies");
    let empty = directory.join("empty");
    let copy = ensure_copy(directory, &copies, &empty)?;
    match open_overlay(&copies, &empty, &copy) {
        Ok(sealed) => Ok(sealed),
        // No overlay on this file system (or a kernel without it): pay with memory instead.
        Err(_) => Ok(Sealed { file: open_memfd()?, mount: None }),
    }
}

fn failed(call: &'static str, path: &Path, e: impl Into<std::io::Error>) -> Error {
    Error::new(call, path.display().to_string(), e)
}

/// The copy is named by what changes when the installed binary does: its size, inode and time.
fn ensure_copy(directory: &Path, copies: &Path, empty: &Path) -> Result<PathBuf> {
    let stat = rustix::fs::stat(SELF).map_err(|errno| Error::new("stat", SELF, errno))?;
    let name = format!(
        "tank-{:x}-{:x}-{:x}.{:x}",
        stat.st_size, stat.st_ino, stat.st_mtime, stat.st_mtime_nsec
    );
    let path = copies.join(&name);
    if rustix::fs::access(&path, rustix::fs::Access::EXEC_OK).is_ok() {
        return Ok(PathBuf::from(name));
    }
    file::make_dir(directory, 0o700)?;
    file::make_dir(copies, 0o700)?;
    file::make_dir(empty, 0o700)?;
    let temporary = copies.join(format!(".{name}.{}", std::process::id()));
    file::remove_file(&temporary)?;
    let mut source = File::open(SELF).map_err(|e| Error::new("open", SELF, e))?;
    let mut target = file::create_new(&temporary, 0o500)?;
    std::io::copy(&mut source, &mut target).map_err(|e| failed("write", &temporary, e))?;
    target.sync_all().map_err(|e| failed("fsync", &temporary, e))?;
    drop(target);
    rustix::fs::rename(&temporary, &path).map_err(|errno| failed("rename", &path, errno))?;
    remove_others(copies, &name)?;
    Ok(PathBuf::from(name))
}

/// Copies of other builds are only names: processes that run from them keep the files.
fn remove_others(copies: &Path, keep: &str) -> Result<()> {
    let entries = std::fs::read_dir(copies).map_err(|e| failed("open", copies, e))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("tank-") && name != keep {
            file::remove_file(&entry.path())?;
        }
    }
    Ok(())
}

fn open_overlay(copies: &Path, empty: &Path, copy: &Path) -> Result<Sealed> {
    // Without an upper directory an overlay is read-only for good; it then wants two lower ones.
    // Descriptors keep the option short and free of characters that would need escaping.
    let copies = file::open_dir(copies)?;
    let empty = file::open_dir(empty)?;
    let lower = format!("/proc/self/fd/{}:/proc/self/fd/{}", copies.as_raw_fd(), empty.as_raw_fd());
    let attributes = Attributes::MOUNT_ATTR_RDONLY
        | Attributes::MOUNT_ATTR_NOSUID
        | Attributes::MOUNT_ATTR_NODEV;
    let mount =
        super::mount::create("overlay", &[FsOption::Value("lowerdir", &lower)], attributes)?;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(mount.as_fd(), copy, flags, Mode::empty())
        .map_err(|errno| failed("open", copy, errno))?;
    Ok(Sealed { file, mount: Some(mount) })
}

fn open_memfd() -> Result<OwnedFd> {
    let errno = |call| move |errno: rustix::io::Errno| Error::new(call, "tank", errno);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // MFD_EXEC is needed where vm.memfd_noexec is set; kernels before 6.3 do not know it.
    let memfd = rustix::fs::memfd_create("tank", flags | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create("tank", flags))
        .map_err(errno("memfd_create"))?;
    let mut source = File::open(SELF).map_err(|e| Error::new("open", SELF, e))?;
    let mut target = File::from(memfd);
    std::io::copy(&mut source, &mut target).map_err(|e| Error::new("write", "memfd", e))?;
    target.flush().map_err(|e| Error::new("write", "memfd", e))?;
    target.rewind().map_err(|e| Error::new("lseek", "memfd", e))?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&target, seals).map_err(errno("fcntl"))?;
    Ok(target.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sealed_copy_cannot_be_opened_for_writing() {
        let tmp = tempfile::tempdir().unwrap();
        let fd = open_sealed(&tmp.path().join("bin")).unwrap().file;
        let again = format!("/proc/self/fd/{}", fd.as_raw_fd());
        let refused = rustix::fs::open(again.as_str(), OFlags::WRONLY, Mode::empty()).unwrap_err();
        assert_eq!(refused, rustix::io::Errno::ROFS);
        let mine = std::fs::read(SELF).unwrap();
        assert!(std::fs::read(again).unwrap() == mine);
    }

    #[test]
    fn the_memfd_is_sealed() {
        let fd = open_memfd().unwrap();
        let mut file = File::from(fd);
        assert!(file.write_all(b"x").is_err());
    }
}
