//! Unpacked layers, by their id: the digest of their uncompressed archive (the diff id), or, where
//! what they became depends on the layers below, the chain id.
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
    /// What it is kept by.
    pub id: Digest,
    /// The size of its files in bytes.
    pub bytes: u64,
    /// How many files, directories and links it has.
    pub entries: u64,
}

impl Snapshot<'_> {
    /// Those of `ids` that are unpacked and complete.
    pub fn layers_ready(&self, ids: &[Digest]) -> Result<BTreeSet<Digest>> {
        let sql = "SELECT id FROM layers WHERE id = ?1 AND state = 'ready'";
        let ready = ids
            .iter()
            .map(|id| self.row("look for a layer", sql, [id.as_str()], |c| c.parse::<Digest>()));
        ready.filter_map(Result::transpose).collect()
    }

    /// Every layer that is ready, with its size.
    pub fn layers(&self) -> Result<Vec<Layer>> {
        let sql = "SELECT id, bytes, entries FROM layers WHERE state = 'ready'";
        self.rows("read the layers", sql, [], |columns| {
            Ok(Layer { id: columns.parse()?, bytes: columns.take()?, entries: columns.take()? })
        })
    }

    /// Layers that no image has, those whose removal was begun but not finished among them.
    pub fn unreferenced_layers(&self) -> Result<Vec<Digest>> {
        let sql = "SELECT id FROM layers
            WHERE id NOT IN (SELECT id FROM image_layers) ORDER BY id";
        self.rows("look for unused layers", sql, [], |c| c.parse())
    }
}

impl Tx<'_> {
    /// Says that a layer is unpacked, durable and verified.
    pub fn put_layer_ready(&self, layer: &Layer, now: Timestamp) -> Result<()> {
        self.run(
            "write a layer",
            "INSERT INTO layers (id, bytes, entries, state, created_at)
                VALUES (?1, ?2, ?3, 'ready', ?4)
                ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes,
                    entries = excluded.entries, state = 'ready', created_at = excluded.created_at
                WHERE state <> 'ready'",
            params![layer.id.as_str(), layer.bytes, layer.entries, micros(now)],
        )?;
        Ok(())
    }

    /// Says that the directory of a layer is about to be removed, and returns `false` if it must
    /// not be: because an image has the layer.
    pub fn begin_layer_removal(&self, id: &Digest) -> Result<bool> {
        let changed = self.run(
            "mark a layer as incomplete",
            "UPDATE layers SET state = 'incomplete' WHERE id = ?1
                AND id NOT IN (SELECT id FROM image_layers)",
            [id.as_str()],
        )?;
        Ok(changed > 0)
    }

    /// Drops the row of a layer whose directory is gone; one that is ready (again) is kept.
    pub fn forget_layer(&self, id: &Digest) -> Result<()> {
        let sql = "DELETE FROM layers WHERE id = ?1 AND state = 'incomplete'";
        self.run("forget a layer", sql, [id.as_str()])?;
        Ok(())
    }
}
