//! Loading images from a file or a directory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use rustix::fs::{self as rfs, FileType, Mode, OFlags};

use super::codec::Codec;
use super::dirs::Exclusive;
use super::error::{Error, Result};
use super::install::{Installer, LoadedImage};
use super::platform::Platform;
use super::source::{Region, Source};
use super::stream::sniff;
use super::{docker, limits, oci};
use crate::model::Digest;
use crate::sys;

/// Loads the images in `path`: a docker archive, an OCI archive, either of them compressed as a
/// whole or not, or the directory of an OCI layout.
///
/// `known` says which layers the database has as ready; only those are taken as they are. The
/// layers of the images that are returned are on disk, durably, but ready only when the database
/// says so: record them before giving up the turn.
///
/// An archive is read in place. What cannot be, because it is compressed or a pipe, is first
/// written to a file without a name.
pub fn load(
    exclusive: &Exclusive<'_>,
    path: &Path,
    platform: &Platform,
    known: &dyn Fn(&Digest) -> bool,
) -> Result<Vec<LoadedImage>> {
    let source = open(exclusive, path)?;
    let images = if let Some((name, content)) = read_first(&source)? {
        match name {
            docker::MANIFEST => docker::images(&source, &content)?,
            _ => oci::images(&source, &content, platform)?,
        }
    } else {
        return Err(Error::not_an_image(path, "has neither manifest.json nor index.json"));
    };
    if images.is_empty() {
        return Err(Error::not_an_image(path, "lists no image"));
    }
    let mut installer = Installer::new(exclusive, platform, known);
    images.into_iter().map(|image| installer.install(image)).collect()
}

/// The document to start from. In an archive that has both, docker's knows the names; in a
/// directory `manifest.json` is no part of a layout, so it counts last.
fn read_first(source: &Source) -> Result<Option<(&'static str, Vec<u8>)>> {
    let order = match source {
        Source::Archive(_) => [docker::MANIFEST, oci::INDEX],
        Source::Directory(_) => [oci::INDEX, docker::MANIFEST],
    };
    for name in order {
        if let Some(region) = source.open(name)? {
            return Ok(Some((name, region.read_document(name)?)));
        }
    }
    Ok(None)
}

fn open(exclusive: &Exclusive<'_>, path: &Path) -> Result<Source> {
    let error = |call, errno| sys::Error::new(call, path.display().to_string(), errno);
    let fd = rfs::open(path, OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| error("open", errno))?;
    let stat = rfs::fstat(&fd).map_err(|errno| error("fstat", errno))?;
    let archive = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => return Ok(Source::Directory(fd)),
        FileType::RegularFile => {
            let region = Region::whole(File::from(fd))?;
            match sniff_start(path, region.clone())? {
                Codec::Plain => region,
                _ => spool(exclusive, path, region)?,
            }
        }
        FileType::Fifo | FileType::CharacterDevice | FileType::Socket => {
            spool(exclusive, path, File::from(fd))?
        }
        _ => return Err(Error::not_an_image(path, "is a device")),
    };
    Source::index(archive, path)
}

fn sniff_start(path: &Path, region: Region) -> Result<Codec> {
    sniff(&path.display().to_string(), &mut BufReader::with_capacity(512, region))
}

/// Copies a stream, decompressed, to a file without a name.
fn spool(exclusive: &Exclusive<'_>, path: &Path, input: impl Read) -> Result<Region> {
    let what = path.display().to_string();
    let mut input = BufReader::with_capacity(limits::BUFFER_BYTES, input);
    let codec = sniff(&what, &mut input)?;
    let decoder = codec.decode(input).map_err(|e| Error::from_read(what.clone(), e))?;
    let mut file = exclusive.scratch_file()?;
    let limit = limits::UNPACKED_BYTES;
    let mut decoder = BufReader::with_capacity(limits::BUFFER_BYTES, decoder.take(limit + 1));
    let copied =
        io::copy(&mut decoder, &mut file).map_err(|e| Error::from_read(what.clone(), e))?;
    if copied > limit {
        return Err(Error::TooLarge { what, limit, unit: "bytes" });
    }
    file.seek(SeekFrom::Start(0)).map_err(|e| sys::Error::new("lseek", what, e))?;
    Ok(Region::whole(file)?)
}

#[cfg(test)]
mod tests;
