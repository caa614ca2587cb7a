//! What a layer leaves open for the layers below it to say.
//!
//! Some tools list only what changed: a directory that merely holds a changed file is not in the
//! layer, and a hard link may be to a file of a lower layer. overlayfs would show such a directory
//! as this layer made it, and cannot link across layers. So the directory gets the metadata that
//! the topmost lower layer has for it, and the link becomes a copy.
//!
//! A lower link in the place of a directory is replaced by it, with the metadata of the directory
//! that the link leads to: so does containerd (`mkparent` of its `archive` package).

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self as rfs, AtFlags, FileType, Mode, OFlags, SeekFrom, XattrFlags};
use rustix::io::Errno;

use super::path::EntryPath;
use super::stack::{Found, Stack};
use super::tree::{self, Tree};
use super::{Budget, Problem, Refusal, metadata, system};

/// The attribute of an empty file that stands for a hard link.
const STAND_IN: &str = "trusted.tank.link";

/// What a layer leaves open.
#[derive(Debug, Default)]
pub(in crate::image) struct Open {
    /// Directories it does not list but has something in; where they really are.
    pub(super) directories: Vec<Vec<u8>>,
    /// Hard links to what it does not have, in the order of the archive.
    pub(super) links: Vec<Link>,
    /// What the empty files that stand for them, by inode, are to be.
    pub(super) targets: BTreeMap<u64, EntryPath>,
}

/// A hard link that an empty file stands for.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) path: EntryPath,
    pub(super) inode: u64,
}

impl Open {
    /// Whether the layer is complete in itself.
    pub(in crate::image) fn is_empty(&self) -> bool {
        self.directories.is_empty() && self.links.is_empty()
    }
}

/// Completes the layer `root`, the topmost of `stack`, by what the others have.
pub(in crate::image) fn complete(
    root: OwnedFd,
    open: &Open,
    stack: &Stack,
    budget: &Budget,
) -> Result<(), Problem> {
    let tree = Tree::new(root);
    let mut made = BTreeMap::new();
    for link in &open.links {
        let failed = |refusal| Problem::Entry(link.path.as_bytes().to_vec(), refusal);
        let Some(target) = open.targets.get(&link.inode) else { continue };
        let found = stack.resolve(target).map_err(failed)?;
        let found = match found {
            Some(found) if found.kind() != FileType::Directory => found,
            Some(_) => return Err(failed(Refusal::Because("links to a directory"))),
            None => return Err(failed(Refusal::Because("links to what no layer has"))),
        };
        if !made.contains_key(&link.inode) {
            budget.charge(u64::try_from(found.stat.st_size).unwrap_or(u64::MAX))?;
        }
        self::link(&tree, link, stack, &found, &mut made).map_err(failed)?;
    }
    for path in &open.directories {
        let failed = |refusal| Problem::Entry(path.clone(), refusal);
        directory(&tree, path, stack).map_err(failed)?;
    }
    Ok(())
}

/// Gives an implied directory the metadata of the one below it.
fn directory(tree: &Tree, path: &[u8], stack: &Stack) -> Result<(), Refusal> {
    let below = match stack.below(path)? {
        Some(found) if found.kind() == FileType::Symlink => stack.follow(&found)?,
        found => found,
    };
    let Some(below) = below.filter(|found| found.kind() == FileType::Directory) else {
        return Ok(());
    };
    let fd = tree.real_directory(path)?;
    metadata::copy(stack.open(&below)?.as_fd(), fd.as_fd(), &below.stat, path)
}

/// Replaces an empty file by a copy of what it stands for. `made` has where the first name of
/// each is, for the others to be links to it.
fn link(
    tree: &Tree,
    link: &Link,
    stack: &Stack,
    found: &Found,
    made: &mut BTreeMap<u64, (OwnedFd, Vec<u8>)>,
) -> Result<(), Refusal> {
    let (parent, name) = link.path.split();
    // Another entry may have taken its place, or that of a directory above it.
    let Ok(parent) = tree.resolve(parent) else { return Ok(()) };
    match tree::status(parent.as_fd(), name)? {
        Some(stat) if stat.st_ino == link.inode => {}
        _ => return Ok(()),
    }
    let Some(file) = stand_in(parent.as_fd(), name)? else { return Ok(()) };
    if found.kind() == FileType::RegularFile {
        rfs::fremovexattr(&file, STAND_IN).map_err(|errno| system("fremovexattr", name, errno))?;
        let source = stack.open(found)?;
        copy_data(&source, &file, name)?;
        metadata::copy(source.as_fd(), file.as_fd(), &found.stat, name)?;
    } else {
        let directory = tree::open_directory(parent.as_fd(), b".")?;
        let before = rfs::fstat(&directory).map_err(|errno| system("fstat", name, errno))?;
        rfs::unlinkat(&parent, name, AtFlags::empty())
            .map_err(|errno| system("unlinkat", name, errno))?;
        match made.get(&link.inode) {
            Some((first, first_name)) => {
                rfs::linkat(first, first_name.as_slice(), &parent, name, AtFlags::empty())
                    .map_err(|errno| system("linkat", name, errno))?;
            }
            None => special(parent.as_fd(), name, stack, found)?,
        }
        metadata::set_time(directory.as_fd(), metadata::mtime(&before), name)?;
    }
    made.entry(link.inode).or_insert((parent, name.to_vec()));
    Ok(())
}

/// Marks the empty file `file`, and returns its inode. The mark tells it from a file that got the
/// same inode after it was removed.
pub(super) fn mark_stand_in(file: &OwnedFd, name: &[u8]) -> Result<u64, Refusal> {
    rfs::fsetxattr(file, STAND_IN, b"", XattrFlags::CREATE)
        .map_err(|errno| system("fsetxattr", name, errno))?;
    Ok(rfs::fstat(file).map_err(|errno| system("fstat", name, errno))?.st_ino)
}

/// Opens `name` if it is an empty file that stands for a hard link.
pub(super) fn stand_in(parent: BorrowedFd<'_>, name: &[u8]) -> Result<Option<OwnedFd>, Refusal> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let is_file = tree::status(parent, name)?
        .is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    if !is_file {
        return Ok(None);
    }
    let file = rfs::openat(parent, name, flags, Mode::empty())
        .map_err(|errno| system("openat", name, errno))?;
    match rfs::fgetxattr(&file, STAND_IN, &mut [0_u8; 1]) {
        Ok(_) => Ok(Some(file)),
        Err(Errno::NODATA) => Ok(None),
        Err(errno) => Err(system("fgetxattr", name, errno)),
    }
}

/// Makes a copy of a link or a fifo.
fn special(
    parent: BorrowedFd<'_>,
    name: &[u8],
    stack: &Stack,
    found: &Found,
) -> Result<(), Refusal> {
    match found.kind() {
        FileType::Symlink => {
            let target = stack.read_link(found)?;
            rfs::symlinkat(target, parent, name)
                .map_err(|errno| system("symlinkat", name, errno))?;
        }
        FileType::Fifo => {
            let mode = Mode::from_raw_mode(found.stat.st_mode);
            rfs::mknodat(parent, name, FileType::Fifo, mode, 0)
                .map_err(|errno| system("mknodat", name, errno))?;
        }
        _ => return Err(Refusal::Because("links to what no image has")),
    }
    metadata::copy_at(parent, name, &found.stat)
}

/// Copies a file, holes as holes.
fn copy_data(source: &OwnedFd, target: &OwnedFd, name: &[u8]) -> Result<(), Refusal> {
    let size = rfs::fstat(source).map_err(|errno| system("fstat", name, errno))?.st_size;
    let size = u64::try_from(size).unwrap_or_default();
    rfs::ftruncate(target, size).map_err(|errno| system("ftruncate", name, errno))?;
    let mut at = 0;
    while at < size {
        let from = match rfs::seek(source, SeekFrom::Data(at)) {
            Ok(from) => from,
            Err(Errno::NXIO) => break,
            Err(errno) => return Err(system("lseek", name, errno)),
        };
        let to = rfs::seek(source, SeekFrom::Hole(from))
            .map_err(|errno| system("lseek", name, errno))?;
        copy_range(source, target, from, to, name)?;
        at = to;
    }
    Ok(())
}

fn copy_range(
    source: &OwnedFd,
    target: &OwnedFd,
    from: u64,
    to: u64,
    name: &[u8],
) -> Result<(), Refusal> {
    let (mut read, mut write) = (from, from);
    while read < to {
        let length = usize::try_from(to - read).unwrap_or(usize::MAX);
        let copied =
            rfs::copy_file_range(source, Some(&mut read), target, Some(&mut write), length)
                .map_err(|errno| system("copy_file_range", name, errno))?;
        if copied == 0 {
            return Err(Refusal::Because("links to a file that became shorter"));
        }
    }
    Ok(())
}

/// Where the directories with these inodes are in `tree`.
pub(super) fn find_directories(
    tree: &Tree,
    inodes: &BTreeSet<u64>,
) -> Result<Vec<Vec<u8>>, Refusal> {
    let mut found = Vec::new();
    let mut pending = vec![Vec::new()];
    while let Some(path) = pending.pop() {
        if found.len() == inodes.len() {
            break;
        }
        let fd = tree.real_directory(&path)?;
        let stat = rfs::fstat(&fd).map_err(|errno| system("fstat", &path, errno))?;
        if inodes.contains(&stat.st_ino) {
            found.push(path.clone());
        }
        pending.extend(subdirectories(&fd, &path)?);
    }
    found.sort();
    Ok(found)
}

fn subdirectories(fd: &OwnedFd, path: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    let failed = |errno| system("getdents64", path, errno);
    let mut below = Vec::new();
    for entry in rfs::Dir::read_from(fd).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_bytes();
        let is_directory = match entry.file_type() {
            FileType::Directory => !matches!(name, b"." | b".."),
            FileType::Unknown => is_directory(fd, name)?,
            _ => false,
        };
        if is_directory {
            below.push(if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() });
        }
    }
    Ok(below)
}

fn is_directory(parent: &OwnedFd, name: &[u8]) -> Result<bool, Refusal> {
    let is_other = !matches!(name, b"." | b"..");
    Ok(is_other && tree::existing(parent.as_fd(), name)? == tree::Existing::Directory)
}
