//! From a config and streams of layers to a verified image, wherever they come from.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use jiff::Timestamp;

use super::claim::Claim;
use super::complete::{Completed, LayerInfo, LayerSource, chain_ids, complete, publish};
use super::config::{self, ImageConfig};
use super::dirs::{Exclusive, ImageDirs};
use super::error::{Error, Result};
use super::layer::Budget;
use super::limits;
use super::platform::Platform;
use super::stream::{self, Blob};
use crate::model::Digest;
use crate::model::settings::ImageSettings;

/// An image whose layers are on disk, verified and durable. It is not *ready* until the database
/// says so.
#[derive(Debug, Clone)]
pub struct LoadedImage {
    /// Its names, complete (`docker.io/library/busybox:latest`); none if it came without.
    pub names: Vec<String>,
    /// The digest of its manifest. A docker archive has none; then that of one made for it.
    pub manifest: Digest,
    /// The digest of its config: the image's id.
    pub config: Digest,
    /// What it says about the program to run.
    pub image_config: ImageConfig,
    /// Its layers, the lowest first.
    pub layers: Vec<LayerInfo>,
    /// When it was made, by its own account.
    pub created: Option<Timestamp>,
    /// The size of its layers in bytes, as they came: compressed, if they were.
    pub size: u64,
}

/// A document with its digest.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) digest: Digest,
    pub(super) content: Vec<u8>,
}

/// A layer that can be read.
pub(super) struct Layer<'a> {
    /// What its descriptor says.
    pub(super) blob: Blob,
    /// Opens it. Not called for a layer that is ready.
    pub(super) open: Box<dyn FnOnce() -> Result<Box<dyn Read + 'a>> + 'a>,
}

/// An image that can be read.
pub(super) struct Image<'a> {
    pub(super) names: Vec<String>,
    pub(super) manifest: Verified,
    pub(super) config: Verified,
    pub(super) layers: Vec<Layer<'a>>,
}

/// What is known of a layer before it is on disk.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) diff_id: Digest,
    pub(super) chain_id: Digest,
    pub(super) blob: Digest,
}

/// Layers of an image: those that are ready, and claims on those that are not.
#[derive(Debug)]
pub(super) struct Claimed {
    /// The id by which each layer is ready, if it is.
    pub(super) ready: Vec<Option<Digest>>,
    /// By the digest of the blob; it may be of several layers of the image.
    pub(super) claims: BTreeMap<Digest, Claim>,
}

/// What the database has as ready; asked for anew whenever it may have changed.
pub(super) type Ready<'a, E> = &'a dyn Fn() -> std::result::Result<BTreeSet<Digest>, E>;

/// The layers of an image: their diff ids with their blobs, which must be as many.
pub(super) fn wanted(
    what: &str,
    diff_ids: &[Digest],
    blobs: impl ExactSizeIterator<Item = Digest>,
) -> Result<Vec<Wanted>> {
    if diff_ids.len() != blobs.len() {
        return Err(Error::document(what, "does not list as many layers as the image has"));
    }
    let mut contents = BTreeMap::new();
    let blobs: Vec<Digest> = blobs.collect();
    if blobs.iter().zip(diff_ids).any(|(blob, id)| *contents.entry(blob).or_insert(id) != id) {
        return Err(Error::document(what, "has two contents for one layer"));
    }
    if diff_ids.len() > limits::LAYERS {
        let (what, limit) = (what.to_owned(), limits::LAYERS as u64);
        return Err(Error::TooLarge { what, limit, unit: "layers" });
    }
    let ids = diff_ids.iter().cloned().zip(chain_ids(diff_ids));
    let all = ids.zip(blobs).map(|((diff_id, chain_id), blob)| Wanted { diff_id, chain_id, blob });
    Ok(all.collect())
}

/// Claims the layers that are not ready. Those that somebody else has a claim on are waited for,
/// after `waiting` was told; then they usually are ready.
pub(super) fn claim<E: From<Error>>(
    dirs: &ImageDirs,
    wanted: &[Wanted],
    ready: Ready<'_, E>,
    waiting: &dyn Fn(),
) -> std::result::Result<Claimed, E> {
    let mut claims = BTreeMap::new();
    loop {
        let known = ready()?;
        let find = |layer: &Wanted| {
            let ids = [&layer.diff_id, &layer.chain_id];
            ids.into_iter().find(|id| known.contains(*id) && dirs.has_layer(id)).cloned()
        };
        let ready: Vec<_> = wanted.iter().map(find).collect();
        let missing: BTreeSet<&Digest> = (wanted.iter().zip(&ready))
            .filter(|(_, ready)| ready.is_none())
            .map(|(layer, _)| &layer.blob)
            .collect();
        claims.retain(|blob, _| missing.contains(blob));
        if claims.len() == missing.len() {
            return Ok(Claimed { ready, claims });
        }
        // All anew, so that everybody claims in the same order.
        claims.clear();
        for blob in missing {
            claims.insert(blob.clone(), claim_one(dirs, blob, waiting)?);
        }
    }
}

/// Claims a layer; while somebody else has it, waits, after `waiting` was told.
fn claim_one(dirs: &ImageDirs, blob: &Digest, waiting: &dyn Fn()) -> Result<Claim> {
    loop {
        if let Some(claim) = dirs.claim(blob, false)? {
            return Ok(claim);
        }
        waiting();
        if let Some(claim) = dirs.claim(blob, true)? {
            return Ok(claim);
        }
    }
}

/// Reads a config, and checks that it is for the platform.
pub(super) fn config(config: &Verified, platform: &Platform) -> Result<config::ParsedConfig> {
    let parsed = config::parse(&format!("config {}", config.digest), &config.content)?;
    let mut made_for = parsed.config.platform.clone();
    // Many builders name the variant in the index alone.
    made_for.variant = made_for.variant.or_else(|| platform.variant.clone());
    if platform.suitability(&made_for).is_none() {
        let (wanted, found) = (platform.clone(), vec![parsed.config.platform]);
        return Err(Error::WrongPlatform { wanted, found });
    }
    Ok(parsed)
}

/// An image that is on disk but for its names; it holds the claims on its new layers.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) names: Vec<String>,
    pub(super) manifest: Verified,
    pub(super) config: Verified,
    pub(super) parsed: config::ParsedConfig,
    pub(super) completed: Completed,
    pub(super) size: u64,
}

impl Image<'_> {
    /// Brings to disk what is not there yet.
    pub(super) fn prepare<E: From<Error>>(
        self,
        dirs: &ImageDirs,
        platform: &Platform,
        settings: &ImageSettings,
        ready: Ready<'_, E>,
    ) -> std::result::Result<Prepared, E> {
        let parsed = config(&self.config, platform)?;
        let what = format!("config {}", self.config.digest);
        let blobs = self.layers.iter().map(|layer| layer.blob.digest.clone());
        let wanted = wanted(&what, &parsed.diff_ids, blobs)?;
        let size = self.layers.iter().fold(0_u64, |sum, one| sum.saturating_add(one.blob.size));
        let claimed = claim(dirs, &wanted, ready, &|| {})?;
        let budget = Budget::new(settings.max_unpacked, settings.max_entries);
        let layers = stage_all(wanted, claimed, self.layers, &budget, settings.keep_blobs)?;
        let completed = complete(dirs, layers, &budget)?;
        let Self { names, manifest, config, .. } = self;
        Ok(Prepared { names, manifest, config, parsed, completed, size })
    }
}

fn stage_all(
    wanted: Vec<Wanted>,
    Claimed { ready, mut claims }: Claimed,
    layers: Vec<Layer<'_>>,
    budget: &Budget,
    keep_blobs: bool,
) -> Result<Vec<LayerSource>> {
    let mut sources = Vec::with_capacity(layers.len());
    let mut staged: BTreeMap<Digest, usize> = BTreeMap::new();
    for (position, ((wanted, ready), layer)) in
        wanted.into_iter().zip(ready).zip(layers).enumerate()
    {
        let Wanted { diff_id, blob: digest, .. } = wanted;
        let blob = layer.blob;
        sources.push(if let Some(id) = ready {
            LayerSource::Ready { id, diff_id, blob: digest, blob_size: blob.size }
        } else if let Some(claim) = claims.remove(&digest) {
            let claim = claim.without_resuming()?;
            let claim = if keep_blobs { claim } else { claim.without_copy()? };
            let input = (layer.open)()?;
            let one = stream::stage(&diff_id, &blob, claim, input, budget, &|_| {})?;
            staged.insert(digest, position);
            LayerSource::New(Box::new(one))
        } else {
            match staged.get(&digest) {
                Some(earlier) => LayerSource::Same(*earlier),
                None => return Err(Error::LayerGone { layer: diff_id }),
            }
        });
    }
    Ok(sources)
}

impl Prepared {
    /// Makes the image durable and gives its layers their names; `ready` are those that the
    /// database has as ready now, in this turn. It is to be dropped after the database knows.
    pub(super) fn publish(
        &mut self,
        exclusive: &Exclusive<'_>,
        ready: &BTreeSet<Digest>,
        keep_blobs: bool,
    ) -> Result<LoadedImage> {
        let layers = publish(exclusive, &mut self.completed, ready, keep_blobs)?;
        for document in [&self.manifest, &self.config] {
            exclusive.write_blob(&document.digest, &document.content)?;
        }
        Ok(LoadedImage {
            names: self.names.clone(),
            manifest: self.manifest.digest.clone(),
            config: self.config.digest.clone(),
            image_config: self.parsed.config.clone(),
            layers,
            created: self.parsed.created,
            size: self.size,
        })
    }
}
