//! What images are on disk.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::Digest;

/// Every image on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImageListReport {
    /// The images.
    pub images: Vec<ImageReport>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageReport {
    /// The names that point at it.
    pub names: Vec<String>,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Its platform: `linux/amd64`.
    pub platform: Option<String>,
    /// The size of its unpacked layers, in bytes.
    pub size: u64,
    /// When it was built, as it says itself.
    pub created_at: Option<Timestamp>,
    /// When it was loaded.
    pub loaded_at: Option<Timestamp>,
}

/// One image in full.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImageInspectReport {
    /// The image in a line.
    #[serde(flatten)]
    pub image: ImageReport,
    /// Its layers, lowest first.
    pub layers: Vec<LayerReport>,
    /// Its configuration: <https://github.com/opencontainers/image-spec/blob/main/config.md>
    pub config: serde_json::Value,
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerReport {
    /// The digest of its uncompressed archive.
    pub diff_id: Digest,
    /// Its size when unpacked, in bytes.
    pub size: u64,
}

/// A name that was taken from an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRemoveReport {
    /// The name or the digest, as it was given.
    pub name: String,
    /// The digest of the image's manifest.
    pub digest: Digest,
    /// Whether the image is gone; if not, other names lead to it.
    pub removed: bool,
}

/// A name that was given to an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageTagReport {
    /// The complete name.
    pub name: String,
    /// The digest of the image's manifest.
    pub digest: Digest,
    /// The digest of the image that had the name before, if it was another.
    pub replaced: Option<Digest>,
}

/// What was, or would be, removed because nothing needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImagePruneReport {
    /// The images, with the names they had.
    pub images: Vec<ImageReport>,
    /// How many unpacked layers.
    pub layers: usize,
    /// The bytes of those layers and of what was kept of the images as they came, each once.
    pub freed: u64,
}

/// An image that was asked for from its registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImagePullReport {
    /// The complete name that was asked for.
    pub name: String,
    /// Whether the name led to another image, or none, before.
    pub changed: bool,
    /// The image.
    #[serde(flatten)]
    pub image: ImageReport,
}

/// A registry that was logged in to or out of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoginReport {
    /// The registry.
    pub registry: String,
    /// The file in which its credentials are, or were.
    pub file: String,
}
