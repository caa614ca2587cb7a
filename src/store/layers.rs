//! Unpacked layers, by the digest of their uncompressed archive (the diff id).
//!
//! A layer is ready from the moment its directory has its final name and is durable until the
//! moment somebody starts to remove it; what a crash leaves in between is listed as not ready.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::params;

use super::column::micros;
use super::error::Result;
use super::transaction::{Snapshot, Tx};
use crate::model::Digest;

/// A layer that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The digest of its uncompressed archive.
    pub diff_id: Digest,
    /// The size of its files in bytes.
    pub bytes: u64,
    /// How many files, directories and links it has.
    pub entries: u64,
}

impl Snapshot<'_> {
    /// Those of `diff_ids` that are unpacked and complete.
    pub fn layers_ready(&self, diff_ids: &[Digest]) -> Result<BTreeSet<Digest>> {
        let sql = "SELECT diff_id FROM layers WHERE diff_id = ?1 AND state = 'ready'";
        let ready = diff_ids
            .iter()
            .map(|id| self.row("look for a layer", sql, [id.as_str()], |c| c.parse::<Digest>()));
        ready.filter_map(Result::transpose).collect()
    }

    /// Every layer that is ready, with its size.
    pub fn layers(&self) -> Result<Vec<Layer>> {
        let sql = "SELECT diff_id, bytes, entries FROM layers WHERE state = 'ready'";
        self.rows("read the layers", sql, [], |columns| {
            Ok(Layer {
                diff_id: columns.parse()?,
                bytes: columns.take()?,
                entries: columns.take()?,
            })
        })
    }

    /// Layers that no image has, those whose removal was begun but not finished among them.
    pub fn unreferenced_layers(&self) -> Result<Vec<Digest>> {
        let sql = "SELECT diff_id FROM layers
            WHERE diff_id NOT IN (SELECT diff_id FROM image_layers) ORDER BY diff_id";
        self.rows("look for unused layers", sql, [], |c| c.parse())
    }
}

impl Tx<'_> {
    /// Says that a layer is unpacked, durable and verified.
    pub fn put_layer_ready(&self, layer: &Layer, now: Timestamp) -> Result<()> {
        self.run(
            "write a layer",
            "INSERT INTO layers (diff_id, bytes, entries, state, created_at)
                VALUES (?1, ?2, ?3, 'ready', ?4)
                ON CONFLICT (diff_id) DO UPDATE SET bytes = excluded.bytes,
                    entries = excluded.entries, state = 'ready', created_at = excluded.created_at
                WHERE state <> 'ready'",
            params![layer.diff_id.as_str(), layer.bytes, layer.entries, micros(now)],
        )?;
        Ok(())
    }

    /// Says that the directory of a layer is about to be removed, and returns `false` if it must
    /// not be: because an image has the layer.
    pub fn begin_layer_removal(&self, diff_id: &Digest) -> Result<bool> {
        let changed = self.run(
            "mark a layer as incomplete",
            "UPDATE layers SET state = 'incomplete' WHERE diff_id = ?1
                AND diff_id NOT IN (SELECT diff_id FROM image_layers)",
            [diff_id.as_str()],
        )?;
        Ok(changed > 0)
    }

    /// Drops the row of a layer whose directory is gone; one that is ready (again) is kept.
    pub fn forget_layer(&self, diff_id: &Digest) -> Result<()> {
        let sql = "DELETE FROM layers WHERE diff_id = ?1 AND state = 'incomplete'";
        self.run("forget a layer", sql, [diff_id.as_str()])?;
        Ok(())
    }
}
