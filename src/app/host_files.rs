//! The files of the host that pod files name.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use crate::image::digest_of;
use crate::model::file::Files;
use crate::model::pod::HostFile;
use crate::store::Contents;
use crate::sys::file::read_open_bounded;

/// The most bytes of a file that a mount shows a copy of.
const MAX_CONTENT: u64 = 1 << 20;

/// Reads the files that a pod file names, and remembers what was in them.
#[derive(Debug)]
pub struct HostFiles {
    directory: PathBuf,
    contents: RefCell<Contents>,
}

impl HostFiles {
    /// Those of a pod file in `directory`, an absolute path.
    pub fn of(directory: PathBuf) -> Self {
        Self { directory, contents: RefCell::default() }
    }

    /// What was in the files that were looked at.
    pub fn into_contents(self) -> Contents {
        self.contents.into_inner()
    }
}

impl Files for HostFiles {
    fn look(&self, path: &Path) -> Result<HostFile, String> {
        let path = self.directory.join(path);
        let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
        let file = open(&path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err("is not a regular file".to_owned());
        }
        if metadata.len() > MAX_CONTENT {
            return Err("is larger than 1 MiB".to_owned());
        }
        let bytes = read_open_bounded(file, &path, MAX_CONTENT);
        let bytes = bytes.map_err(|error| format!("cannot be read: {error}"))?;
        let content = digest_of(&bytes);
        self.contents.borrow_mut().insert(content.clone(), bytes.into());
        let executable = metadata.permissions().mode() & 0o111 != 0;
        Ok(HostFile { path: plain(&path), content, executable })
    }
}

/// Opens a file; one that nobody writes to, or reads from, is not waited for.
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

/// The path without its `.`; where a `..` leads may depend on a link.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::file::{Durability, replace};

    #[test]
    fn files_are_found_beside_the_pod_file() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("site.conf");
        replace(&path, b"server {}", 0o755, Durability::Volatile).unwrap();
        let files = HostFiles::of(tmp.path().to_owned());
        for name in ["./site.conf", "site.conf", path.to_str().unwrap()] {
            let found = files.look(Path::new(name)).unwrap();
            assert_eq!(found.path, path);
            assert_eq!(found.content, digest_of(b"server {}"));
            assert!(found.executable);
        }
        let contents = files.into_contents();
        let bytes: Vec<&[u8]> = contents.values().map(AsRef::as_ref).collect();
        assert_eq!(bytes, [b"server {}".as_slice()]);
    }

    #[test]
    fn what_is_no_small_file_is_refused() {
        let tmp = tempfile::tempdir().unwrap();
        let fifo = tmp.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let large = tmp.path().join("large");
        let length = usize::try_from(MAX_CONTENT).unwrap() + 1;
        replace(&large, &vec![0; length], 0o600, Durability::Volatile).unwrap();
        let files = HostFiles::of(tmp.path().to_owned());
        for (name, problem) in [
            ("fifo", "is not a regular file"),
            (".", "is not a regular file"),
            ("large", "is larger than 1 MiB"),
            ("missing", "cannot be read: No such file or directory (os error 2)"),
        ] {
            assert_eq!(files.look(Path::new(name)).unwrap_err(), problem);
        }
    }
}
