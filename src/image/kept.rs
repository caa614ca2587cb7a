//! The files of what is kept of images as they came.

use std::collections::BTreeMap;
use std::io;

use super::dirs::ImageDirs;
use crate::sys;

impl ImageDirs {
    /// The files among the blobs, finished or not, by name, with their sizes in bytes.
    pub fn blob_files(&self) -> sys::Result<BTreeMap<String, u64>> {
        let path = self.blobs();
        let error = |call, e| sys::Error::new(call, path.display().to_string(), e);
        let entries = match path.read_dir() {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(e) => return Err(error("open", e)),
        };
        let mut files = BTreeMap::new();
        for entry in entries {
            let entry = entry.map_err(|e| error("getdents64", e))?;
            // One that is gone meanwhile was somebody else's to remove.
            let Ok(metadata) = entry.metadata() else { continue };
            if let Ok(name) = entry.file_name().into_string()
                && metadata.is_file()
            {
                files.insert(name, metadata.len());
            }
        }
        Ok(files)
    }
}
