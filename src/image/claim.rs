//! Claims: who brings a layer to disk.
//!
//! A claim is an exclusive flock(2) on `ROOT/blobs/sha256/<hex>.partial`, the file that the blob
//! is written to as it arrives. Whoever has it owns the directory that the layer is unpacked into
//! as well, `ROOT/layers/.pull-<hex>`. A process that dies gives up its claims, and what arrived
//! stays for the next one to go on from. Several claims are made in the order of their digests,
//! and before the turn of [`Exclusive`](super::Exclusive) is waited for, so that no two processes
//! wait for one another.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{self as rfs, FlockOperation, Mode};
use rustix::io::Errno;

use super::dirs::{ImageDirs, error};
use crate::model::Digest;
use crate::sys::{self, Result, file};

/// What the name of a blob that is arriving ends with.
pub(super) const PARTIAL: &str = ".partial";

/// What the name of a directory that a layer is being unpacked into begins with.
pub(super) const STAGING: &str = ".pull-";

/// How long a blob that arrived in part is kept without anybody going on with it.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// The right to bring one layer to disk, until it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    file: File,
    path: PathBuf,
    staging: PathBuf,
    have: u64,
    keeps_copy: bool,
    is_resumable: bool,
    is_over: bool,
}

impl ImageDirs {
    /// Claims the layer that comes as `blob`; `None` if somebody has it and is not to be waited
    /// for. Whoever waited should look whether the layer has become ready meanwhile.
    pub(super) fn claim(&self, blob: &Digest, wait: bool) -> Result<Option<Claim>> {
        self.make()?;
        let path = self.blob_path(blob).with_added_extension(&PARTIAL[1..]);
        loop {
            let file = file::open_or_create(&path, 0o600)?;
            if !lock(&file, &path, wait)? {
                return Ok(None);
            }
            // Whoever had the lock may have given the file its final name, or removed it.
            if is_at(&file, &path)? {
                let stat = rfs::fstat(&file).map_err(|e| error("fstat", &path, e))?;
                if stat.st_nlink > 1 {
                    // It has its final name, too, and must not change any more: whoever gave it
                    // that was killed before this name went.
                    file::remove_file(&path)?;
                    continue;
                }
                let have = stat.st_size;
                return Ok(Some(Claim {
                    file,
                    staging: self.staging_path(blob),
                    path,
                    have: u64::try_from(have).unwrap_or_default(),
                    keeps_copy: true,
                    is_resumable: true,
                    is_over: false,
                }));
            }
        }
    }
}

impl Claim {
    /// The bytes of the blob that are there already.
    pub(super) fn have(&self) -> u64 {
        self.have
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Leaves only the first `length` bytes of those that are there.
    pub(super) fn truncate(&mut self, length: u64) -> Result<()> {
        rfs::ftruncate(&self.file, length).map_err(|e| error("ftruncate", &self.path, e))?;
        self.have = length;
        Ok(())
    }

    /// Starts anew, and leaves nothing to go on from: the blob can be had again at any time.
    pub(super) fn without_resuming(mut self) -> Result<Self> {
        self.truncate(0)?;
        self.is_resumable = false;
        Ok(self)
    }

    /// The blob is not to be written down while it arrives: it can be had again, and is not kept.
    pub(super) fn without_copy(mut self) -> Result<Self> {
        self.truncate(0)?;
        self.keeps_copy = false;
        Ok(self)
    }

    /// Gives the claim up, and what has arrived.
    pub(super) fn discard(mut self) -> Result<()> {
        self.is_over = true;
        file::remove_file(&self.path)
    }

    /// The file that the blob is to be written to as it arrives, if it is.
    pub(super) fn copy(&self) -> Option<&File> {
        self.keeps_copy.then_some(&self.file)
    }

    /// An empty directory to unpack the layer into; what a crash left of one is removed.
    pub(super) fn new_staging(&self) -> Result<Staging> {
        file::remove_tree(&self.staging)?;
        let path = self.staging.clone();
        rfs::mkdir(&path, Mode::RWXU).map_err(|errno| error("mkdir", &path, errno))?;
        Ok(Staging { path })
    }

    /// Gives the whole, durable blob its name, if it is to be kept. The claim keeps its own until
    /// it is dropped: till then nobody else can claim the layer.
    pub(super) fn finish(&mut self, blob: &Path, keep: bool) -> Result<()> {
        self.is_resumable = false;
        if !keep || !self.keeps_copy {
            return Ok(());
        }
        match rfs::link(&self.path, blob) {
            // What is there was verified, too.
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(error("link", &self.path, errno)),
        }
    }

    fn is_old(&self) -> bool {
        let modified = self.file.metadata().and_then(|metadata| metadata.modified());
        modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > KEPT))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // The lock is still held, so the file that has the name is this one.
        let is_empty = || rfs::fstat(&self.file).is_ok_and(|stat| stat.st_size == 0);
        let is_of_use = self.is_resumable && self.keeps_copy && !is_empty();
        if !self.is_over && !is_of_use {
            let _ = file::remove_file(&self.path);
        }
    }
}

/// A directory that a layer is being unpacked into. What is dropped unpublished is removed.
#[derive(Debug)]
pub(super) struct Staging {
    path: PathBuf,
}

impl Staging {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn open(&self) -> Result<OwnedFd> {
        file::open_dir(&self.path)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After publishing there is nothing of this name; what fails to go now, a sweep removes.
        let _ = file::remove_tree(&self.path);
    }
}

/// Removes the directory and the blob of a layer that was not finished, if nobody is at work on
/// it; a blob that may still be gone on with stays. Says whether the directory and the blob went.
pub(super) fn sweep(dirs: &ImageDirs, blob: &Digest) -> Result<(bool, bool)> {
    let Some(claim) = dirs.claim(blob, false)? else { return Ok((false, false)) };
    let had_staging = claim.staging.exists();
    file::remove_tree(&claim.staging)?;
    // A blob that has its name keeps the one it arrived under if the power goes at that moment.
    let goes = claim.have == 0 || claim.is_old() || dirs.blob_path(blob).exists();
    if goes {
        claim.discard()?;
    }
    Ok((had_staging, goes))
}

fn lock(file: &File, path: &Path, wait: bool) -> Result<bool> {
    let operation =
        if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
    loop {
        match rfs::flock(file, operation) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(error("flock", path, errno)),
        }
    }
}

fn is_at(file: &File, path: &Path) -> Result<bool> {
    let own = rfs::fstat(file).map_err(|errno| error("fstat", path, errno))?;
    match rfs::lstat(path) {
        Ok(named) => Ok((named.st_dev, named.st_ino) == (own.st_dev, own.st_ino)),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(sys::Error::new("lstat", path.display().to_string(), errno)),
    }
}

#[cfg(test)]
mod tests;
