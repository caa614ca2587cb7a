//! Saving images: from what was kept of them to a file that others read.
//!
//! Manifests, configs and layers are written as they came, byte for byte, and verified on the way;
//! a docker archive alone has its layers decompressed, as its readers expect. An archive is a
//! stream: it can go to a pipe. What a reader of the result could take for whole is whole: files
//! and directories are made under another name and get theirs at the end.

mod blob;
mod docker;
mod layout;
mod target;

use std::fmt;
use std::io::Write;
use std::path::Path;

use super::dirs::ImageDirs;
use super::document::{self, Descriptor, Document};
use super::error::{Error, Result};
use super::hashing::{check_digest, digest_of};
use super::limits;
use crate::model::Digest;
use crate::model::image_name::ImageName;
use crate::sys::file;

/// What to write images as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An archive as `docker save` wrote it: `manifest.json`, configs and plain layers.
    DockerArchive,
    /// An OCI layout in a tar archive.
    OciArchive,
    /// The directory of an OCI layout:
    /// <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>
    OciLayout,
}

/// Where to write them.
pub enum Target<'a> {
    /// A file or a directory, which is there only once it is whole.
    Path(&'a Path),
    /// A stream, for archives.
    Stream(&'a mut dyn Write),
}

impl fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// An image to save.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The digest of its manifest.
    pub manifest: Digest,
    /// The diff ids of its layers, the lowest first.
    pub diff_ids: Vec<Digest>,
    /// The names to save it under.
    pub names: Vec<ImageName>,
}

/// An image whose documents were read and verified.
struct Image<'a> {
    saved: &'a Saved,
    manifest: Vec<u8>,
    media_type: String,
    config: Descriptor,
    config_content: Vec<u8>,
    layers: Vec<Descriptor>,
}

/// Writes images.
///
/// # Errors
/// [`Error::NotKept`] if a blob of an image is not there, before anything is written;
/// [`Error::DigestMismatch`] or [`Error::SizeMismatch`] if one is not what it should be; with
/// [`Format::OciLayout`], a target that is a stream, or is there and not an empty directory.
pub fn save(dirs: &ImageDirs, images: &[Saved], format: Format, target: Target<'_>) -> Result<()> {
    let images: Vec<_> = images.iter().map(|saved| read(dirs, saved)).collect::<Result<_>>()?;
    for image in &images {
        for layer in &image.layers {
            blob::require(dirs, "layer", layer)?;
        }
    }
    match format {
        Format::DockerArchive => {
            target::archive(target, |archive| docker::write(dirs, &images, archive))
        }
        Format::OciArchive => {
            target::archive(target, |archive| layout::write(dirs, &images, archive))
        }
        Format::OciLayout => {
            target::directory(target, |directory| layout::write(dirs, &images, directory))
        }
    }
}

/// Reads the documents of an image.
fn read<'a>(dirs: &ImageDirs, saved: &'a Saved) -> Result<Image<'a>> {
    let what = format!("manifest {}", saved.manifest);
    let path = dirs.blob_path(&saved.manifest);
    let manifest = match file::read_bounded(&path, limits::DOCUMENT_BYTES) {
        Err(e) if e.is_not_found() => return Err(Error::NotKept { what }),
        content => content?,
    };
    check_digest(what.as_str(), &saved.manifest, digest_of(&manifest))?;
    let Document::Manifest { config, layers } = document::parse(&what, &manifest, "")? else {
        return Err(Error::document(what, "is an index"));
    };
    if layers.len() != saved.diff_ids.len() {
        return Err(Error::document(what, "does not list as many layers as the image has"));
    }
    let config_content = blob::read_document(dirs, "config", &config)?;
    let media_type = layout::media_type(&manifest, &config);
    Ok(Image { saved, manifest, media_type, config, config_content, layers })
}

#[cfg(test)]
mod tests;
