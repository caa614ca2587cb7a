//! The images on disk as a store: names given, and what nothing needs taken away.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::error::Result;
use crate::model::Digest;
use crate::store::{self, Image, Snapshot};
use crate::sys::clock;

/// What was, or would be, removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Images, with the names they had.
    pub images: Vec<Image>,
    /// Layers that no other image has.
    pub layers: usize,
    /// The bytes of the files of those layers and of all blobs that go, each counted once.
    pub bytes: u64,
}

/// Images that nothing needs go if they have no name, or whatever their names with `all`.
fn going(state: &Snapshot<'_>, all: bool) -> store::Result<Vec<Image>> {
    let needed = state.images_in_use()?;
    let goes = |image: &Image| {
        !needed.contains(&image.manifest.digest) && (all || image.references.is_empty())
    };
    Ok(state.list_images()?.into_iter().filter(goes).collect())
}

impl Engine {
    /// Gives an image one more name, which is taken from the image that had it: that one's digest
    /// is returned. `None` if the image is not there any more.
    pub fn tag_image(&mut self, digest: &Digest, name: &str) -> Result<Option<Option<Digest>>> {
        let now = clock::now();
        Ok(self.store.write(|tx| {
            let Some(manifest) = tx.image_by_digest(digest)? else { return Ok(None) };
            let before = tx.image_by_reference(name)?.map(|other| other.digest);
            if before.as_ref() != Some(digest) {
                tx.put_image(Some(name), &manifest, now)?;
            }
            Ok(Some(before))
        })?)
    }

    /// What [`prune_images`](Self::prune_images) would remove. Unfinished downloads are not
    /// counted: one of them may be somebody's who is at it.
    pub fn prunable_images(&self, all: bool) -> Result<Pruned> {
        let (images, kept, layers) = self.store.read(|state| {
            let images = going(state, all)?;
            let all = state.list_images()?;
            Ok((images.clone(), Kept::without(&all, &images), state.layers()?))
        })?;
        let layers: Vec<_> =
            layers.iter().filter(|layer| !kept.layers.contains(&layer.id)).collect();
        let blobs = self.images.blob_files()?.into_iter().filter_map(|(name, size)| {
            let digest: Digest = format!("sha256:{name}").parse().ok()?;
            (!kept.blobs.contains(&digest)).then_some(size)
        });
        let bytes = layers.iter().map(|layer| layer.bytes).chain(blobs).sum();
        Ok(Pruned { layers: layers.len(), bytes, images })
    }

    /// Removes the images that nothing needs: those without a name, or with `all` every one. What
    /// interrupted commands left of others goes too.
    pub fn prune_images(&mut self, all: bool) -> Result<Pruned> {
        let Self { store, images, .. } = self;
        let turn = images.exclusive()?;
        let (pruned, kept, sizes, gone) = store.write(|tx| {
            let pruned = going(tx, all)?;
            let layers = tx.layers()?.into_iter().map(|layer| (layer.id, layer.bytes));
            let sizes: BTreeMap<Digest, u64> = layers.collect();
            for image in &pruned {
                for name in &image.references {
                    tx.remove_reference(name)?;
                }
                tx.forget_image(&image.manifest.digest)?;
            }
            let mut gone = Vec::new();
            for layer in tx.unreferenced_layers()? {
                if tx.begin_layer_removal(&layer)? {
                    gone.push(layer);
                }
            }
            let kept = Kept::without(&tx.list_images()?, &[]);
            Ok((pruned, kept, sizes, gone))
        })?;
        let before = images.blob_files()?;
        turn.sweep(&kept.layers, &kept.blobs)?;
        let after = images.blob_files()?;
        if !gone.is_empty() {
            store.write(|tx| gone.iter().try_for_each(|layer| tx.forget_layer(layer)))?;
        }
        let blobs = before.iter().filter(|(name, _)| !after.contains_key(*name));
        let bytes = gone.iter().filter_map(|layer| sizes.get(layer)).sum::<u64>()
            + blobs.map(|(_, size)| size).sum::<u64>();
        Ok(Pruned { layers: gone.len(), bytes, images: pruned })
    }
}

/// What images keep on disk.
struct Kept {
    layers: BTreeSet<Digest>,
    blobs: BTreeSet<Digest>,
}

impl Kept {
    /// What `all` images but `going` keep.
    fn without(all: &[Image], going: &[Image]) -> Self {
        let is_going = |image: &&Image| {
            going.iter().any(|other| other.manifest.digest == image.manifest.digest)
        };
        let mut kept = Self { layers: BTreeSet::new(), blobs: BTreeSet::new() };
        for image in all.iter().filter(|image| !is_going(image)) {
            let manifest = &image.manifest;
            kept.blobs.extend([manifest.digest.clone(), manifest.config_digest.clone()]);
            for layer in &manifest.layers {
                kept.layers.insert(layer.id.clone());
                kept.blobs.extend(layer.blob.clone());
            }
        }
        kept
    }
}
