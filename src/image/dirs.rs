//! Where images are kept: `ROOT/blobs` and `ROOT/layers`.
//!
//! A layer is unpacked into `layers/.pull-<hex of its blob>` by whoever has the
//! claim, made durable with syncfs(2), and only then renamed to its id: a
//! directory with an id for its name is complete. Whether it is *ready* is for the database to
//! say, in a transaction after the rename. A directory that the database does not know is what a
//! crash left between the two; it is removed and made anew.
//!
//! The id of a layer is the digest of its uncompressed archive, the diff id, if the layer is
//! complete in itself. What it became may also depend on the layers below; then it is the chain id,
//! which stands for all of them.
//!
//! That argument needs everyone who gives layers their names or removes them to take turns. The
//! turn is an exclusive flock(2) on `layers/.lock`, and [`Exclusive`] is the proof of having it.
//! It is short: what takes time is done before it, under a claim.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{self as rfs, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::claim::{self, PARTIAL, STAGING, Staging};
use super::{layer, limits};
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

    /// Makes the directories that are missing. Nobody but root may enter them: layers hold set-id
    /// programs.
    pub(super) fn make(&self) -> Result<()> {
        file::make_dirs(&self.blobs, 0o700)?;
        file::make_dirs(&self.layers, 0o700)
    }

    /// Opens the file whose lock is the turn.
    fn open_lock(&self) -> Result<(PathBuf, File)> {
        self.make()?;
        let path = self.layers.join(LOCK);
        let lock = file::open_or_create(&path, 0o600)?;
        Ok((path, lock))
    }

    /// The directory of a layer, `ROOT/layers/<hex>`, whether it exists or not.
    pub fn layer_path(&self, id: &Digest) -> PathBuf {
        self.layers.join(id.hex())
    }

    /// The directory that all layers are in.
    pub(super) fn open_layers(&self) -> Result<OwnedFd> {
        file::open_dir(&self.layers)
    }

    /// The directory that the layer of `blob` is unpacked into before it has an id.
    pub(super) fn staging_path(&self, blob: &Digest) -> PathBuf {
        self.layers.join(format!("{STAGING}{}", blob.hex()))
    }

    /// The bytes that can still be written to the file system that has the fewest left: that of
    /// the blobs or that of the layers, usually the same.
    pub fn free_space(&self) -> Result<u64> {
        self.make()?;
        let mut least = u64::MAX;
        for path in [&self.blobs, &self.layers] {
            let stat = rfs::statvfs(path).map_err(|errno| error("statvfs", path, errno))?;
            least = least.min(stat.f_bavail.saturating_mul(stat.f_frsize));
        }
        Ok(least)
    }

    /// Where layers are.
    pub(super) fn layers(&self) -> &Path {
        &self.layers
    }

    /// Of stacked layers, as [`stack`](Self::stack) gives them, the one whose root directory a
    /// container's looks like: the topmost that says what it is to be like.
    pub fn root_of<'a>(&self, stack: &'a [PathBuf]) -> Option<&'a PathBuf> {
        stack.iter().find(|path| layer::lists_root(path)).or(stack.first())
    }

    /// The file of a manifest, a config or a layer as it came, `ROOT/blobs/sha256/<hex>`, whether
    /// it exists or not.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.hex())
    }

    /// The directory of blobs.
    pub(super) fn blobs(&self) -> &Path {
        &self.blobs
    }

    /// Whether the directory of a layer exists.
    pub fn has_layer(&self, id: &Digest) -> bool {
        rfs::lstat(self.layer_path(id))
            .is_ok_and(|stat| rfs::FileType::from_raw_mode(stat.st_mode).is_dir())
    }

    /// A file without a name, for the content of a compressed archive.
    pub(super) fn scratch_file(&self) -> Result<File> {
        self.make()?;
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        rfs::open(&self.layers, flags, Mode::RUSR | Mode::WUSR)
            .map(File::from)
            .map_err(|errno| error("open", &self.layers, errno))
    }

    /// The directories to stack for layers that are given with the lowest first; they come with
    /// the topmost first, as mount(2) wants them.
    ///
    /// overlayfs takes no directory twice. A layer that is there twice is left out where it is
    /// lower: all that it has is there again above. Empty ones are left out if there are many.
    pub fn stack(&self, ids: &[Digest]) -> Result<Vec<PathBuf>> {
        let mut seen = BTreeSet::new();
        let mut stack: Vec<&Digest> = ids.iter().rev().filter(|id| seen.insert(*id)).collect();
        if stack.len() > limits::STACKED_LAYERS {
            let mut kept = Vec::new();
            for id in stack {
                if !is_empty(&self.layer_path(id))? {
                    kept.push(id);
                }
            }
            if kept.is_empty() {
                kept.extend(ids.last());
            }
            stack = kept;
        }
        Ok(stack.into_iter().map(|id| self.layer_path(id)).collect())
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
    pub fn remove_layer(&self, id: &Digest) -> Result<()> {
        let path = self.dirs.layer_path(id);
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
    /// are not to be kept. What somebody has a claim on is left alone, and so are names that tank
    /// does not give. A blob that arrived in part stays for a week: a pull goes on from it.
    pub fn sweep(&self, layers: &BTreeSet<Digest>, blobs: &BTreeSet<Digest>) -> Result<Swept> {
        let mut swept = Swept::default();
        for name in names(&self.dirs.layers)? {
            if name.starts_with(TEMPORARY) {
                file::remove_tree(&self.dirs.layers.join(name))?;
                swept.layers += 1;
            } else if let Some(blob) = name.strip_prefix(STAGING).and_then(digest) {
                let (layer, _) = claim::sweep(self.dirs, &blob)?;
                swept.layers += usize::from(layer);
            } else if let Some(id) = digest(&name).filter(|id| !layers.contains(id)) {
                self.remove_layer(&id)?;
                swept.layers += 1;
            }
        }
        let mut blobs_there = names(&self.dirs.blobs)?;
        // A blob that has two names shows that the one under which it arrived is of no use; once
        // the other has gone, nothing would.
        blobs_there.sort_by_key(|name| !name.ends_with(PARTIAL));
        for name in blobs_there {
            let goes = if let Some(blob) = name.strip_suffix(PARTIAL).and_then(digest) {
                claim::sweep(self.dirs, &blob)?.1
            } else if name.strip_suffix(".tmp").and_then(digest).is_some()
                || digest(&name).is_some_and(|digest| !blobs.contains(&digest))
            {
                file::remove_file(&self.dirs.blobs.join(name))?;
                true
            } else {
                false
            };
            swept.blobs += usize::from(goes);
        }
        Ok(swept)
    }

    /// Stores a manifest or a config, durably.
    pub(super) fn write_blob(&self, digest: &Digest, content: &[u8]) -> Result<()> {
        file::replace(&self.dirs.blob_path(digest), content, 0o600, Durability::Durable)
    }

    /// Makes all that was written durable, once for all layers that are to be named after it.
    pub(super) fn sync(&self) -> Result<()> {
        file::sync_file_system(&self.dirs.layers)?;
        let device = |path: &Path| {
            rfs::lstat(path).map(|stat| stat.st_dev).map_err(|errno| error("lstat", path, errno))
        };
        if device(&self.dirs.layers)? != device(&self.dirs.blobs)? {
            file::sync_file_system(&self.dirs.blobs)?;
        }
        Ok(())
    }

    /// Gives a durable layer its name. Whatever has the name must not be ready.
    pub(super) fn name_layer(&self, staging: &Staging, id: &Digest) -> Result<()> {
        self.remove_layer(id)?;
        file::rename_new(staging.path(), &self.dirs.layer_path(id))
    }

    /// Makes the names durable.
    pub(super) fn sync_names(&self) -> Result<()> {
        file::sync_dir(&self.dirs.layers)?;
        file::sync_dir(&self.dirs.blobs)
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

/// Whether a directory has nothing in it.
pub(super) fn is_empty(path: &Path) -> Result<bool> {
    Ok(names(path)?.len() <= 2)
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

pub(super) fn error(call: &'static str, path: &Path, errno: Errno) -> sys::Error {
    sys::Error::new(call, path.display().to_string(), errno)
}

#[cfg(test)]
mod tests;
