//! The error of the image layer.

use std::io;
use std::path::{Path, PathBuf};

use super::platform::{self, Platform};
use super::registry;
use super::tar_reader::Fault;
use crate::model::Digest;
use crate::sys;

/// What a function of the image layer returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an image could not be loaded or stored.
///
/// Text that came from the image is kept as it was and escaped when the error is displayed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or directory holds neither a docker archive nor an OCI archive or layout.
    #[error("{} is not an image: it {problem}", .path.display().to_string().escape_debug())]
    NotAnImage {
        /// What was to be loaded.
        path: PathBuf,
        /// What it lacks or is.
        problem: &'static str,
    },
    /// The image exists, but not for the platform that was asked for.
    #[error("the image is not for {wanted}; it has {}", platform::list(.found))]
    WrongPlatform {
        /// The platform that was asked for.
        wanted: Platform,
        /// Those the image has.
        found: Vec<Platform>,
    },
    /// The image refers to a blob that is not there.
    #[error("{what} is missing: there is no {}", .name.escape_debug())]
    Missing {
        /// What the blob is.
        what: String,
        /// The name it was looked up by.
        name: String,
    },
    /// A manifest, index or config breaks the specification.
    #[error("{what} {problem}")]
    Document {
        /// The document.
        what: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A manifest, index or config is not the JSON it should be.
    #[error("cannot parse {what}")]
    Json {
        /// The document.
        what: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// Content does not have the digest it was named by.
    #[error("{what} is corrupt: its digest is {actual}, not {expected}")]
    DigestMismatch {
        /// What was read.
        what: String,
        /// The digest it should have.
        expected: Digest,
        /// The digest it has.
        actual: Digest,
    },
    /// Content does not have the size that was announced.
    #[error("{what} is corrupt: it has {actual} bytes, not {expected}")]
    SizeMismatch {
        /// What was read.
        what: String,
        /// The size it should have.
        expected: u64,
        /// The size it has.
        actual: u64,
    },
    /// Content is compressed in a way tank cannot read, or not as its media type says.
    #[error("{what} {problem}")]
    Compression {
        /// What was read.
        what: String,
        /// What it is compressed with.
        problem: &'static str,
    },
    /// Compressed content cannot be decompressed.
    #[error("cannot decompress {what}")]
    Corrupt {
        /// What was read.
        what: String,
        /// What the decoder said.
        source: io::Error,
    },
    /// Content ends too early.
    #[error("{what} is truncated")]
    Truncated {
        /// What was read.
        what: String,
    },
    /// A tar archive breaks the format, or two readers could understand it differently.
    #[error("{what} is not a valid tar archive: at byte {at}: {problem}")]
    Tar {
        /// What was read.
        what: String,
        /// The offset in the uncompressed archive.
        at: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// An entry of a layer is refused.
    #[error("layer {layer}: entry {}: {problem}", .path.escape_debug())]
    Entry {
        /// The layer's diff id.
        layer: Digest,
        /// The entry's path, as the layer has it.
        path: String,
        /// Why.
        problem: &'static str,
    },
    /// An entry of a layer could not be made on disk.
    #[error("cannot unpack entry {} of layer {layer}", .path.escape_debug())]
    Create {
        /// The layer's diff id.
        layer: Digest,
        /// The entry's path, as the layer has it.
        path: String,
        /// The call that failed.
        source: sys::Error,
    },
    /// The image asks for more than tank gives.
    #[error("{what} is too large: more than {limit} {unit}")]
    TooLarge {
        /// What was read.
        what: String,
        /// The limit.
        limit: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// The layers of the image unpack to more than the settings allow.
    #[error(
        "the unpacked image is too large: more than {limit} {unit}; `{setting}` of `[images]` in \
         config.toml is the limit"
    )]
    OverLimit {
        /// The limit.
        limit: u64,
        /// What is counted.
        unit: &'static str,
        /// The setting.
        setting: &'static str,
    },
    /// Something is of a media type that tank has no use for.
    #[error("{what} {problem}: its media type is {media_type:?}")]
    MediaType {
        /// What was read.
        what: String,
        /// What that means.
        problem: &'static str,
        /// The media type.
        media_type: String,
    },
    /// A layer could not be fetched.
    #[error("cannot fetch layer {blob}")]
    Layer {
        /// The digest of the layer as it comes.
        blob: Digest,
        /// Why.
        source: Box<Error>,
    },
    /// A layer was removed while an image that has it, too, was being loaded.
    #[error("layer {layer} was removed meanwhile")]
    LayerGone {
        /// The layer's id.
        layer: Digest,
    },
    /// There is obviously not enough room.
    #[error(
        "not enough space on the disk of {}: at least {need} bytes are needed, {free} are free",
        .path.display()
    )]
    NoSpace {
        /// Where it is missing.
        path: PathBuf,
        /// What an image needs at least.
        need: u64,
        /// What is free.
        free: u64,
    },
    /// A part of an image was not kept as it came, or not long enough.
    #[error("{what} is not kept on this machine")]
    NotKept {
        /// The part.
        what: String,
    },
    /// What is saved cannot be written.
    #[error("cannot write the saved image")]
    Write {
        /// Why.
        source: io::Error,
    },
    /// A registry did not give what was asked of it.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A system call failed.
    #[error(transparent)]
    System(#[from] sys::Error),
}

impl Error {
    /// Whether the disk is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::NoSpace { .. } => true,
            Self::Layer { source, .. } => source.is_disk_full(),
            Self::System(error) | Self::Create { source: error, .. } => {
                error.is(libc::ENOSPC) || error.is(libc::EDQUOT)
            }
            _ => false,
        }
    }

    /// Whether trying again would come to the same, and what has arrived is of no use.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Layer { source, .. } => source.is_refusal(),
            Self::OverLimit { .. }
            | Self::TooLarge { .. }
            | Self::Entry { .. }
            | Self::Tar { .. } => true,
            _ => self.is_disk_full(),
        }
    }

    /// Whether content is not what was promised.
    pub(super) fn is_corruption(&self) -> bool {
        matches!(
            self,
            Self::DigestMismatch { .. }
                | Self::SizeMismatch { .. }
                | Self::Compression { .. }
                | Self::Corrupt { .. }
                | Self::Truncated { .. }
                | Self::Tar { .. }
        )
    }

    /// What went wrong reading a tar archive, at its byte `at`.
    pub(super) fn from_tar(what: impl Into<String>, at: u64, fault: Fault) -> Self {
        let what = what.into();
        match fault {
            Fault::Truncated => Self::Truncated { what },
            Fault::Malformed(problem) => Self::Tar { what, at, problem },
            Fault::TooLarge(limit, unit) => Self::TooLarge { what, limit, unit },
            Fault::Read(source) => Self::from_read(what, source),
        }
    }

    /// What went wrong reading a stream: the registry's fault, the kernel's, or the content's.
    pub(super) fn from_read(what: String, source: io::Error) -> Self {
        // A reader may have had more to say than an io::Error can.
        let source = match registry::Error::from_read(source) {
            Ok(error) => return Self::Registry(error),
            Err(source) => source,
        };
        let source = match source.downcast::<sys::Error>() {
            Ok(error) => return Self::System(error),
            Err(source) => source,
        };
        if source.raw_os_error().is_some() {
            Self::System(sys::Error::new("read", what, source))
        } else if source.kind() == io::ErrorKind::UnexpectedEof {
            Self::Truncated { what }
        } else {
            Self::Corrupt { what, source }
        }
    }

    pub(super) fn write(source: io::Error) -> Self {
        Self::Write { source }
    }

    pub(super) fn media_type(
        what: impl Into<String>,
        problem: &'static str,
        media_type: String,
    ) -> Self {
        Self::MediaType { what: what.into(), problem, media_type }
    }

    pub(super) fn document(what: impl Into<String>, problem: &'static str) -> Self {
        Self::Document { what: what.into(), problem }
    }

    pub(super) fn not_an_image(path: &Path, problem: &'static str) -> Self {
        Self::NotAnImage { path: path.to_owned(), problem }
    }
}
