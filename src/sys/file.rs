//! Files and directories that tank owns: made without following links, with the mode that is asked
//! for and no other, written atomically, removed without entering what is mounted among them.

use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{self as rfs, AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;

use super::{Error, Result};

fn error(call: &'static str, path: &Path, errno: Errno) -> Error {
    Error::new(call, path.display().to_string(), errno)
}

/// Makes a directory; one that is already there is left as it is.
pub fn make_dir(path: &Path, mode: u32) -> Result<()> {
    match rfs::mkdir(path, Mode::from_raw_mode(mode)) {
        Ok(()) => set_mode(open_dir(path)?.as_fd(), path, mode),
        Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(error("mkdir", path, errno)),
    }
}

/// Makes a directory and those above it that are missing, all with `mode`.
pub fn make_dirs(path: &Path, mode: u32) -> Result<()> {
    match make_dir(path, mode) {
        Err(e) if e.is_not_found() => {
            path.parent().map_or(Ok(()), |parent| make_dirs(parent, mode))?;
            make_dir(path, mode)
        }
        result => result,
    }
}

/// Gives what was just made its mode, of which the umask of whoever runs tank took some.
fn set_mode(fd: BorrowedFd<'_>, path: &Path, mode: u32) -> Result<()> {
    rfs::fchmod(fd, Mode::from_raw_mode(mode)).map_err(|errno| error("fchmod", path, errno))
}

/// Opens a directory for use as the base of `*at` calls; a link is refused.
pub fn open_dir(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    rfs::open(path, flags, Mode::empty()).map_err(|errno| error("open", path, errno))
}

/// Creates a file that must not exist yet, for writing.
pub fn create_new(path: &Path, mode: u32) -> Result<File> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDWR;
    let file = rfs::open(path, flags, Mode::from_raw_mode(mode))
        .map_err(|errno| error("open", path, errno))?;
    set_mode(file.as_fd(), path, mode)?;
    Ok(file.into())
}

/// Opens a file for reading and writing, creating it if it is missing; a link is refused.
pub fn open_or_create(path: &Path, mode: u32) -> Result<File> {
    let flags = OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDWR;
    rfs::open(path, flags, Mode::from_raw_mode(mode))
        .map(File::from)
        .map_err(|errno| error("open", path, errno))
}

/// Whether a written file must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Synchronised, with its directory, before the call returns.
    Durable,
    /// As the kernel pleases; for what a reboot discards anyway.
    Volatile,
}

/// Replaces the file `path` by one with `content`: readers see the old or the new one, whole.
pub fn replace(path: &Path, content: &[u8], mode: u32, durability: Durability) -> Result<()> {
    let io_error = |call, e: std::io::Error| Error::new(call, path.display().to_string(), e);
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let temporary = Path::new(&name);
    remove_file(temporary)?;
    let mut file = create_new(temporary, mode)?;
    let mut fill = || {
        file.write_all(content).map_err(|e| io_error("write", e))?;
        if durability == Durability::Durable {
            file.sync_all().map_err(|e| io_error("fsync", e))?;
        }
        rfs::rename(temporary, path).map_err(|errno| error("rename", path, errno))
    };
    if let Err(e) = fill() {
        // On a full disk it would be in the way of whoever removes its directory.
        let _ = rfs::unlink(temporary);
        return Err(e);
    }
    if durability == Durability::Durable {
        sync_dir(path.parent().unwrap_or(Path::new("/")))?;
    }
    Ok(())
}

/// Makes the entries of a directory durable.
pub fn sync_dir(path: &Path) -> Result<()> {
    let dir = open_dir(path)?;
    rfs::fsync(&dir).map_err(|errno| error("fsync", path, errno))
}

/// Makes everything that was written to the file system of `path` durable: syncfs(2).
pub fn sync_file_system(path: &Path) -> Result<()> {
    let dir = open_dir(path)?;
    rfs::syncfs(&dir).map_err(|errno| error("syncfs", path, errno))
}

/// Reads a regular file of at most `limit` bytes; a link at its end, a pipe, a device or a longer
/// file is refused (`ELOOP`, `EINVAL`, `EFBIG`).
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rfs::open(path, flags, Mode::empty()).map_err(|errno| error("open", path, errno))?;
    read_open_bounded(file.into(), path, limit)
}

/// As [`read_bounded`], on a file that is already open; `path` is for messages.
pub fn read_open_bounded(file: File, path: &Path, limit: u64) -> Result<Vec<u8>> {
    let stat = rfs::fstat(&file).map_err(|errno| error("fstat", path, errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(error("read", path, Errno::INVAL));
    }
    let mut content = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut content)
        .map_err(|e| Error::new("read", path.display().to_string(), e))?;
    if content.len() as u64 > limit {
        return Err(error("read", path, Errno::FBIG));
    }
    Ok(content)
}

/// Reads a file of the proc, sys or cgroup file systems as text.
pub fn read_proc(path: &str) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| Error::new("read", path, e))
}

/// Writes text to a file of the proc file system, which must be there.
pub fn write_proc(path: &Path, text: &str) -> Result<()> {
    let failed = |call, e| Error::new(call, path.display().to_string(), e);
    let file = std::fs::OpenOptions::new().write(true).open(path);
    let mut file = file.map_err(|e| failed("open", e))?;
    file.write_all(text.as_bytes()).map_err(|e| failed("write", e))
}

/// Gives the file `path` another content and keeps the file itself, for those who have it open or
/// see it through a mount. Links are not followed. Readers see the old or the new bytes, never an
/// empty file.
pub fn rewrite(path: &Path, content: &[u8]) -> Result<()> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rfs::open(path, flags, Mode::empty()).map_err(|errno| error("open", path, errno))?;
    let mut written = 0;
    while written < content.len() {
        let offset = u64::try_from(written).unwrap_or_default();
        written +=
            rustix::io::retry_on_intr(|| rustix::io::pwrite(&file, &content[written..], offset))
                .map_err(|errno| error("write", path, errno))?;
    }
    let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
    rfs::ftruncate(&file, length).map_err(|errno| error("ftruncate", path, errno))
}

/// Makes `path` a symbolic link to `target`: symlink(2). It must not be there.
pub fn link(target: &Path, path: &Path) -> Result<()> {
    rfs::symlink(target, path).map_err(|errno| error("symlink", path, errno))
}

/// Renames without replacing: fails with `EEXIST` when `to` is there.
pub fn rename_new(from: &Path, to: &Path) -> Result<()> {
    rfs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)
        .map_err(|errno| error("rename", to, errno))
}

/// Removes a file; one that is not there is fine.
pub fn remove_file(path: &Path) -> Result<()> {
    match rfs::unlink(path) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(error("unlink", path, errno)),
    }
}

/// Removes an empty directory; one that is not there is fine.
pub fn remove_dir(path: &Path) -> Result<()> {
    match rfs::rmdir(path) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(error("rmdir", path, errno)),
    }
}

/// Removes a file or a directory and everything below it, never following a link and never entering
/// a mount: what somebody mounted there is theirs, even if it is of the same file system. What is
/// not there is fine.
pub fn remove_tree(path: &Path) -> Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::PATH;
    let dir = match rfs::open(parent, flags, Mode::empty()) {
        Ok(dir) => dir,
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(error("open", parent, errno)),
    };
    remove_entry(dir.as_fd(), &entry_name(path, path.file_name())?, path)
}

/// Removes `name` from the open directory `dir` and everything below it, as [`remove_tree`] does.
pub fn remove_tree_at(dir: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
    let name = OsStr::from_bytes(name);
    let path = Path::new(name);
    remove_entry(dir, &entry_name(path, Some(name))?, path)
}

fn entry_name(path: &Path, name: Option<&OsStr>) -> Result<CString> {
    let name = name.and_then(|name| CString::new(name.as_bytes()).ok());
    name.ok_or_else(|| error("unlink", path, Errno::INVAL))
}

/// Removes `name` from `dir`; `path` is for messages.
fn remove_entry(dir: BorrowedFd<'_>, name: &CStr, path: &Path) -> Result<()> {
    if unlink_file(dir, name, path)? {
        return Ok(());
    }
    let child = open_to_remove(dir, name, path)?;
    let mut patience = PATIENCE;
    loop {
        let mut removal = Removal { top: child.as_fd(), moved: 0 };
        removal.empty(child.as_fd(), path, 0)?;
        match rfs::unlinkat(dir, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::NOTEMPTY) if removal.moved > 0 => {}
            Err(Errno::NOTEMPTY) if patience > 0 => patience -= 1,
            Err(errno) => return Err(error("rmdir", path, errno)),
        }
    }
}

/// Unlinks what is no directory; `false` if it is one.
fn unlink_file(dir: BorrowedFd<'_>, name: &CStr, path: &Path) -> Result<bool> {
    match rfs::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::ISDIR) => Ok(false),
        Err(errno) => Err(error("unlink", path, errno)),
    }
}

fn open_to_remove(dir: BorrowedFd<'_>, name: &CStr, path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    match rfs::openat2(dir, name, flags, Mode::empty(), ResolveFlags::NO_XDEV) {
        Ok(child) => Ok(child),
        // The kernel speaks of a link across devices, which tells nobody anything.
        Err(Errno::XDEV) => Err(error("rmdir", path, Errno::BUSY)),
        Err(errno) => Err(error("open", path, errno)),
    }
}

/// How deep a removal goes before it brings what is deeper up. Every level has descriptors open and
/// takes stack, and who made the tree may have made it deep to keep it from being removed.
const DEEPEST: u32 = 64;

/// How often a tree is gone through again for what was put into it meanwhile: a process that is
/// about to end may still leave its last words there.
const PATIENCE: u32 = 16;

/// A removal of what is in one directory.
struct Removal<'a> {
    top: BorrowedFd<'a>,
    /// How many directories were brought up into it; they are removed in another round.
    moved: u32,
}

impl Removal<'_> {
    fn empty(&mut self, dir: BorrowedFd<'_>, path: &Path, depth: u32) -> Result<()> {
        let mut entries =
            rfs::Dir::read_from(dir).map_err(|errno| error("getdents64", path, errno))?;
        while let Some(entry) = entries.read() {
            let entry = entry.map_err(|errno| error("getdents64", path, errno))?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                let path = path.join(OsStr::from_bytes(name.to_bytes()));
                self.remove(dir, name, &path, depth)?;
            }
        }
        Ok(())
    }

    fn remove(&mut self, dir: BorrowedFd<'_>, name: &CStr, path: &Path, depth: u32) -> Result<()> {
        if unlink_file(dir, name, path)? {
            return Ok(());
        }
        if depth >= DEEPEST {
            return self.bring_up(dir, name, path);
        }
        let child = open_to_remove(dir, name, path)?;
        self.empty(child.as_fd(), path, depth + 1)?;
        match rfs::unlinkat(dir, name, AtFlags::REMOVEDIR) {
            // What somebody put there meanwhile is for the next round.
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY) => Ok(()),
            Err(errno) => Err(error("rmdir", path, errno)),
        }
    }

    fn bring_up(&mut self, dir: BorrowedFd<'_>, name: &CStr, path: &Path) -> Result<()> {
        loop {
            self.moved += 1;
            let up = format!(".deep-{}", self.moved);
            match rfs::renameat_with(dir, name, self.top, up, RenameFlags::NOREPLACE) {
                Ok(()) | Err(Errno::NOENT) => return Ok(()),
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(error("rename", path, errno)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remove_tree_does_not_follow_links() {
        let tmp = tempfile::tempdir().unwrap();
        let outside = tmp.path().join("outside");
        make_dir(&outside, 0o700).unwrap();
        create_new(&outside.join("kept"), 0o600).unwrap();
        let tree = tmp.path().join("tree");
        make_dirs(&tree.join("a/b"), 0o700).unwrap();
        std::os::unix::fs::symlink(&outside, tree.join("a/link")).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert!(outside.join("kept").exists());
        remove_tree(&tree).unwrap();
    }

    #[test]
    fn remove_tree_does_not_enter_mounts_of_the_same_file_system() {
        let tmp = tempfile::tempdir().unwrap();
        let (theirs, tree) = (tmp.path().join("theirs"), tmp.path().join("tree"));
        make_dir(&theirs, 0o700).unwrap();
        create_new(&theirs.join("kept"), 0o600).unwrap();
        for mounted in [tree.join("a/mounted"), tree.clone()] {
            make_dirs(&mounted, 0o700).unwrap();
            rustix::mount::mount_bind(&theirs, &mounted).unwrap();
            let refused = remove_tree(&tree);
            rustix::mount::unmount(&mounted, rustix::mount::UnmountFlags::DETACH).unwrap();
            let refused = refused.unwrap_err();
            assert!(refused.is(libc::EBUSY), "{refused}");
            assert_eq!(refused.on(), mounted.to_str().unwrap());
            assert!(theirs.join("kept").exists());
        }
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
    }

    /// A container that makes a tree deeper than there are descriptors keeps nobody from deleting it.
    #[test]
    fn remove_tree_removes_trees_of_any_depth() {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let tmp = tempfile::tempdir().unwrap();
        let tree = tmp.path().join("tree");
        make_dir(&tree, 0o700).unwrap();
        let mut dir = open_dir(&tree).unwrap();
        for level in 0..2000 {
            rfs::mkdirat(&dir, "d", Mode::RWXU).unwrap();
            rfs::mkdirat(&dir, "other", Mode::RWXU).unwrap();
            let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
            rfs::openat(&dir, format!("file{level}"), flags, Mode::RUSR).unwrap();
            dir =
                rfs::openat(&dir, "d", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        }
        drop(dir);
        let limit = Rlimit { current: Some(256), maximum: getrlimit(Resource::Nofile).maximum };
        setrlimit(Resource::Nofile, limit).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
    }

    #[test]
    fn replace_shows_the_old_or_the_new_file() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("f");
        replace(&path, b"one", 0o600, Durability::Durable).unwrap();
        replace(&path, b"two", 0o600, Durability::Volatile).unwrap();
        assert_eq!(read_bounded(&path, 3).unwrap(), b"two");
        assert!(read_bounded(&path, 2).unwrap_err().is(libc::EFBIG));
    }
}
