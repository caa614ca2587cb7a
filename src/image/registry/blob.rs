//! Blobs: layers and configs, resumed where they were cut.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-blobs>

use std::io::{self, Read};

use ureq::http::header::{CONTENT_RANGE, RANGE};
use ureq::http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::endpoint::{self, Endpoint};
use super::error::{Error, Result};
use super::http::Body;
use super::manifest::wrong_digest;
use super::retry::{Retry, tell};
use super::subject::Subject;
use super::{Client, limits};
use crate::image::hashing::digest_of;
use crate::image::progress::Watch;
use crate::model::Digest;
use crate::model::image_name::ImageName;

/// How many new bytes make a failed attempt a success, after which it may fail again as often.
const PROGRESS: u64 = 1 << 10;

impl Client {
    /// Reads the blob `digest` of `size` bytes from its byte `from`, at most `size`, on.
    ///
    /// The first request is made at once. What is read is not verified: it is the reader's to
    /// hash.
    ///
    /// # Errors
    /// The registry does not have it or does not give it, or it has another size.
    pub fn blob<'a>(
        &'a self,
        name: &'a ImageName,
        digest: &'a Digest,
        size: u64,
        from: u64,
        watch: &'a dyn Watch,
    ) -> Result<BlobReader<'a>> {
        let mut reader = BlobReader {
            client: self,
            what: format!("blob {digest} of {}/{}", name.registry, name.repository),
            digest,
            endpoints: endpoint::of(&self.registries, name),
            current: 0,
            size,
            position: from,
            failed_at: from,
            body: None,
            retry: Retry::new(self.retries, watch),
            watch,
        };
        while reader.position < size && reader.body.is_none() {
            if let Err(error) = reader.open() {
                reader.recover(error)?;
            }
        }
        Ok(reader)
    }

    /// Reads a small blob, such as a config, whole. Its digest is verified.
    ///
    /// # Errors
    /// Those of [`Self::blob`]; it is larger than [`limits::DOCUMENT_BYTES`] or not what its
    /// digest says.
    pub fn document(
        &self,
        name: &ImageName,
        digest: &Digest,
        size: u64,
        watch: &dyn Watch,
    ) -> Result<Vec<u8>> {
        let what = format!("blob {digest} of {}/{}", name.registry, name.repository);
        let subject = Subject { registry: &name.registry, what: &what };
        if size > limits::DOCUMENT_BYTES {
            return Err(subject.too_large(limits::DOCUMENT_BYTES));
        }
        let mut content = Vec::new();
        self.blob(name, digest, size, 0, watch)?.read_to_end(&mut content).map_err(|e| {
            Error::from_read(e).unwrap_or_else(|e| subject.cut(e, self.http.stall_timeout()))
        })?;
        let actual = digest_of(&content);
        if actual != *digest {
            return Err(wrong_digest(subject, digest.clone(), actual));
        }
        Ok(content)
    }
}

/// The bytes of a blob. Connections that break are opened again at the byte where they broke;
/// what cannot be had is an [`io::Error`] that holds an [`Error`], see [`Error::from_read`].
pub struct BlobReader<'a> {
    client: &'a Client,
    what: String,
    digest: &'a Digest,
    endpoints: Vec<Endpoint>,
    current: usize,
    size: u64,
    position: u64,
    /// The position at the last failure.
    failed_at: u64,
    body: Option<Body>,
    retry: Retry<'a>,
    watch: &'a dyn Watch,
}

impl std::fmt::Debug for BlobReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader")
            .field("what", &self.what)
            .field("position", &self.position)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.position < self.size {
            match self.read_some(buffer) {
                Ok(read) => return Ok(read),
                Err(error) => self.recover(error).map_err(io::Error::other)?,
            }
        }
        self.finish().map_err(io::Error::other)?;
        Ok(0)
    }
}

impl BlobReader<'_> {
    /// Reads at least one byte.
    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.body.is_none() {
            self.open()?;
        }
        let left = usize::try_from(self.size - self.position).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let body = self.body.as_mut().map(|body| body.read(&mut buffer[..wanted]));
        match body.unwrap_or(Ok(0)) {
            Ok(0) => Err(self.ended_early()),
            Ok(read) => {
                self.position += read as u64;
                Ok(read)
            }
            Err(error) => Err(self.cut(error)),
        }
    }

    /// Asks for the bytes from the position on.
    fn open(&mut self) -> Result<()> {
        let endpoint = &self.endpoints[self.current];
        let subject = Subject { registry: &endpoint.registry, what: &self.what };
        let mut headers = HeaderMap::new();
        if self.position > 0 {
            let range = format!("bytes={}-{}", self.position, self.size - 1);
            let range = HeaderValue::from_str(&range)
                .map_err(|_| subject.protocol("cannot be asked for"))?;
            headers.insert(RANGE, range);
        }
        let path = format!("blobs/{}", self.digest);
        let response = self.client.ask(endpoint, subject, Method::GET, &path, headers)?;
        let mut body = response.body;
        if response.status == StatusCode::PARTIAL_CONTENT {
            check_range(&response.headers, self.position, self.size)
                .map_err(|problem| subject.protocol(problem))?;
        } else {
            if let Some(length) = body.length().filter(|length| *length != self.size) {
                return Err(wrong_size(subject, self.size, length.to_string()));
            }
            // The registry starts over: what is there already is skipped.
            let skipped = io::copy(&mut (&mut body).take(self.position), &mut io::sink());
            let timeout = self.client.http.stall_timeout();
            if skipped.map_err(|e| subject.cut(e, timeout))? < self.position {
                return Err(self.ended_early());
            }
        }
        self.body = Some(body);
        Ok(())
    }

    /// Makes sure that the registry sends no more than it should, which also leaves the connection
    /// free for the next request.
    fn finish(&mut self) -> Result<()> {
        let Some(mut body) = self.body.take() else { return Ok(()) };
        // All bytes are there: how the connection ends does not matter.
        if matches!(body.read(&mut [0]), Ok(1..)) {
            return Err(wrong_size(self.subject(), self.size, "more".to_owned()));
        }
        Ok(())
    }

    /// Prepares the next attempt: at the next place while there is one, else here after a pause.
    fn recover(&mut self, error: Error) -> Result<()> {
        self.body = None;
        let progressed = self.position - self.failed_at >= PROGRESS;
        self.failed_at = self.position;
        let is_mirror = self.current + 1 < self.endpoints.len();
        if is_mirror && !(progressed && error.is_passing()) {
            tell(self.watch, &self.what, &error, std::time::Duration::ZERO);
            self.current += 1;
            return Ok(());
        }
        if progressed {
            self.retry.progressed();
        }
        self.retry.wait(&self.what, error)
    }

    fn subject(&self) -> Subject<'_> {
        Subject { registry: &self.endpoints[self.current].registry, what: &self.what }
    }

    fn cut(&self, error: io::Error) -> Error {
        self.subject().cut(error, self.client.http.stall_timeout())
    }

    fn ended_early(&self) -> Error {
        let problem = format!("it ended after {} of {} bytes", self.position, self.size);
        self.cut(io::Error::new(io::ErrorKind::UnexpectedEof, problem))
    }
}

fn wrong_size(subject: Subject<'_>, expected: u64, actual: String) -> Error {
    let (registry, what) = (subject.registry.to_owned(), subject.what.to_owned());
    Error::WrongSize { registry, what, expected, actual }
}

/// Fails if a part is not one that begins at `from` of content of `size` bytes (RFC 9110, 14.4).
fn check_range(headers: &HeaderMap, from: u64, size: u64) -> std::result::Result<(), &'static str> {
    let text = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let range = text.and_then(|text| text.trim().strip_prefix("bytes ")).and_then(|range| {
        let (part, whole) = range.split_once('/')?;
        let (first, last) = part.split_once('-')?;
        let number = |text: &str| text.trim().parse::<u64>().ok();
        Some((number(first)?, number(last)?, whole.trim()))
    });
    let Some((first, last, whole)) = range else { return Err("has a part of no known range") };
    if first != from || last < first || last >= size {
        return Err("has another part than the one that was asked for");
    }
    if whole != "*" && whole.parse() != Ok(size) {
        return Err("is a part of content of another size");
    }
    Ok(())
}
