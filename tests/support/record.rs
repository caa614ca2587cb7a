//! What all tanks of a machine share of its network: which kernel parameters they changed, and whom
//! it is for.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where the records are, one for each network namespace in which a tank runs.
const SHARED: &str = "/run/tank-network";

/// The record of one network namespace.
#[derive(Debug)]
pub(crate) struct Record(PathBuf);

impl Record {
    /// That of this thread's network namespace.
    pub(crate) fn here() -> Self {
        let namespace = fs::metadata("/proc/thread-self/ns/net").expect("a network namespace");
        Self(Path::new(SHARED).join(format!("{}.json", namespace.ino())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What it says; nothing where there is none.
    fn read(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(&self.0).ok()?).ok()
    }

    /// Whether a root may have something of the network.
    pub(crate) fn has(&self, owner: &str) -> bool {
        let owners = self.read().map(|record| record["owners"].clone()).unwrap_or_default();
        owners.as_array().is_some_and(|all| all.iter().any(|own| own == owner))
    }

    /// Takes a root out of it, and the whole record away if it was the last one's.
    pub(crate) fn forget(&self, owner: &str) {
        if self.has(owner) {
            self.without(owner).unwrap_or_default();
        }
    }

    fn without(&self, owner: &str) -> io::Result<()> {
        File::open(Path::new(SHARED).join("lock"))?.lock()?;
        let mut record = self.read().unwrap_or_default();
        if let Some(owners) = record["owners"].as_array_mut() {
            owners.retain(|own| own != owner);
            if !owners.is_empty() {
                return fs::write(&self.0, record.to_string());
            }
        }
        fs::remove_file(&self.0)
    }
}
