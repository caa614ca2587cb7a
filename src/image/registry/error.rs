//! The error of talking to a registry.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::credentials::CredentialSource;
use crate::model::Digest;
use crate::sys;

/// What a function of the registry client returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be had from a registry.
///
/// `registry` is the host that was spoken to: the registry, its mirror, or its token server.
/// What that host wrote is escaped and cut, see [`Answer`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry does not have it (404).
    #[error("{registry} has no {what}{answer}")]
    NotFound {
        /// The host.
        registry: String,
        /// What was asked for.
        what: String,
        /// What the registry wrote.
        answer: Answer,
    },
    /// The registry wants other credentials, or nobody may have it (401, 403).
    #[error("{registry} denies access to {what} with status {status} ({credentials}){answer}")]
    Denied {
        /// The host.
        registry: String,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// The credentials that were used.
        credentials: CredentialSource,
        /// What the registry wrote.
        answer: Answer,
    },
    /// The registry limits requests, and did so until the retries were used up (429).
    #[error("{registry} gets too many requests and refuses the one for {what}{answer}")]
    TooManyRequests {
        /// The host.
        registry: String,
        /// What was asked for.
        what: String,
        /// What the registry wrote.
        answer: Answer,
        /// When the registry wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The registry answers with any other status that is not a success.
    #[error("{registry} answers the request for {what} with status {status}{answer}")]
    Status {
        /// The host.
        registry: String,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// What the registry wrote.
        answer: Answer,
        /// When the registry wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// There is no connection to the registry, or it broke before all had arrived.
    #[error("cannot get {what} from {registry}")]
    Connection {
        /// The host.
        registry: String,
        /// What was asked for.
        what: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The registry sent nothing, or next to nothing, for too long.
    #[error("{registry} stalled for {} s while it was asked for {what}", .timeout.as_secs_f64())]
    Stalled {
        /// The host.
        registry: String,
        /// What was asked for.
        what: String,
        /// How long it was waited.
        timeout: Duration,
    },
    /// Nobody who is trusted signed the certificate of the registry.
    #[error(
        "the certificate of {registry} is signed by nobody who is trusted; `[registries] \
         ca_certificates` can name the authority that signed it"
    )]
    UnknownAuthority {
        /// The host.
        registry: String,
        /// What TLS makes of it.
        source: rustls::Error,
    },
    /// The certificate of the registry is not valid, or not its own.
    #[error("cannot accept the certificate of {registry}")]
    Certificate {
        /// The host.
        registry: String,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// The registry does not speak TLS.
    #[error(
        "{registry} does not speak TLS; `[registries] insecure` can name it, to use it over plain \
         HTTP"
    )]
    PlainHttp {
        /// The host.
        registry: String,
    },
    /// The registry and tank cannot agree on TLS.
    #[error("cannot speak TLS with {registry}")]
    Tls {
        /// The host.
        registry: String,
        /// What went wrong.
        source: rustls::Error,
    },
    /// The registry breaks a protocol.
    #[error("{registry} answers the request for {what} in a way that {problem}")]
    Protocol {
        /// The host.
        registry: String,
        /// What was asked for.
        what: String,
        /// What is wrong.
        problem: String,
    },
    /// Content does not have the digest it was asked for by or announced with.
    #[error("{registry} sends a wrong {what}: its digest is {actual}, not {expected}")]
    WrongDigest {
        /// The host.
        registry: String,
        /// What was asked for.
        what: String,
        /// The digest it should have.
        expected: Digest,
        /// The digest it has.
        actual: Digest,
    },
    /// Content does not have the size that the manifest declares.
    #[error("{registry} sends a wrong {what}: it has {actual}, not {expected} bytes")]
    WrongSize {
        /// The host.
        registry: String,
        /// What was asked for.
        what: String,
        /// The size it should have.
        expected: u64,
        /// The size it has, or `more`.
        actual: String,
    },
    /// A document is larger than tank reads.
    #[error("{what} of {registry} is too large: more than {limit} bytes")]
    TooLarge {
        /// The host.
        registry: String,
        /// What was asked for.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// A file of credentials, or the helper that it names, gives none.
    #[error("cannot get credentials for {registry} from {}", .file.display())]
    Credentials {
        /// The registry.
        registry: String,
        /// The file.
        file: PathBuf,
        /// What went wrong.
        source: CredentialError,
    },
    /// A file of credentials cannot be parsed.
    #[error("cannot parse {}", .file.display())]
    CredentialFile {
        /// The file.
        file: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A file of certificates has none.
    #[error("{file} has no certificate in the PEM format")]
    NoCertificate {
        /// The file.
        file: String,
    },
    /// A mirror of the settings is not a host.
    #[error("{} is not a mirror like host:5000/prefix", .mirror.escape_debug())]
    Mirror {
        /// What the settings say.
        mirror: String,
    },
    /// A system call failed.
    #[error(transparent)]
    System(#[from] sys::Error),
}

impl Error {
    /// Whether the same request may succeed a little later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::TooManyRequests { .. } | Self::Stalled { .. } => true,
            Self::Status { status, .. } => *status == 408 || is_passing_fault(*status),
            // Names that do not resolve and addresses without a route stay so; resets, refusals by
            // a registry that is being restarted and bodies that end early pass.
            Self::Connection { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::NotConnected
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::TimedOut
                    | io::ErrorKind::UnexpectedEof
            ),
            _ => false,
        }
    }

    /// When the registry wants to be asked again, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after, .. } | Self::Status { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }

    /// Takes the error back out of what a [`BlobReader`](super::BlobReader) returned.
    ///
    /// # Errors
    /// The error is not one of a registry.
    pub fn from_read(error: io::Error) -> std::result::Result<Self, io::Error> {
        error.downcast::<Self>()
    }
}

/// 501 and 505 say that a request is not understood, which repeating it does not change.
fn is_passing_fault(status: u16) -> bool {
    (500..600).contains(&status) && !matches!(status, 501 | 505)
}

/// What a registry wrote about a failure, safe to print: `: ` and at most 200 characters without
/// control characters, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer(String);

/// The most characters of a registry's own words that are repeated.
const ANSWER_CHARACTERS: usize = 200;

impl Answer {
    /// Escapes and cuts a registry's words.
    pub(super) fn new(text: &str) -> Self {
        let escaped = text.trim().chars().flat_map(char::escape_debug);
        Self(escaped.take(ANSWER_CHARACTERS).collect())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ": {}", self.0) }
    }
}

/// Why a file of credentials gives none; the words of a helper are escaped and cut.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The file is not what Docker and Podman write.
    #[error("it is not a file of credentials as docker and podman write it")]
    Malformed,
    /// The program that keeps the credentials cannot be run or does not answer as it should.
    #[error("the credential helper cannot be run, or its answer is not understood")]
    HelperUnusable,
    /// The program that keeps the credentials fails.
    #[error("{helper} fails{words}")]
    HelperFailed {
        /// The program.
        helper: String,
        /// What it wrote.
        words: Answer,
    },
}
