//! Compressing a complete file, a slice at a time.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::name::appended;
use crate::sys::file;

/// How many bytes one slice reads: what takes about a millisecond.
const SLICE: usize = 64 * 1024;

/// A file that is being compressed beside itself. Dropping it gives the attempt up.
#[derive(Debug)]
pub(super) struct Packing {
    /// The number of the file.
    pub(super) number: i64,
    plain: PathBuf,
    input: File,
    /// `None` once it is complete.
    output: Option<GzEncoder<File>>,
    slice: Vec<u8>,
}

impl Packing {
    /// Begins with the file `plain`.
    pub(super) fn begin(plain: &Path, number: i64) -> io::Result<Self> {
        let unfinished = unfinished(plain);
        file::remove_file(&unfinished)?;
        let input = File::open(plain)?;
        let output = GzEncoder::new(file::create_new(&unfinished, 0o640)?, Compression::default());
        let slice = vec![0; SLICE];
        Ok(Self { number, plain: plain.to_owned(), input, output: Some(output), slice })
    }

    /// Compresses one slice; `false` when that was the last one, and the compressed file has taken
    /// the place of the plain one.
    pub(super) fn step(&mut self) -> io::Result<bool> {
        let Some(output) = &mut self.output else { return Ok(false) };
        let count = self.input.read(&mut self.slice)?;
        if count > 0 {
            output.write_all(&self.slice[..count])?;
            return Ok(true);
        }
        output.try_finish()?;
        rustix::fs::rename(unfinished(&self.plain), appended(&self.plain, ".gz"))?;
        self.output = None;
        file::remove_file(&self.plain)?;
        Ok(false)
    }
}

impl Drop for Packing {
    fn drop(&mut self) {
        if self.output.is_some() {
            // It is no log file to anybody, and goes with the others of its life at the latest.
            file::remove_file(&unfinished(&self.plain)).ok();
        }
    }
}

fn unfinished(plain: &Path) -> PathBuf {
    appended(plain, ".gz.tmp")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(path: &Path) -> Vec<u8> {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn a_whole_form_of_the_file_is_there_at_every_moment() {
        let tmp = tempfile::tempdir().unwrap();
        let plain = tmp.path().join("1.log.000001");
        let text: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
        file::create_new(&plain, 0o600).unwrap().write_all(&text).unwrap();
        let mut packing = Packing::begin(&plain, 1).unwrap();
        let mut slices = 0;
        while packing.step().unwrap() {
            assert_eq!(std::fs::read(&plain).unwrap().len(), text.len());
            slices += 1;
        }
        assert!(slices > 10);
        drop(packing);
        assert_eq!(unpacked(&tmp.path().join("1.log.000001.gz")), text);
        assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_given_up_leaves_the_plain_file() {
        let tmp = tempfile::tempdir().unwrap();
        let plain = tmp.path().join("1.log.000001");
        file::create_new(&plain, 0o600).unwrap().write_all(b"text").unwrap();
        let mut packing = Packing::begin(&plain, 1).unwrap();
        packing.step().unwrap();
        drop(packing);
        assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 1);
        assert_eq!(std::fs::read(plain).unwrap(), b"text");
    }
}
