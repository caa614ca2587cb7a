//! What nobody can change, not even root.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

/// A directory in which nothing can be made or removed, or a file that nobody can open for writing:
/// ioctl_iflags(2). Dropping this takes that away again.
#[derive(Debug)]
pub(crate) struct Immutable(PathBuf);

impl Immutable {
    pub(crate) fn new(dir: PathBuf) -> Self {
        set(&dir, true);
        Self(dir)
    }

    /// One that is made for it.
    pub(crate) fn new_dir(dir: PathBuf) -> Self {
        fs::create_dir_all(&dir).unwrap();
        Self::new(dir)
    }
}

fn set(path: &Path, immutable: bool) {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut flags = ioctl_getflags(&file).unwrap();
    flags.set(IFlags::IMMUTABLE, immutable);
    ioctl_setflags(&file, flags).unwrap();
}

impl Drop for Immutable {
    fn drop(&mut self) {
        set(&self.0, false);
    }
}
