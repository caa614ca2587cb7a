//! Desired state: what changes it, what does not, and who may work on it at the same time.

mod events;
mod history;
mod install;
mod json;
mod locks;
mod memory;
mod plan;
mod prune;
mod run;
mod seed;
mod unchanged;

use std::fs;

use crate::support::Tank;

/// The bytes of the database and of its log.
fn database(tank: &Tank) -> [Vec<u8>; 2] {
    ["state.db", "state.db-wal"].map(|name| fs::read(tank.root().join(name)).unwrap())
}
