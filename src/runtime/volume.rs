//! Named volumes: directories that outlive the pods that mount them.
//!
//! A volume is `ROOT/volumes/<name>`. What it holds is in [`DATA`] there, which appears in one
//! piece: init makes it under another name, with what the image has in its place, and renames it.
//! A volume without it is one that was never mounted.

use std::fs::{self, DirEntry, File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use jiff::Timestamp;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};

use crate::model::VolumeName;
use crate::runtime::directories::Directories;
use crate::sys::{self, file, random};

/// The directory in a volume's that is mounted.
pub const DATA: &str = "data";

/// How the directories of volumes begin that were removed.
const REMOVED: &str = ".removed-";

/// The right to make volumes, or to remove them: whoever starts a container must not find one that
/// is gone a moment later.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits until nobody removes volumes.
    pub fn to_make(directories: &Directories) -> sys::Result<Self> {
        let lock = open_all(directories)?;
        sys::lock::shared(&lock)?;
        Ok(Self { _lock: lock })
    }

    /// Waits until nobody makes volumes, nor removes them.
    pub fn to_remove(directories: &Directories) -> sys::Result<Self> {
        let lock = open_all(directories)?;
        sys::lock::exclusive(&lock)?;
        Ok(Self { _lock: lock })
    }

    /// Makes a volume, if it is not there.
    pub fn make(&self, directories: &Directories, name: &VolumeName) -> sys::Result<()> {
        file::make_dirs(&directories.volume(name), 0o700)
    }

    /// Takes a volume away, in one moment; what it held is still on the disk until [`sweep`].
    pub fn detach(&self, directories: &Directories, name: &VolumeName) -> sys::Result<()> {
        let away = format!("{REMOVED}{:016x}", random::bits()?);
        let (from, to) = (directories.volume(name), directories.volumes().join(away));
        fs::rename(&from, &to).map_err(|e| failed("rename", &from, e))
    }
}

/// The directory of all volumes, made if it is missing.
fn open_all(directories: &Directories) -> sys::Result<File> {
    let path = directories.volumes();
    file::make_dirs(&path, 0o700)?;
    File::open(&path).map_err(|e| failed("open", &path, e))
}

/// What is known of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: VolumeName,
    /// When it was first mounted, or else made; `None` where the host cannot say.
    pub created_at: Option<Timestamp>,
    /// Whether it holds nothing.
    pub empty: bool,
}

/// How much a volume holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Content {
    /// Files, directories and all else.
    pub entries: u64,
    /// The bytes that they take up on the disk.
    pub bytes: u64,
}

/// All volumes, by name.
pub fn list(directories: &Directories) -> sys::Result<Vec<Volume>> {
    let path = directories.volumes();
    let mut volumes = Vec::new();
    for entry in entries(&path)? {
        let name = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(name) = name {
            volumes.extend(look(directories, name)?);
        }
    }
    volumes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(volumes)
}

/// One volume, if it is there.
pub fn look(directories: &Directories, name: VolumeName) -> sys::Result<Option<Volume>> {
    let path = directories.volume(&name);
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return Ok(None),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed("stat", &path, e)),
    };
    let empty = entries(&path.join(DATA))?.next().transpose()?.is_none();
    Ok(Some(Volume { name, created_at: created_at(&metadata), empty }))
}

/// Nothing is made in a volume's own directory after its first mount.
fn created_at(metadata: &Metadata) -> Option<Timestamp> {
    metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok())
}

/// How deep and how much is counted. Who writes into a volume decides what is there.
const MAX_DEPTH: u32 = 200;
const MAX_ENTRIES: u64 = 1_000_000;

/// Counts what a volume holds, up to a million entries. What goes meanwhile is not counted, and no
/// link is followed.
pub fn measure(directories: &Directories, name: &VolumeName) -> sys::Result<Content> {
    let path = directories.volume(name).join(DATA);
    let mut content = Content::default();
    match file::open_dir(&path) {
        Ok(directory) => count(directory, MAX_DEPTH, &mut content)
            .map_err(|errno| failed("getdents64", &path, errno.into()))?,
        Err(e) if e.is_not_found() => {}
        Err(e) => return Err(e),
    }
    Ok(content)
}

fn count(directory: OwnedFd, depth: u32, content: &mut Content) -> rustix::io::Result<()> {
    let mut entries = Dir::read_from(&directory)?;
    while let Some(entry) = entries.read() {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." || content.entries >= MAX_ENTRIES {
            continue;
        }
        let Ok(stat) = statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        content.entries += 1;
        content.bytes += u64::try_from(stat.st_blocks).unwrap_or_default() * 512;
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if let (true, Some(depth)) = (is_directory, depth.checked_sub(1))
            && let Ok(inner) = openat(&directory, name, flags, Mode::empty())
        {
            count(inner, depth, content)?;
        }
    }
    Ok(())
}

/// Removes what volumes held that were taken away.
pub fn sweep(directories: &Directories) -> sys::Result<()> {
    let mut result = Ok(());
    for entry in entries(&directories.volumes())? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(REMOVED.as_bytes()) {
            result = file::remove_tree(&entry.path()).and(result);
        }
    }
    result
}

/// The entries of a directory; none if it is not there. What cannot be read is no empty directory.
fn entries(path: &Path) -> sys::Result<impl Iterator<Item = sys::Result<DirEntry>>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => Some(entries),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(failed("open", path, e)),
    };
    let unread = |e| failed("getdents64", path, e);
    Ok(entries.into_iter().flatten().map(move |entry| entry.map_err(unread)))
}

fn failed(call: &'static str, path: &Path, error: io::Error) -> sys::Error {
    sys::Error::new(call, path.display().to_string(), error)
}
