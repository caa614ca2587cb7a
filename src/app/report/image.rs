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
