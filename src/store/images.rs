//! Images: names, and the manifests they were resolved to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::params;

use super::column::{Columns, micros};
use super::error::{Error, Result};
use super::transaction::{Snapshot, Tx};
use crate::model::{ContainerName, Digest, InstanceId, PodName};

/// An image for one platform. It is on disk, complete and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The digest of its config.
    pub config_digest: Digest,
    /// The config: the JSON text that has this digest.
    pub config: String,
    /// What it was made for, as `os/architecture[/variant]`.
    pub platform: String,
    /// The size of its compressed layers in bytes.
    pub size: u64,
    /// When it was built, if it says so.
    pub created: Option<Timestamp>,
    /// Its layers, lowest first.
    pub layers: Vec<ImageLayer>,
}

/// A layer, as an image has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageLayer {
    /// What it is kept by.
    pub id: Digest,
    /// The digest of the layer as it came; the blob may have been dropped since.
    pub blob: Option<Digest>,
    /// Its size in bytes, as it came; 0 if that is not known.
    pub blob_size: u64,
}

/// A manifest, and the names that lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The manifest.
    pub manifest: Manifest,
    /// Its names, ordered.
    pub references: Vec<String>,
}

macro_rules! select_manifests {
    ($tail:literal) => {
        concat!(
            "SELECT digest, config_digest, config, platform, size, created FROM manifests ",
            $tail
        )
    };
}

fn manifest(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Manifest> {
    Ok(Manifest {
        digest: columns.parse()?,
        config_digest: columns.parse()?,
        config: columns.take()?,
        platform: columns.take()?,
        size: columns.take()?,
        created: columns.time_optional()?,
        layers: Vec::new(),
    })
}

impl Snapshot<'_> {
    /// What a name was last resolved to.
    pub fn image_by_reference(&self, reference: &str) -> Result<Option<Manifest>> {
        let sql =
            select_manifests!("WHERE digest = (SELECT manifest FROM images WHERE reference = ?1)");
        let found = self.row("look for an image", sql, [reference], manifest)?;
        found.map(|manifest| self.with_layers(manifest)).transpose()
    }

    /// One image by the digest of its manifest.
    pub fn image_by_digest(&self, digest: &Digest) -> Result<Option<Manifest>> {
        let sql = select_manifests!("WHERE digest = ?1");
        let found = self.row("look for an image", sql, [digest.as_str()], manifest)?;
        found.map(|manifest| self.with_layers(manifest)).transpose()
    }

    /// The images whose manifest or config digest starts with these hexadecimal digits
    /// (`sha256:` may precede them). More than one means that the prefix is too short.
    pub fn image_by_digest_prefix(&self, prefix: &str) -> Result<Vec<Manifest>> {
        let hex = prefix.strip_prefix("sha256:").unwrap_or(prefix);
        if hex.is_empty() || !hex.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(Vec::new());
        }
        let sql = select_manifests!(
            "WHERE substr(digest, 8, length(?1)) = ?1 OR substr(config_digest, 8, length(?1)) = ?1
            ORDER BY digest"
        );
        let found = self.rows("look for an image", sql, [hex], manifest)?;
        found.into_iter().map(|manifest| self.with_layers(manifest)).collect()
    }

    /// Every image, by its digest.
    pub fn list_images(&self) -> Result<Vec<Image>> {
        let doing = "read the images";
        let manifests = self.rows(doing, select_manifests!("ORDER BY digest"), [], manifest)?;
        let names = "SELECT reference FROM images WHERE manifest = ?1 ORDER BY reference";
        let image = |manifest: Manifest| {
            let references = self.rows(doing, names, [manifest.digest.as_str()], |c| c.take())?;
            Ok(Image { manifest: self.with_layers(manifest)?, references })
        };
        manifests.into_iter().map(image).collect()
    }

    fn with_layers(&self, manifest: Manifest) -> Result<Manifest> {
        let sql =
            "SELECT id, blob, blob_size FROM image_layers WHERE manifest = ?1 ORDER BY position";
        let digest = manifest.digest.as_str();
        let layers = self.rows("read the layers of an image", sql, [digest], |columns| {
            Ok(ImageLayer {
                id: columns.parse()?,
                blob: columns.parse_optional()?,
                blob_size: columns.take()?,
            })
        })?;
        Ok(Manifest { layers, ..manifest })
    }

    /// The blobs that images have: manifests, configs, and layers as they came. Not all of the
    /// layers need be on disk.
    pub fn blobs(&self) -> Result<BTreeSet<Digest>> {
        let sql = "SELECT digest FROM manifests UNION SELECT config_digest FROM manifests
            UNION SELECT blob FROM image_layers WHERE blob IS NOT NULL";
        let blobs = self.rows("read the blobs of the images", sql, [], |c| c.parse())?;
        Ok(blobs.into_iter().collect())
    }

    /// The manifests that pods are pinned to or that instances still run from.
    pub fn images_in_use(&self) -> Result<BTreeSet<Digest>> {
        let sql = "SELECT value FROM pods, json_each(pods.images)
            UNION SELECT image FROM instances WHERE NOT removed AND image IS NOT NULL";
        let used = self.rows("look for used images", sql, [], |c| c.parse())?;
        Ok(used.into_iter().collect())
    }
}

/// What needs an image: a container of a desired pod, or one of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUser {
    /// The pod.
    pub pod: PodName,
    /// Its container.
    pub container: ContainerName,
    /// The instance, if it is one that needs it.
    pub instance: Option<InstanceId>,
}

impl Snapshot<'_> {
    /// What needs an image: [`images_in_use`](Self::images_in_use) has it because of these.
    pub fn image_users(&self, digest: &Digest) -> Result<Vec<ImageUser>> {
        let sql = "SELECT name, key, NULL FROM pods, json_each(pods.images) WHERE value = ?1
            UNION ALL SELECT pod, container, id FROM instances WHERE NOT removed AND image = ?1
            ORDER BY 1, 2, 3";
        self.rows("look for users of an image", sql, [digest.as_str()], |columns| {
            Ok(ImageUser {
                pod: columns.parse()?,
                container: columns.parse()?,
                instance: columns.parse_optional()?,
            })
        })
    }
}

impl Tx<'_> {
    /// Records an image, and that `reference` leads to it; an image that was loaded without a name
    /// has none. All of its layers must be ready, else it fails with [`Error::LayersMissing`].
    pub fn put_image(
        &self,
        reference: Option<&str>,
        manifest: &Manifest,
        now: Timestamp,
    ) -> Result<()> {
        let doing = "write an image";
        let digest = manifest.digest.as_str();
        let ids: Vec<_> = manifest.layers.iter().map(|layer| layer.id.clone()).collect();
        let ready = self.layers_ready(&ids)?;
        let layers: Vec<_> = ids.into_iter().filter(|id| !ready.contains(id)).collect();
        if !layers.is_empty() {
            return Err(Error::LayersMissing { image: manifest.digest.clone(), layers });
        }
        self.run(
            doing,
            "INSERT INTO manifests (digest, config_digest, config, platform, size, created)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (digest) DO NOTHING",
            params![
                digest,
                manifest.config_digest.as_str(),
                manifest.config,
                manifest.platform,
                manifest.size,
                manifest.created.map(micros)
            ],
        )?;
        for (position, layer) in (0_u32..).zip(&manifest.layers) {
            let sql = "INSERT INTO image_layers (manifest, position, id, blob, blob_size)
                VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (manifest, position) DO UPDATE
                SET id = excluded.id, blob = excluded.blob, blob_size = excluded.blob_size
                WHERE (id, blob, blob_size)
                    IS NOT (excluded.id, excluded.blob, excluded.blob_size)";
            let blob = layer.blob.as_ref().map(Digest::as_str);
            self.run(
                doing,
                sql,
                params![digest, position, layer.id.as_str(), blob, layer.blob_size],
            )?;
        }
        if let Some(reference) = reference {
            self.run(
                doing,
                "INSERT INTO images (reference, manifest, resolved_at) VALUES (?1, ?2, ?3)
                    ON CONFLICT (reference) DO UPDATE SET manifest = excluded.manifest,
                        resolved_at = excluded.resolved_at WHERE manifest <> excluded.manifest",
                params![reference, digest, micros(now)],
            )?;
        }
        Ok(())
    }

    /// Removes a name and says whether it was there. The image stays until
    /// [`forget_image`](Self::forget_image).
    pub fn remove_reference(&self, reference: &str) -> Result<bool> {
        let sql = "DELETE FROM images WHERE reference = ?1";
        Ok(self.run("remove an image's name", sql, [reference])? > 0)
    }

    /// Drops an image that has no name and is not in use, and says whether it did. Its layers
    /// become unreferenced unless others have them.
    pub fn forget_image(&self, digest: &Digest) -> Result<bool> {
        if self.images_in_use()?.contains(digest) {
            return Ok(false);
        }
        let sql = "DELETE FROM manifests WHERE digest = ?1
            AND NOT EXISTS (SELECT 1 FROM images WHERE manifest = ?1)";
        Ok(self.run("forget an image", sql, [digest.as_str()])? > 0)
    }
}
