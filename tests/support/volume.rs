//! A file system of a test's own, small enough to be filled, in a file that can be copied.

use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags};

use super::fixtures::tool;

/// A mounted file system. Dropping it unmounts it.
#[derive(Debug)]
pub(crate) struct Volume {
    target: PathBuf,
}

impl Volume {
    /// A file system in memory of so many bytes, at `target`, which is made.
    pub(crate) fn in_memory(target: &Path, size: u64) -> Self {
        std::fs::create_dir_all(target).unwrap();
        let options = std::ffi::CString::new(format!("size={size},mode=0700")).unwrap();
        let flags = MountFlags::empty();
        rustix::mount::mount("tmpfs", target, "tmpfs", flags, options.as_c_str()).unwrap();
        Self { target: target.to_owned() }
    }

    /// An ext4 file system in the file `image`, at `target`, which is made. It writes what it is
    /// not told to write as late as it can, so that what was not synced is not in the file.
    pub(crate) fn in_file(image: &Path, target: &Path) -> Self {
        std::fs::create_dir_all(target).unwrap();
        let (source, target_text) = (image.to_str().unwrap(), target.to_str().unwrap());
        let options = "loop,commit=300,noatime";
        let _ = tool("mount", "mount", &["-t", "ext4", "-o", options, source, target_text]);
        Self { target: target.to_owned() }
    }

    /// Writes everything to the disk (syncfs(2)).
    pub(crate) fn sync(&self) {
        rustix::fs::syncfs(std::fs::File::open(&self.target).unwrap()).unwrap();
    }

    /// Bytes that can still be written.
    pub(crate) fn free(&self) -> u64 {
        let stat = rustix::fs::statvfs(&self.target).unwrap();
        stat.f_bavail * stat.f_frsize
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.target, UnmountFlags::DETACH).unwrap_or_default();
    }
}

/// Makes a file of so many bytes with an empty ext4 file system.
pub(crate) fn make_ext4(image: &Path, size: u64) {
    std::fs::File::create(image).unwrap().set_len(size).unwrap();
    let _ = tool("mkfs.ext4", "e2fsprogs", &["-q", image.to_str().unwrap()]);
}
