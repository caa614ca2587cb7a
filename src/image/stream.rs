//! One layer on its way to disk, in one pass: written down as it comes, hashed, decompressed,
//! hashed again, unpacked.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;

use super::claim::{Claim, Staging};
use super::codec::{Codec, Decoder, MAGIC_BYTES};
use super::error::{Error, Result};
use super::hashing::{Hashing, check_digest, check_size};
use super::layer::{self, Budget, Open, Problem, Refusal, Unpacked};
use super::limits;
use super::tar_reader::{Reader, Skip};
use crate::model::Digest;
use crate::sys;

/// What is known of a layer's blob before it is read.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    /// The digest of the blob, as it is compressed.
    pub(super) digest: Digest,
    /// Its compression, as its media type says.
    pub(super) codec: Codec,
    /// Its size.
    pub(super) size: u64,
}

/// A layer that was verified and unpacked. It is not durable, has no id yet, and what it leaves
/// open is not completed.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) diff_id: Digest,
    pub(super) blob: Digest,
    pub(super) blob_size: u64,
    pub(super) unpacked: Unpacked,
    pub(super) open: Open,
    // The order matters: the directory goes before the claim does.
    pub(super) directory: Staging,
    pub(super) claim: Claim,
}

/// Unpacks the layer `diff_id` under its claim. `input` has the bytes of its blob from
/// [`Claim::have`] on; they are written down before they are looked at. `progress` is told how
/// many bytes of the blob there are, whenever some have arrived.
///
/// # Errors
/// The layer is not what `diff_id` and `blob` promise, is refused, or cannot be written: then
/// nothing is left of it. Or `input` failed: then what arrived stays, to be gone on with.
pub(super) fn stage(
    diff_id: &Digest,
    blob: &Blob,
    claim: Claim,
    input: impl Read,
    budget: &Budget,
    progress: &dyn Fn(u64),
) -> Result<Staged> {
    let is_cut = Cell::new(false);
    let arrival = Arrival { claim: &claim, input, at: 0, is_cut: &is_cut, progress };
    match unpack(diff_id, blob, &claim, arrival, budget) {
        Ok((directory, unpacked, open)) => Ok(Staged {
            diff_id: diff_id.clone(),
            blob: blob.digest.clone(),
            blob_size: blob.size,
            unpacked,
            open,
            directory,
            claim,
        }),
        Err(error) => {
            if !is_cut.get() {
                claim.discard()?;
            }
            Err(error)
        }
    }
}

/// The bytes of a blob: those that are there already, then those that arrive, written down.
struct Arrival<'a, R> {
    claim: &'a Claim,
    input: R,
    at: u64,
    /// Whether it was `input` that failed.
    is_cut: &'a Cell<bool>,
    progress: &'a dyn Fn(u64),
}

impl<R: Read> Read for Arrival<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let failed = |call, e| io::Error::other(sys::Error::new(call, self.claim.name(), e));
        let there = self.claim.have().saturating_sub(self.at);
        if let Some(copy) = self.claim.copy().filter(|_| there > 0) {
            let wanted = usize::try_from(there).unwrap_or(usize::MAX).min(buffer.len());
            let read =
                copy.read_at(&mut buffer[..wanted], self.at).map_err(|e| failed("read", e))?;
            self.at += read as u64;
            return Ok(read);
        }
        let read = match self.input.read(buffer) {
            Ok(read) => read,
            Err(error) => {
                self.is_cut.set(error.kind() != io::ErrorKind::Interrupted);
                return Err(error);
            }
        };
        if let Some(copy) = self.claim.copy() {
            copy.write_all_at(&buffer[..read], self.at).map_err(|e| failed("write", e))?;
        }
        self.at += read as u64;
        (self.progress)(self.at);
        Ok(read)
    }
}

type Compressed<R> = BufReader<Hashing<io::Take<R>>>;
type Uncompressed<R> = BufReader<Hashing<Decoder<Compressed<R>>>>;

impl<R: Read> Skip for BufReader<Hashing<R>> {}

fn unpack(
    diff_id: &Digest,
    blob: &Blob,
    claim: &Claim,
    input: impl Read,
    budget: &Budget,
) -> Result<(Staging, Unpacked, Open)> {
    let what = format!("layer {diff_id}");
    let directory = claim.new_staging()?;
    let mut reader = Reader::new(open(&what, blob, input)?);
    let (unpacked, open) = layer::unpack(&mut reader, directory.open()?, budget)
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
    let compressed = compressed.into_inner();
    check_size(&what, blob.size, compressed.count())?;
    // The blob of a plain layer is what was hashed for its diff id.
    let plain = (blob.codec == Codec::Plain).then(|| diff_id.clone());
    if let Some(actual) = compressed.digest().or(plain) {
        check_digest(format!("the blob of {what}"), &blob.digest, actual)?;
    }
    Ok((directory, unpacked, open))
}

fn open<R: Read>(what: &str, blob: &Blob, input: R) -> Result<Uncompressed<R>> {
    // One byte more tells a blob that is too long.
    let input = input.take(blob.size.saturating_add(1));
    let hashed = match blob.codec {
        Codec::Plain => Hashing::counting(input),
        Codec::Gzip | Codec::Zstd => Hashing::new(input),
    };
    let mut compressed = BufReader::with_capacity(limits::BUFFER_BYTES, hashed);
    if blob.codec != sniff(what, &mut compressed)? {
        let problem = "is not compressed as its media type says";
        return Err(Error::Compression { what: what.to_owned(), problem });
    }
    let decoder =
        blob.codec.decode(compressed).map_err(|e| Error::from_read(what.to_owned(), e))?;
    Ok(BufReader::with_capacity(limits::BUFFER_BYTES, Hashing::new(decoder)))
}

/// The compression of a stream, by its first bytes.
pub(super) fn sniff(what: &str, input: &mut impl BufRead) -> Result<Codec> {
    let start = input.fill_buf().map_err(|e| Error::from_read(what.to_owned(), e))?;
    Codec::sniff(&start[..start.len().min(MAGIC_BYTES)])
        .map_err(|problem| Error::Compression { what: what.to_owned(), problem })
}

/// What went wrong with the layer `diff_id`.
pub(super) fn explain(diff_id: &Digest, problem: Problem) -> Error {
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
            let setting = if unit == "bytes" { "max_unpacked" } else { "max_entries" };
            Error::OverLimit { limit, unit, setting }
        }
    }
}
