//! What kind of file system a path or a descriptor is on.

use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::StatFs;

use super::{Error, Result};

/// The kind of a file system: `f_type` of statfs(2), with the values of `linux/magic.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystemType(pub u32);

impl FileSystemType {
    /// The Andrew File System.
    pub const AFS: Self = Self(0x5346_414f);
    /// Ceph.
    pub const CEPH: Self = Self(0x00c3_6400);
    /// Windows shares, as `cifs`.
    pub const CIFS: Self = Self(0xff53_4d42);
    /// A file system served by a process.
    pub const FUSE: Self = Self(0x6573_5546);
    /// Network File System, all versions.
    pub const NFS: Self = Self(0x6969);
    /// Pipes without a name: pipe(2).
    pub const PIPES: Self = Self(0x5049_5045);
    /// Windows shares, as `smbfs`.
    pub const SMB: Self = Self(0x517b);
    /// Windows shares, as `smb3`.
    pub const SMB2: Self = Self(0xfe53_4d42);
    /// Memory.
    pub const TMPFS: Self = Self(0x0102_1994);
    /// Plan 9, which virtual machines use for directories of their host.
    pub const V9FS: Self = Self(0x0102_1997);
}

/// The kind of the file system that `path` is on.
pub fn file_system_type(path: &Path) -> Result<FileSystemType> {
    let stat = rustix::fs::statfs(path)
        .map_err(|errno| Error::new("statfs", path.display().to_string(), errno))?;
    Ok(type_of(&stat))
}

/// Whether a descriptor is an end of a pipe that was made by pipe(2), and no file of the machine.
pub fn is_anonymous_pipe(fd: BorrowedFd<'_>) -> Result<bool> {
    let stat =
        rustix::fs::fstatfs(fd).map_err(|errno| Error::new("fstatfs", "a descriptor", errno))?;
    Ok(type_of(&stat) == FileSystemType::PIPES)
}

fn type_of(stat: &StatFs) -> FileSystemType {
    // The field is a long on most machines and the value 32 bits wide, so its sign says nothing.
    let bytes = stat.f_type.to_le_bytes();
    FileSystemType(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use rustix::fs::{Mode, OFlags};

    use super::*;

    #[test]
    fn memory_is_told_from_a_process_table() {
        assert_eq!(file_system_type(Path::new("/dev/shm")).unwrap(), FileSystemType::TMPFS);
        assert_ne!(file_system_type(Path::new("/proc")).unwrap(), FileSystemType::TMPFS);
        assert!(file_system_type(Path::new("/no/such/path")).unwrap_err().is_not_found());
    }

    #[test]
    fn a_pipe_is_told_from_one_with_a_name() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::RWXU).unwrap();
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let named = rustix::fs::open(path, flags, Mode::empty()).unwrap();
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let seen = [&read, &write, &named].map(|fd| is_anonymous_pipe(fd.as_fd()).unwrap());
        assert_eq!(seen, [true, true, false]);
    }
}
