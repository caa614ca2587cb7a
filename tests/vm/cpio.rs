//! Writes an initramfs: a cpio archive in the "newc" form, see the kernel's
//! `Documentation/driver-api/early-userspace/buffer-format.rst`.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const DIRECTORY: u32 = 0o04_0000;
const FILE: u32 = 0o10_0000;
const SYMLINK: u32 = 0o12_0000;
const CHAR_DEVICE: u32 = 0o02_0000;

/// An archive that grows by one entry a call; a directory must come before what is in it.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    pub(crate) fn dir(&mut self, name: &str, mode: u32) {
        self.entry(name, DIRECTORY | mode, (0, 0), &[]);
    }

    pub(crate) fn file(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.entry(name, FILE | mode, (0, 0), content);
    }

    pub(crate) fn symlink(&mut self, name: &str, target: &Path) {
        self.entry(name, SYMLINK | 0o777, (0, 0), target.as_os_str().as_bytes());
    }

    pub(crate) fn char_device(&mut self, name: &str, major: u32, minor: u32) {
        self.entry(name, CHAR_DEVICE | 0o600, (major, minor), &[]);
    }

    /// Adds the directory `source` of this machine, with everything in it, as `name`.
    pub(crate) fn tree(&mut self, name: &str, source: &Path) {
        let meta = fs::symlink_metadata(source).unwrap();
        let mode = meta.permissions().mode() & 0o7777;
        if meta.is_symlink() {
            self.symlink(name, &fs::read_link(source).unwrap());
        } else if meta.is_dir() {
            self.dir(name, mode);
            for entry in fs::read_dir(source).unwrap().map(Result::unwrap) {
                let child = entry.file_name().into_string().unwrap();
                self.tree(&format!("{name}/{child}"), &entry.path());
            }
        } else {
            self.file(name, mode, &fs::read(source).unwrap());
        }
    }

    /// The archive, closed by its trailer.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, device: (u32, u32), content: &[u8]) {
        self.entries += 1;
        let size = u32::try_from(content.len()).unwrap();
        let name_size = u32::try_from(name.len() + 1).unwrap();
        // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor,
        // namesize, check.
        let (major, minor) = device;
        let header = [self.entries, mode, 0, 0, 1, 0, size, 0, 0, major, minor, name_size, 0];
        self.bytes.extend(b"070701");
        for field in header {
            self.bytes.extend(format!("{field:08x}").into_bytes());
        }
        self.bytes.extend(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    /// Names and contents end on a multiple of four.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
