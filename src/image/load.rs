//! Loading images from a file or a directory.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use rustix::fs::{self as rfs, FileType, Mode, OFlags};

use super::codec::Codec;
use super::dirs::ImageDirs;
use super::error::{Error, Result};
use super::install::{Image, LoadedImage};
use super::platform::Platform;
use super::source::{Region, Source};
use super::stream::sniff;
use super::{docker, limits, oci};
use crate::model::Digest;
use crate::model::settings::ImageSettings;
use crate::sys;

/// Where it is written down which images and layers there are.
pub trait Ledger {
    /// Why it cannot be read or written, or why an image cannot be loaded.
    type Error: From<Error>;
    /// What an image is to it.
    type Image;

    /// The layers that are ready.
    fn ready(&self) -> std::result::Result<BTreeSet<Digest>, Self::Error>;

    /// Writes an image down whose layers are on disk, durably. Nobody else changes images
    /// meanwhile.
    fn record(&mut self, image: &LoadedImage) -> std::result::Result<Self::Image, Self::Error>;
}

/// Loads the images in `path`: a docker archive, an OCI archive, either of them compressed as a
/// whole or not, or the directory of an OCI layout.
///
/// They are loaded one after the other: unpacked under claims, then published and recorded in one
/// turn. If one fails, those before it stay.
///
/// An archive is read in place. What cannot be, because it is compressed or a pipe, is first
/// written to a file without a name.
pub fn load<L: Ledger>(
    dirs: &ImageDirs,
    path: &Path,
    platform: &Platform,
    settings: &ImageSettings,
    ledger: &mut L,
) -> std::result::Result<Vec<L::Image>, L::Error> {
    let source = open(dirs, path, settings.max_unpacked)?;
    let mut recorded = Vec::new();
    for image in images(&source, path, platform)? {
        let mut prepared = image.prepare(dirs, platform, settings, &|| ledger.ready())?;
        let exclusive = dirs.exclusive().map_err(Error::from)?;
        let ready = ledger.ready()?;
        let image = prepared.publish(&exclusive, &ready, settings.keep_blobs)?;
        recorded.push(ledger.record(&image)?);
    }
    Ok(recorded)
}

fn images<'a>(source: &'a Source, path: &Path, platform: &Platform) -> Result<Vec<Image<'a>>> {
    let images = match read_first(source)? {
        Some((docker::MANIFEST, content)) => docker::images(source, &content)?,
        Some((_, content)) => oci::images(source, &content, platform)?,
        None => {
            return Err(Error::not_an_image(path, "has neither manifest.json nor index.json"));
        }
    };
    if images.is_empty() {
        return Err(Error::not_an_image(path, "lists no image"));
    }
    Ok(images)
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

fn open(dirs: &ImageDirs, path: &Path, limit: u64) -> Result<Source> {
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
                _ => spool(dirs, path, region, limit)?,
            }
        }
        FileType::Fifo | FileType::CharacterDevice | FileType::Socket => {
            spool(dirs, path, File::from(fd), limit)?
        }
        _ => return Err(Error::not_an_image(path, "is a device")),
    };
    Source::index(archive, path)
}

fn sniff_start(path: &Path, region: Region) -> Result<Codec> {
    sniff(&path.display().to_string(), &mut BufReader::with_capacity(512, region))
}

/// Copies a stream, decompressed, to a file without a name; at most `limit` bytes.
fn spool(dirs: &ImageDirs, path: &Path, input: impl Read, limit: u64) -> Result<Region> {
    let what = path.display().to_string();
    let mut input = BufReader::with_capacity(limits::BUFFER_BYTES, input);
    let codec = sniff(&what, &mut input)?;
    let decoder = codec.decode(input).map_err(|e| Error::from_read(what.clone(), e))?;
    let mut file = dirs.scratch_file()?;
    let bounded = decoder.take(limit.saturating_add(1));
    let mut decoder = BufReader::with_capacity(limits::BUFFER_BYTES, bounded);
    let copied =
        io::copy(&mut decoder, &mut file).map_err(|e| Error::from_read(what.clone(), e))?;
    if copied > limit {
        return Err(Error::TooLarge { what, limit, unit: "bytes" });
    }
    file.seek(SeekFrom::Start(0)).map_err(|e| sys::Error::new("lseek", what, e))?;
    Ok(Region::whole(file)?)
}

#[cfg(test)]
pub(super) mod tests;
