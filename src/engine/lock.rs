//! The lock of a pod: whoever works on a pod holds it, and says who he is.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::{Error, Result};
use crate::model::PodName;
use crate::runtime::directories::Directories;
use crate::sys::{self, clock, file, lock, poll};

/// How long to wait before a taken lock is tried again, at least and at most: the kernel has no
/// event for a flock that became free. In between it is an eighth of the time waited so far.
const RETRY: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));

/// A pod that nobody else works on while this lives.
#[derive(Debug)]
pub(super) struct PodLock {
    file: File,
}

/// Locks the pod, waiting for whoever has it until `deadline`.
///
/// # Errors
///
/// [`Error::Locked`], which names the holder, when the deadline passes.
pub(super) fn acquire(
    directories: &Directories,
    pod: &PodName,
    command: &str,
    deadline: Instant,
) -> Result<PodLock> {
    let begun = clock::monotonic();
    loop {
        if let Some(lock) = try_acquire(directories, pod, command)? {
            return Ok(lock);
        }
        let now = clock::monotonic();
        if now >= deadline {
            let holder = holder(&directories.lock(pod));
            return Err(Error::Locked { pod: pod.clone(), holder });
        }
        let pause = ((now - begun) / 8).clamp(RETRY.0, RETRY.1);
        poll::wait(&mut [], Some(pause.min(deadline - now)))?;
    }
}

/// Locks the pod if nobody else has.
fn try_acquire(directories: &Directories, pod: &PodName, command: &str) -> Result<Option<PodLock>> {
    let path = directories.lock(pod);
    if let Some(parent) = path.parent() {
        file::make_dirs(parent, 0o700)?;
    }
    let mut file = file::open_or_create(&path, 0o600)?;
    if !lock::try_exclusive(&file)? {
        return Ok(None);
    }
    // Deleting a pod removes its lock file; a lock on a file without a name excludes nobody.
    if !is_still_at(&file, &path) {
        return Ok(None);
    }
    let pid = std::process::id();
    let since = clock::now();
    let text = format!("pid {pid} ({command}) since {since:.0}");
    let written =
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
    // Only the message to others suffers: a full disk must not keep anybody from working.
    drop(written);
    Ok(Some(PodLock { file }))
}

fn is_still_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let held = file.metadata().map(identity).ok();
    held.is_some() && held == std::fs::symlink_metadata(path).map(identity).ok()
}

/// Who holds the lock, in words.
fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(1024).read_to_string(&mut text));
    match read {
        Ok(_) if !text.is_empty() => text,
        _ => "another process".to_owned(),
    }
}

impl PodLock {
    /// Removes the lock file of a pod that is no more.
    pub(super) fn remove(self, directories: &Directories, pod: &PodName) -> sys::Result<()> {
        let result = file::remove_file(&directories.lock(pod));
        drop(self.file);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_lock_names_its_holder() {
        let tmp = tempfile::tempdir().unwrap();
        let directories =
            Directories { root: tmp.path().join("root"), run: tmp.path().join("run") };
        let pod: PodName = "web".parse().unwrap();
        let now = clock::monotonic();
        let lock = acquire(&directories, &pod, "tank apply", now).unwrap();
        let refused = acquire(&directories, &pod, "tank delete", now).unwrap_err();
        assert!(refused.to_string().contains("(tank apply) since "), "{refused}");
        lock.remove(&directories, &pod).unwrap();
        assert!(!directories.lock(&pod).exists());
        acquire(&directories, &pod, "tank delete", now).unwrap();
    }
}
