//! Images: names, and the manifests they were resolved to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::params;

use super::column::{Columns, micros};
use super::error::{Error, Result};
use super::transaction::{Snapshot, Tx};
use crate::model::Digest;

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
    /// The diff ids of its layers, lowest first.
    pub layers: Vec<Digest>,
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
        let sql = "SELECT diff_id FROM image_layers WHERE manifest = ?1 ORDER BY position";
        let digest = manifest.digest.as_str();
        let layers = self.rows("read the layers of an image", sql, [digest], |c| c.parse())?;
        Ok(Manifest { layers, ..manifest })
    }

    /// The manifests that pods are pinned to or that instances still run from.
    pub fn images_in_use(&self) -> Result<BTreeSet<Digest>> {
        let sql = "SELECT value FROM pods, json_each(pods.images)
            UNION SELECT image FROM instances WHERE NOT removed AND image IS NOT NULL";
        let used = self.rows("look for used images", sql, [], |c| c.parse())?;
        Ok(used.into_iter().collect())
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
        let ready = self.layers_ready(&manifest.layers)?;
        let missing = manifest.layers.iter().filter(|id| !ready.contains(id));
        let layers: Vec<_> = missing.cloned().collect();
        if !layers.is_empty() {
            return Err(Error::LayersMissing { image: manifest.digest.clone(), layers });
        }
        let new = self.run(
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
        if new > 0 {
            for (position, diff_id) in (0_u32..).zip(&manifest.layers) {
                let sql = "INSERT INTO image_layers (manifest, position, diff_id)
                    VALUES (?1, ?2, ?3)";
                self.run(doing, sql, params![digest, position, diff_id.as_str()])?;
            }
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
