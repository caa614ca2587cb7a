//! Where images are kept: `ROOT/blobs` and `ROOT/layers`.
//!
//! A layer is unpacked into `layers/.tmp-<random>`, made durable with syncfs(2), and only then
//! renamed to its diff id: a directory with a diff id for its name is complete. Whether it is
//! *ready* is for the database to say, in a transaction after the rename. A directory that the
//! database does not know is what a crash left between the two; it is removed and made anew.
//!
//! That argument needs everyone who adds or removes layers to take turns. The turn is an
//! exclusive flock(2) on `layers/.lock`, and [`Exclusive`] is the proof of having it: take it,
//! [`load`](fn@super::load), record the result in the database, then drop it.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{self as rfs, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::model::Digest;
use crate::sys::file::{self, Durability};
use crate::sys::{self, Result};

const TEMPORARY: &str = ".tmp-";
const LOCK: &str = ".lock";

/// The directories of blobs and layers below a root.
#[derive(Debug)]
pub struct ImageDirs {
    blobs: PathBuf,
    layers: PathBuf,
}

impl ImageDirs {
    /// The directories below `root`. They are made when something is first kept in them.
    pub fn below(root: &Path) -> Self {
        Self { blobs: root.join("blobs/sha256"), layers: root.join("layers") }
    }

    /// Makes the directories that are missing, and opens the file whose lock is the turn. Nobody
    /// but root may enter them: layers hold set-id programs.
    fn open_lock(&self) -> Result<(PathBuf, File)> {
        file::make_dirs(&self.blobs, 0o700)?;
        file::make_dirs(&self.layers, 0o700)?;
        let path = self.layers.join(LOCK);
        let lock = file::open_or_create(&path, 0o600)?;
        Ok((path, lock))
    }

    /// The directory of a layer, `ROOT/layers/<hex>`, whether it exists or not.
    pub fn layer_path(&self, diff_id: &Digest) -> PathBuf {
        self.layers.join(diff_id.hex())
    }

    /// The file of a manifest or a config, `ROOT/blobs/sha256/<hex>`, whether it exists or not.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.hex())
    }

    /// Whether the directory of a layer exists.
    pub fn has_layer(&self, diff_id: &Digest) -> bool {
        rfs::lstat(self.layer_path(diff_id))
            .is_ok_and(|stat| rfs::FileType::from_raw_mode(stat.st_mode).is_dir())
    }

    /// Waits for the turn to change what is kept.
    pub fn exclusive(&self) -> Result<Exclusive<'_>> {
        let (path, lock) = self.open_lock()?;
        loop {
            match rfs::flock(&lock, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(Exclusive { dirs: self, _lock: lock }),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(error("flock", &path, errno)),
            }
        }
    }

    /// Takes the turn if nobody has it; `None` if somebody does.
    pub fn try_exclusive(&self) -> Result<Option<Exclusive<'_>>> {
        let (path, lock) = self.open_lock()?;
        match rfs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Exclusive { dirs: self, _lock: lock })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(error("flock", &path, errno)),
        }
    }
}

/// The turn to change what is kept; it ends when this is dropped.
#[derive(Debug)]
pub struct Exclusive<'a> {
    dirs: &'a ImageDirs,
    _lock: File,
}

/// How many things [`Exclusive::sweep`] removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Directories of layers, finished or not.
    pub layers: usize,
    /// Blobs, finished or not.
    pub blobs: usize,
}

impl Exclusive<'_> {
    /// The directories.
    pub fn dirs(&self) -> &ImageDirs {
        self.dirs
    }

    /// Removes a layer; one that is not there is fine. It loses its name first, so that being
    /// killed meanwhile leaves nothing that looks complete.
    pub fn remove_layer(&self, diff_id: &Digest) -> Result<()> {
        let path = self.dirs.layer_path(diff_id);
        let aside = self.temporary_path()?;
        match rfs::rename(&path, &aside) {
            Ok(()) => file::remove_tree(&aside),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(error("rename", &path, errno)),
        }
    }

    /// Removes a blob; one that is not there is fine.
    pub fn remove_blob(&self, digest: &Digest) -> Result<()> {
        file::remove_file(&self.dirs.blob_path(digest))
    }

    /// Removes what a crash left: temporary directories and files, and the layers and blobs that
    /// are not to be kept. Names that tank does not give are left alone.
    pub fn sweep(&self, layers: &BTreeSet<Digest>, blobs: &BTreeSet<Digest>) -> Result<Swept> {
        let mut swept = Swept::default();
        for name in names(&self.dirs.layers)? {
            if name.starts_with(TEMPORARY) {
                file::remove_tree(&self.dirs.layers.join(name))?;
            } else if let Some(diff_id) = digest(&name).filter(|id| !layers.contains(id)) {
                self.remove_layer(&diff_id)?;
            } else {
                continue;
            }
            swept.layers += 1;
        }
        for name in names(&self.dirs.blobs)? {
            let stem = name.strip_suffix(".tmp");
            let is_kept = digest(stem.unwrap_or(&name))
                .is_none_or(|digest| stem.is_none() && blobs.contains(&digest));
            if !is_kept {
                file::remove_file(&self.dirs.blobs.join(name))?;
                swept.blobs += 1;
            }
        }
        Ok(swept)
    }

    /// Stores a manifest or a config, durably.
    pub(super) fn write_blob(&self, digest: &Digest, content: &[u8]) -> Result<()> {
        file::replace(&self.dirs.blob_path(digest), content, 0o600, Durability::Durable)
    }

    /// A file without a name, for the content of a compressed archive.
    pub(super) fn scratch_file(&self) -> Result<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        rfs::open(&self.dirs.layers, flags, Mode::RUSR | Mode::WUSR)
            .map(File::from)
            .map_err(|errno| error("open", &self.dirs.layers, errno))
    }

    /// A new directory to unpack a layer into.
    pub(super) fn new_layer(&self) -> Result<NewLayer> {
        let path = self.temporary_path()?;
        rfs::mkdir(&path, Mode::RWXU).map_err(|errno| error("mkdir", &path, errno))?;
        Ok(NewLayer { path })
    }

    /// Makes layers durable and gives them their names.
    pub(super) fn publish(&self, layers: Vec<(Digest, NewLayer)>) -> Result<()> {
        if layers.is_empty() {
            return Ok(());
        }
        file::sync_file_system(&self.dirs.layers)?;
        for (diff_id, layer) in layers {
            // Whatever has the name is not ready, or this layer would not have been unpacked.
            self.remove_layer(&diff_id)?;
            file::rename_new(&layer.path, &self.dirs.layer_path(&diff_id))?;
        }
        file::sync_dir(&self.dirs.layers)
    }

    fn temporary_path(&self) -> Result<PathBuf> {
        let mut bits = [0; 8];
        let mut filled = 0;
        while filled < bits.len() {
            match rustix::rand::getrandom(
                &mut bits[filled..],
                rustix::rand::GetRandomFlags::empty(),
            ) {
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(sys::Error::new("getrandom", "", errno)),
            }
        }
        Ok(self.dirs.layers.join(format!("{TEMPORARY}{:016x}", u64::from_ne_bytes(bits))))
    }
}

/// A layer that is being unpacked. What is dropped unpublished is removed.
#[derive(Debug)]
pub(super) struct NewLayer {
    path: PathBuf,
}

impl NewLayer {
    pub(super) fn open(&self) -> Result<OwnedFd> {
        file::open_dir(&self.path)
    }
}

impl Drop for NewLayer {
    fn drop(&mut self) {
        // After publishing there is nothing of this name; what fails to go now, a sweep removes.
        let _ = file::remove_tree(&self.path);
    }
}

fn digest(hex: &str) -> Option<Digest> {
    format!("sha256:{hex}").parse().ok()
}

/// The names in a directory; those that are not UTF-8 are not tank's.
fn names(path: &Path) -> Result<Vec<String>> {
    let dir = file::open_dir(path)?;
    let entries = rfs::Dir::new(dir).map_err(|errno| error("getdents64", path, errno))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|errno| error("getdents64", path, errno))?;
        if let Ok(name) = entry.file_name().to_str() {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn error(call: &'static str, path: &Path, errno: Errno) -> sys::Error {
    sys::Error::new(call, path.display().to_string(), errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> Digest {
        digest(&digit.to_string().repeat(64)).unwrap()
    }

    #[test]
    fn a_sweep_removes_only_what_is_ours_and_unknown() {
        let tmp = tempfile::tempdir().unwrap();
        let dirs = ImageDirs::below(tmp.path());
        let exclusive = dirs.exclusive().unwrap();
        for digit in ['a', 'b'] {
            exclusive.publish(vec![(id(digit), exclusive.new_layer().unwrap())]).unwrap();
            exclusive.write_blob(&id(digit), b"x").unwrap();
        }
        std::mem::forget(exclusive.new_layer().unwrap());
        let unfinished = dirs.blob_path(&id('a')).with_added_extension("tmp");
        file::create_new(&unfinished, 0o600).unwrap();
        file::make_dir(&tmp.path().join("layers/mine"), 0o700).unwrap();
        let keep = BTreeSet::from([id('a')]);
        assert_eq!(exclusive.sweep(&keep, &keep).unwrap(), Swept { layers: 2, blobs: 2 });
        let mut left = names(&tmp.path().join("layers")).unwrap();
        left.sort();
        assert_eq!(left, [".", "..", ".lock", id('a').hex(), "mine"]);
        assert!(dirs.blob_path(&id('a')).exists());
        assert_eq!(exclusive.sweep(&keep, &keep).unwrap(), Swept::default());
    }

    #[test]
    fn only_one_has_the_turn() {
        let tmp = tempfile::tempdir().unwrap();
        let dirs = ImageDirs::below(tmp.path());
        let exclusive = dirs.exclusive().unwrap();
        assert!(dirs.try_exclusive().unwrap().is_none());
        drop(exclusive);
        assert!(dirs.try_exclusive().unwrap().is_some());
    }

    #[test]
    fn publishing_replaces_what_a_crash_left() {
        let tmp = tempfile::tempdir().unwrap();
        let dirs = ImageDirs::below(tmp.path());
        let exclusive = dirs.exclusive().unwrap();
        file::make_dirs(&dirs.layer_path(&id('a')).join("left/over"), 0o700).unwrap();
        exclusive.publish(vec![(id('a'), exclusive.new_layer().unwrap())]).unwrap();
        assert_eq!(names(&dirs.layer_path(&id('a'))).unwrap().len(), 2);
    }
}
