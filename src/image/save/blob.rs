//! Blobs as they were kept, read and verified.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};

use rustix::fs::{self as rfs, FileType, Mode, OFlags};

use crate::image::codec::Codec;
use crate::image::dirs::ImageDirs;
use crate::image::document::Descriptor;
use crate::image::error::{Error, Result};
use crate::image::hashing::{Hashing, check_digest, check_size};
use crate::image::limits;
use crate::model::Digest;
use crate::sys;

/// Fails if a blob is not kept.
pub(super) fn require(dirs: &ImageDirs, kind: &str, blob: &Descriptor) -> Result<()> {
    open(dirs, kind, blob).map(drop)
}

/// A small blob.
pub(super) fn read_document(dirs: &ImageDirs, kind: &str, blob: &Descriptor) -> Result<Vec<u8>> {
    if blob.size > limits::DOCUMENT_BYTES {
        let (what, limit) = (name(kind, blob), limits::DOCUMENT_BYTES);
        return Err(Error::TooLarge { what, limit, unit: "bytes" });
    }
    let mut content = Vec::new();
    copy(dirs, kind, blob, &mut content)?;
    Ok(content)
}

/// Copies a blob as it is, to an output whose failures name themselves.
pub(super) fn copy(
    dirs: &ImageDirs,
    kind: &str,
    blob: &Descriptor,
    output: &mut dyn Write,
) -> Result<()> {
    let mut input = Hashing::new(open(dirs, kind, blob)?);
    pump(&name(kind, blob), &mut input, output)?;
    verify(&name(kind, blob), blob, &input)
}

/// Copies a layer decompressed and gives its size so; the blob and the result are verified.
pub(super) fn copy_plain(
    dirs: &ImageDirs,
    blob: &Descriptor,
    diff_id: &Digest,
    output: &mut dyn Write,
) -> Result<u64> {
    let what = name("layer", blob);
    let Some(codec) = Codec::from_media_type(&blob.media_type) else {
        let problem = "is of a media type that is not a layer's, or not supported";
        return Err(Error::Compression { what, problem });
    };
    let input = Hashing::new(open(dirs, "layer", blob)?);
    let decoder = codec
        .decode(BufReader::with_capacity(limits::BUFFER_BYTES, input))
        .map_err(|e| Error::from_read(what.clone(), e))?;
    let mut plain = Hashing::new(decoder);
    pump(&what, &mut plain, output)?;
    if let Some(actual) = plain.digest() {
        check_digest(format!("the content of {what}"), diff_id, actual)?;
    }
    let size = plain.count();
    let mut input = plain.into_inner().into_inner();
    io::copy(&mut input, &mut io::sink()).map_err(|e| Error::from_read(what.clone(), e))?;
    verify(&what, blob, &input.into_inner())?;
    Ok(size)
}

fn name(kind: &str, blob: &Descriptor) -> String {
    format!("{kind} {}", blob.digest)
}

fn open(dirs: &ImageDirs, kind: &str, blob: &Descriptor) -> Result<File> {
    let path = dirs.blob_path(&blob.digest);
    let error = |call, errno| sys::Error::new(call, path.display().to_string(), errno);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rfs::open(&path, flags, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => return Err(Error::NotKept { what: name(kind, blob) }),
        file => file.map_err(|errno| error("open", errno))?,
    };
    let stat = rfs::fstat(&file).map_err(|errno| error("fstat", errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(error("read", rustix::io::Errno::INVAL).into());
    }
    check_size(name(kind, blob), blob.size, stat.st_size.cast_unsigned())?;
    Ok(file.into())
}

fn verify<R: Read>(what: &str, blob: &Descriptor, read: &Hashing<R>) -> Result<()> {
    check_size(what, blob.size, read.count())?;
    match read.digest() {
        Some(actual) => check_digest(what, &blob.digest, actual),
        None => Ok(()),
    }
}

/// Copies to the end. Reading and writing fail with errors of their own.
fn pump(what: &str, input: &mut dyn Read, output: &mut dyn Write) -> Result<()> {
    let mut buffer = vec![0; limits::BUFFER_BYTES];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Error::from_read(what.to_owned(), e)),
        };
        output.write_all(&buffer[..count]).map_err(Error::write)?;
    }
}
