//! Files that nobody can write, not even root.

use std::path::{Path, PathBuf};

use super::fixtures::tool;

/// A file with the immutable attribute, which chattr(1) describes: it cannot be opened for
/// writing. Dropping this takes the attribute off.
#[derive(Debug)]
pub(crate) struct Sealed(PathBuf);

impl Sealed {
    /// Seals a file.
    #[track_caller]
    pub(crate) fn new(path: &Path) -> Self {
        tool("chattr", "e2fsprogs", &["+i", path.to_str().unwrap()]);
        Self(path.to_owned())
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        tool("chattr", "e2fsprogs", &["-i", self.0.to_str().unwrap()]);
    }
}
