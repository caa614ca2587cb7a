//! One layer on its way to disk, in one pass: hashed as it comes, decompressed, hashed again,
//! unpacked.

use std::io::{self, BufRead, BufReader, Read};

use super::codec::{Codec, Decoder, MAGIC_BYTES};
use super::dirs::{Exclusive, NewLayer};
use super::error::{Error, Result};
use super::hashing::{Hashing, check_digest, check_size};
use super::layer::{self, Budget, Problem, Refusal, Unpacked};
use super::limits;
use super::tar_reader::{Reader, Skip};
use crate::model::Digest;

/// What is known of a layer's blob before it is read.
#[derive(Debug)]
pub(super) struct Blob {
    /// The digest of the blob, as it is compressed.
    pub(super) digest: Digest,
    /// Its compression, as its media type says.
    pub(super) codec: Codec,
    /// Its size.
    pub(super) size: u64,
}

type Compressed<'a> = BufReader<Hashing<Box<dyn Read + 'a>>>;
type Uncompressed<'a> = BufReader<Hashing<Decoder<Compressed<'a>>>>;

impl<R: Read> Skip for BufReader<Hashing<R>> {}

/// Unpacks the layer `diff_id` from `input`. The layer is returned only if it is what `diff_id`
/// and `blob` promise.
pub(super) fn unpack(
    exclusive: &Exclusive<'_>,
    diff_id: &Digest,
    blob: Option<&Blob>,
    input: Box<dyn Read + '_>,
    budget: &mut Budget,
) -> Result<(NewLayer, Unpacked)> {
    let what = format!("layer {diff_id}");
    let layer = exclusive.new_layer()?;
    let mut reader = Reader::new(open(&what, blob, input)?);
    let unpacked = layer::unpack(&mut reader, layer.open()?, budget)
        .map_err(|problem| explain(diff_id, problem))?;
    let uncompressed = reader.into_inner().into_inner();
    if let Some(actual) = uncompressed.digest() {
        check_digest(&what, diff_id, actual)?;
    }
    let mut compressed = uncompressed.into_inner().into_inner();
    let rest = io::copy(&mut compressed, &mut io::sink())
        .map_err(|e| Error::from_read(what.clone(), e))?;
    if rest > 0 {
        let problem = "has data after its compressed content";
        return Err(Error::Compression { what, problem });
    }
    if let Some(blob) = blob {
        let compressed = compressed.into_inner();
        check_size(&what, blob.size, compressed.count())?;
        // The blob of a plain layer is what was hashed for its diff id.
        let plain = (blob.codec == Codec::Plain).then(|| diff_id.clone());
        if let Some(actual) = compressed.digest().or(plain) {
            check_digest(format!("the blob of {what}"), &blob.digest, actual)?;
        }
    }
    Ok((layer, unpacked))
}

fn open<'a>(
    what: &str,
    blob: Option<&Blob>,
    input: Box<dyn Read + 'a>,
) -> Result<Uncompressed<'a>> {
    let input: Box<dyn Read + 'a> = match blob {
        // One byte more tells a blob that is too long.
        Some(blob) => Box::new(input.take(blob.size.saturating_add(1))),
        None => input,
    };
    let hashed = match blob {
        Some(blob) if blob.codec != Codec::Plain => Hashing::new(input),
        _ => Hashing::counting(input),
    };
    let mut compressed = BufReader::with_capacity(limits::BUFFER_BYTES, hashed);
    let codec = sniff(what, &mut compressed)?;
    if blob.is_some_and(|blob| blob.codec != codec) {
        let problem = "is not compressed as its media type says";
        return Err(Error::Compression { what: what.to_owned(), problem });
    }
    let decoder = codec.decode(compressed).map_err(|e| Error::from_read(what.to_owned(), e))?;
    Ok(BufReader::with_capacity(limits::BUFFER_BYTES, Hashing::new(decoder)))
}

/// The compression of a stream, by its first bytes.
pub(super) fn sniff(what: &str, input: &mut impl BufRead) -> Result<Codec> {
    let start = input.fill_buf().map_err(|e| Error::from_read(what.to_owned(), e))?;
    Codec::sniff(&start[..start.len().min(MAGIC_BYTES)])
        .map_err(|problem| Error::Compression { what: what.to_owned(), problem })
}

fn explain(diff_id: &Digest, problem: Problem) -> Error {
    let layer = diff_id.clone();
    let text = |path: Vec<u8>| String::from_utf8_lossy(&path).into_owned();
    match problem {
        Problem::Tar(at, fault) => Error::from_tar(format!("layer {layer}"), at, fault),
        Problem::Entry(path, Refusal::Because(problem)) => {
            Error::Entry { layer, path: text(path), problem }
        }
        Problem::Entry(path, Refusal::System(source)) => {
            Error::Create { layer, path: text(path), source }
        }
        Problem::Entry(_, Refusal::Read(fault)) => {
            Error::from_tar(format!("layer {layer}"), 0, fault)
        }
        Problem::TooLarge { limit, unit } => {
            Error::TooLarge { what: "the unpacked image".to_owned(), limit, unit }
        }
    }
}
