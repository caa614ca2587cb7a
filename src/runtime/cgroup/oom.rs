//! Noticing that the kernel killed a process of a group for want of memory.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::group::Home;
use super::hierarchy::Controller;
use super::{Error, Group, Result, file};

/// Counts the kills by the kernel's OOM killer in one group.
///
/// It is a plain file, not a watch: inotify(7) instances are few for each user, and all monitors
/// are the same user's.
#[derive(Debug)]
pub struct OomCounter {
    /// `memory.events` (v2) or `memory.oom_control` (v1).
    file: File,
    path: PathBuf,
}

impl Group {
    /// Opens the group's counter; `None` if no memory controller counts for it.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn oom_counter(&self) -> Result<Option<OomCounter>> {
        let path = match self.home(Controller::Memory)? {
            None => return Ok(None),
            Some(Home::V2(dir)) => dir.join("memory.events"),
            Some(Home::V1(dir)) => dir.join("memory.oom_control"),
        };
        let file = File::open(&path).map_err(|source| Error::file("open", &path, source))?;
        Ok(Some(OomCounter { file, path }))
    }
}

impl OomCounter {
    /// How many processes of the group the OOM killer has killed since the group was made.
    ///
    /// # Errors
    /// The file cannot be read, among them `ENODEV` once the group is removed: read it before.
    pub fn count(&self) -> Result<u64> {
        let mut text = [0; 1024];
        let length = self
            .file
            .read_at(&mut text, 0)
            .map_err(|source| Error::file("read", &self.path, source))?;
        let text = String::from_utf8_lossy(&text[..length]);
        Ok(file::field(&text, "oom_kill").unwrap_or(0))
    }
}
