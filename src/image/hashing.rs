//! Digests computed while the bytes pass.

use std::io::{self, BufRead, BufReader, Read};

use sha2::{Digest as _, Sha256};

use super::error::{Error, Result};
use super::limits;
use crate::model::Digest;

/// A reader that hashes and counts what is read through it.
pub(super) struct Hashing<R> {
    inner: R,
    hash: Option<Sha256>,
    count: u64,
}

impl<R: Read> Hashing<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hash: Some(Sha256::new()), count: 0 }
    }

    /// Counts only: for content whose hash is taken at another place of the stream.
    pub(super) fn counting(inner: R) -> Self {
        Self { inner, hash: None, count: 0 }
    }

    /// The bytes read so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The digest of what was read; `None` of a reader that only counts.
    pub(super) fn digest(&self) -> Option<Digest> {
        let hash = self.hash.clone()?;
        Some(Digest::from_sha256(hash.finalize().into()))
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..read]);
        }
        self.count += read as u64;
        Ok(read)
    }
}

/// The digest of `content`.
pub fn digest_of(content: &[u8]) -> Digest {
    Digest::from_sha256(Sha256::digest(content).into())
}

/// The digest of all that can be read from `input`.
pub(super) fn digest_of_stream(what: &str, input: impl Read) -> Result<Digest> {
    let mut input = BufReader::with_capacity(limits::BUFFER_BYTES, input);
    let mut hash = Sha256::new();
    loop {
        let chunk = input.fill_buf().map_err(|e| Error::from_read(what.to_owned(), e))?;
        if chunk.is_empty() {
            return Ok(Digest::from_sha256(hash.finalize().into()));
        }
        hash.update(chunk);
        let count = chunk.len();
        input.consume(count);
    }
}

/// Fails if content has another digest than it should.
pub(super) fn check_digest(
    what: impl Into<String>,
    expected: &Digest,
    actual: Digest,
) -> Result<()> {
    if *expected == actual {
        return Ok(());
    }
    Err(Error::DigestMismatch { what: what.into(), expected: expected.clone(), actual })
}

/// Fails if content has another size than it should.
pub(super) fn check_size(what: impl Into<String>, expected: u64, actual: u64) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(Error::SizeMismatch { what: what.into(), expected, actual })
}
