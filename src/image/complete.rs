//! From unpacked layers to layers with ids, and with names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::dirs::{Exclusive, ImageDirs, is_empty};
use super::error::{Error, Result};
use super::layer::{self, Budget, Stack, Unpacked};
use super::limits;
use super::stream::{Staged, explain};
use crate::model::Digest;

/// One layer of an image, wherever it is by now.
#[derive(Debug)]
pub(super) enum LayerSource {
    /// It is ready.
    Ready { id: Digest, diff_id: Digest, blob: Digest, blob_size: u64 },
    /// It was unpacked.
    New(Box<Staged>),
    /// It comes from the same blob as an earlier layer of the image.
    Same(usize),
}

/// A layer of a loaded image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerInfo {
    /// What it is kept by: [`ImageDirs::layer_path`].
    pub id: Digest,
    /// The digest of the uncompressed layer.
    pub diff_id: Digest,
    /// What it unpacked to; `None` if it was ready already.
    pub unpacked: Option<Unpacked>,
    /// The digest of the layer as it came.
    pub blob: Option<Digest>,
    /// Its size in bytes, as it came.
    pub blob_size: u64,
}

/// The layers of an image, complete; those that are new have no names yet. It holds their claims:
/// it is to be dropped when the database knows them, not before.
#[derive(Debug)]
pub(super) struct Completed {
    layers: Vec<LayerInfo>,
    /// With the position of the layer.
    new: Vec<(usize, Staged)>,
}

/// The ids that stand for each layer and all below it.
///
/// <https://github.com/opencontainers/image-spec/blob/main/config.md>, "Layer ChainID"
pub(super) fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        chain.push(match chain.last() {
            None => diff_id.clone(),
            Some(below) => {
                let text = format!("{below} {diff_id}");
                Digest::from_sha256(Sha256::digest(text.as_bytes()).into())
            }
        });
    }
    chain
}

/// Completes the layers of an image, the lowest first, and says by what ids they are kept.
///
/// # Errors
/// A layer has a hard link to what no layer has, there are more layers than can be stacked, or
/// `budget` is exceeded.
pub(super) fn complete(
    dirs: &ImageDirs,
    layers: Vec<LayerSource>,
    budget: &Budget,
) -> Result<Completed> {
    let mut infos: Vec<LayerInfo> = Vec::with_capacity(layers.len());
    let mut new: Vec<(usize, Staged)> = Vec::new();
    // Names of directories, the lowest first.
    let mut names: Vec<Vec<u8>> = Vec::with_capacity(layers.len());
    for (position, layer) in layers.into_iter().enumerate() {
        match layer {
            LayerSource::Ready { id, diff_id, blob, blob_size } => {
                names.push(id.hex().as_bytes().to_vec());
                let blob = Some(blob);
                infos.push(LayerInfo { id, diff_id, unpacked: None, blob, blob_size });
            }
            LayerSource::Same(earlier) => {
                names.push(names[earlier].clone());
                infos.push(infos[earlier].clone());
            }
            LayerSource::New(staged) => {
                let name = staged.directory.path().file_name().unwrap_or_default();
                names.push(name.as_encoded_bytes().to_vec());
                let mut id = staged.diff_id.clone();
                if !staged.open.is_empty() {
                    if let Err(error) = complete_one(dirs, &staged, &names, budget) {
                        let Staged { directory, claim, .. } = *staged;
                        // Before the claim: after it, the directory is somebody else's.
                        drop(directory);
                        claim.discard()?;
                        return Err(error);
                    }
                    let diff_ids: Vec<_> = infos.iter().map(|info| info.diff_id.clone()).collect();
                    let all = [diff_ids, vec![staged.diff_id.clone()]].concat();
                    id = chain_ids(&all).pop().unwrap_or(id);
                }
                infos.push(LayerInfo {
                    id,
                    diff_id: staged.diff_id.clone(),
                    unpacked: Some(staged.unpacked),
                    blob: Some(staged.blob.clone()),
                    blob_size: staged.blob_size,
                });
                new.push((position, *staged));
            }
        }
    }
    check_stack(dirs, &infos, &new)?;
    Ok(Completed { layers: infos, new })
}

/// Completes the last of the layers with these names.
fn complete_one(
    dirs: &ImageDirs,
    staged: &Staged,
    names: &[Vec<u8>],
    budget: &Budget,
) -> Result<()> {
    // A layer that is there twice is stacked once, where it is topmost.
    let mut seen = BTreeSet::new();
    let topmost_first = names.iter().rev().filter(|name| seen.insert(name.as_slice())).cloned();
    let stack = Stack::new(dirs.open_layers()?, topmost_first.collect());
    layer::complete(staged.directory.open()?, &staged.open, &stack, budget)
        .map_err(|problem| explain(&staged.diff_id, problem))
}

/// Fails if there are more layers than overlayfs can stack. Those that are empty are not stacked,
/// and none is twice.
fn check_stack(dirs: &ImageDirs, layers: &[LayerInfo], new: &[(usize, Staged)]) -> Result<()> {
    if layers.len() <= limits::STACKED_LAYERS {
        return Ok(());
    }
    let mut paths: BTreeMap<&Digest, PathBuf> =
        layers.iter().map(|layer| (&layer.id, dirs.layer_path(&layer.id))).collect();
    for (position, staged) in new {
        paths.insert(&layers[*position].id, staged.directory.path().to_owned());
    }
    let mut stacked = 0;
    for path in paths.values() {
        stacked += usize::from(!is_empty(path)?);
    }
    if stacked > limits::STACKED_LAYERS {
        let limit = limits::STACKED_LAYERS as u64;
        let what = "the stack of the image's layers".to_owned();
        return Err(Error::TooLarge { what, limit, unit: "layers that are not empty" });
    }
    Ok(())
}

/// Makes the layers durable and gives them their names. `ready` are the layers that the database
/// has as ready now, in this turn.
///
/// # Errors
/// [`Error::LayerGone`]: a layer that was ready when the image was looked at no longer is; the
/// image may be loaded again.
pub(super) fn publish(
    exclusive: &Exclusive<'_>,
    completed: &mut Completed,
    ready: &BTreeSet<Digest>,
    keep_blobs: bool,
) -> Result<Vec<LayerInfo>> {
    let dirs = exclusive.dirs();
    let is_ready = |id: &Digest| ready.contains(id) && dirs.has_layer(id);
    let is_new = |id: &Digest| completed.new.iter().any(|(at, _)| completed.layers[*at].id == *id);
    // Before anything is named: what has arrived can be gone on with.
    if let Some(gone) = completed.layers.iter().find(|one| !is_ready(&one.id) && !is_new(&one.id)) {
        return Err(Error::LayerGone { layer: gone.id.clone() });
    }
    if !completed.new.is_empty() {
        exclusive.sync()?;
    }
    let mut named: BTreeSet<Digest> = BTreeSet::new();
    for (position, staged) in &mut completed.new {
        let info = &mut completed.layers[*position];
        if is_ready(&info.id) {
            // The same layer came in another form meanwhile; containers may run from it.
            info.unpacked = None;
        } else if named.insert(info.id.clone()) {
            exclusive.name_layer(&staged.directory, &info.id)?;
        }
        staged.claim.finish(&dirs.blob_path(&staged.blob), keep_blobs)?;
    }
    exclusive.sync_names()?;
    Ok(completed.layers.clone())
}
