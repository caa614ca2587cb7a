//! What whoever waits for an image may want to know.

use std::time::Duration;

use crate::model::Digest;

/// Who watches. Layers are fetched side by side, so it is told from several threads.
pub trait Watch: Sync {
    /// Takes note of what happened.
    fn tell(&self, event: &PullEvent<'_>);
}

/// What happens while an image is fetched.
#[derive(Debug, Clone)]
pub enum PullEvent<'a> {
    /// A name was looked up; `size` is that of all layers in bytes, as they come.
    Resolved {
        /// The complete name.
        name: &'a str,
        /// The digest of the manifest.
        digest: &'a Digest,
        /// How many layers it has.
        layers: usize,
        /// Their size in bytes, as they come.
        size: u64,
    },
    /// Another process fetches some of its layers; it is waited for.
    Waiting {
        /// The complete name.
        name: &'a str,
    },
    /// Something became of a layer.
    Layer {
        /// Its position, the lowest is 0.
        index: usize,
        /// The digest of its blob.
        digest: &'a Digest,
        /// What became of it.
        state: LayerState,
    },
    /// A request failed for a passing reason and is repeated after a pause.
    Retry {
        /// What was asked for.
        what: &'a str,
        /// What went wrong.
        problem: &'a str,
        /// How long it is waited.
        pause: Duration,
    },
    /// The image is complete.
    Done {
        /// The complete name.
        name: &'a str,
        /// The digest of the manifest.
        digest: &'a Digest,
    },
}

/// What became of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerState {
    /// It is on disk already.
    Present,
    /// It is being fetched: it has `size` bytes, of which `have` are there from an earlier attempt.
    Started {
        /// The bytes that are there already.
        have: u64,
        /// All of its bytes, as they come.
        size: u64,
    },
    /// So many bytes of it have arrived, in all.
    Progress(u64),
    /// It is verified and unpacked.
    Unpacked,
}

/// Somebody who does not want to know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn tell(&self, _: &PullEvent<'_>) {}
}
