//! Where saved images go: a tar archive or a directory, behind one face.

use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::Target;
use crate::image::error::{Error, Result};
use crate::image::limits;
use crate::sys::file;
use crate::sys::{self, random};

/// Something that files can be put into, one after the other.
pub(super) trait Sink {
    /// Adds a directory.
    fn directory(&mut self, name: &str) -> Result<()>;

    /// Adds a file of `size` bytes, which `write` writes.
    fn file(
        &mut self,
        name: &str,
        size: u64,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
    ) -> Result<()>;
}

/// Writes an archive.
pub(super) fn archive(
    target: Target<'_>,
    write: impl FnOnce(&mut dyn Sink) -> Result<()>,
) -> Result<()> {
    match target {
        Target::Stream(stream) => Archive::write(stream, write),
        Target::Path(path) => {
            let temporary = Temporary::beside(path)?;
            let output = file::create_new(&temporary.path, 0o600)?;
            let mut output = BufWriter::with_capacity(limits::BUFFER_BYTES, output);
            Archive::write(&mut output, write)?;
            let output = output.into_inner().map_err(|e| Error::write(e.into_error()))?;
            output.sync_all().map_err(|e| temporary.error("fsync", e))?;
            temporary.publish(path)
        }
    }
}

/// Writes a directory.
pub(super) fn directory(
    target: Target<'_>,
    write: impl FnOnce(&mut dyn Sink) -> Result<()>,
) -> Result<()> {
    let Target::Path(path) = target else {
        return Err(Error::write(io::Error::from(io::ErrorKind::NotADirectory)));
    };
    let temporary = Temporary::beside(path)?;
    make_directory(&temporary.path)?;
    write(&mut Directory(&temporary.path))?;
    file::sync_file_system(&temporary.path)?;
    // An empty directory is replaced; one with content is refused by the kernel.
    temporary.publish(path)
}

/// A name beside the one that is wanted. What is dropped unpublished is removed.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn beside(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bits = random::bits()?;
        Ok(Self { path: path.with_file_name(format!(".{name}.tmp-{bits:016x}")) })
    }

    fn publish(self, path: &Path) -> Result<()> {
        std::fs::rename(&self.path, path)
            .map_err(|e| sys::Error::new("rename", path.display().to_string(), e))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(file::sync_dir(parent.unwrap_or(Path::new(".")))?)
    }

    fn error(&self, call: &'static str, error: io::Error) -> Error {
        sys::Error::new(call, self.path.display().to_string(), error).into()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After publishing there is nothing of this name.
        let _ = file::remove_tree(&self.path);
    }
}

/// A tar archive: members of root, of no time, so that the same images make the same archive.
struct Archive<'a>(&'a mut dyn Write);

/// The size of a block of a tar archive.
const BLOCK: usize = 512;

impl Archive<'_> {
    fn write(
        output: &mut dyn Write,
        write: impl FnOnce(&mut dyn Sink) -> Result<()>,
    ) -> Result<()> {
        let mut archive = Archive(output);
        write(&mut archive)?;
        // Two empty blocks end it.
        archive.0.write_all(&[0; 2 * BLOCK]).map_err(Error::write)?;
        archive.0.flush().map_err(Error::write)
    }

    fn header(&mut self, name: &str, kind: tar::EntryType, mode: u32, size: u64) -> Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).map_err(Error::write)?;
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        // Beyond 8 GiB this is GNU's binary form, which every reader of images knows.
        header.set_size(size);
        header.set_cksum();
        self.0.write_all(header.as_bytes()).map_err(Error::write)
    }
}

impl Sink for Archive<'_> {
    fn directory(&mut self, name: &str) -> Result<()> {
        self.header(&format!("{name}/"), tar::EntryType::Directory, 0o755, 0)
    }

    fn file(
        &mut self,
        name: &str,
        size: u64,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        self.header(name, tar::EntryType::Regular, 0o644, size)?;
        write(self.0)?;
        let padding = size.next_multiple_of(BLOCK as u64) - size;
        io::copy(&mut io::repeat(0).take(padding), self.0).map_err(Error::write)?;
        Ok(())
    }
}

/// A directory. What is in it is for the caller, whose umask has its say.
struct Directory<'a>(&'a Path);

impl Sink for Directory<'_> {
    fn directory(&mut self, name: &str) -> Result<()> {
        make_directory(&self.0.join(name))
    }

    fn file(
        &mut self,
        name: &str,
        _: u64,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        let path = self.0.join(name);
        let mut output = std::fs::File::create_new(&path)
            .map_err(|e| sys::Error::new("open", path.display().to_string(), e))?;
        write(&mut output)
    }
}

fn make_directory(path: &Path) -> Result<()> {
    std::fs::create_dir(path)
        .map_err(|e| sys::Error::new("mkdir", path.display().to_string(), e).into())
}
