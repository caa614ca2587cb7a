//! What was in the files of the host that mounts show copies of.
//!
//! They are kept for as long as a revision shows them, and go with the last one that does.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::params;

use super::error::Result;
use super::transaction::{Snapshot, Tx};
use crate::model::{Digest, Pod};

/// Contents of files by their digest.
pub type Contents = BTreeMap<Digest, Arc<[u8]>>;

impl Snapshot<'_> {
    /// The content of this digest, if a revision shows it.
    pub fn content(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT bytes FROM contents WHERE digest = ?1";
        self.row("read the content of a file", sql, [digest.as_str()], |columns| columns.take())
    }
}

impl Tx<'_> {
    /// Keeps those of `contents` that are new, for revisions that are written in this transaction, and
    /// before [`drop_unseen_contents`](Self::drop_unseen_contents).
    pub fn put_contents(&self, contents: &Contents) -> Result<()> {
        for (digest, bytes) in contents {
            self.run(
                "keep the content of a file",
                "INSERT OR IGNORE INTO contents (digest, bytes) VALUES (?1, ?2)",
                params![digest.as_str(), &bytes[..]],
            )?;
        }
        Ok(())
    }

    /// Says which contents a revision shows.
    pub(super) fn show_contents(&self, pod: &Pod, generation: u64) -> Result<()> {
        for file in pod.host_files() {
            self.run(
                "say what a revision shows",
                "INSERT OR IGNORE INTO revision_contents (pod, generation, digest)
                    VALUES (?1, ?2, ?3)",
                params![pod.name.as_str(), generation, file.content.as_str()],
            )?;
        }
        Ok(())
    }

    /// Drops what no revision shows any more.
    pub fn drop_unseen_contents(&self) -> Result<()> {
        self.run(
            "drop the contents of files",
            "DELETE FROM contents WHERE digest NOT IN (SELECT digest FROM revision_contents)",
            [],
        )?;
        Ok(())
    }
}
