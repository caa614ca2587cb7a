//! What the black-box tests stand on: a [`Tank`] of their own, programs with a deadline, images
//! made by other tools, and snapshots of the world that show what was left behind.

pub(crate) mod fault_registry;
pub(crate) mod fixtures;
mod http;
pub(crate) mod immutable;
pub(crate) mod made;
pub(crate) mod namespace;
mod netlink;
pub(crate) mod pods;
pub(crate) mod program;
mod reboot;
pub(crate) mod record;
pub(crate) mod registry;
mod tank;
pub(crate) mod terminal;
pub(crate) mod tree;
pub(crate) mod volume;
pub(crate) mod wait;
pub(crate) mod world;

mod selftest;

pub(crate) use tank::Tank;

use std::path::PathBuf;

/// Whether this process runs inside the virtual machine of [`crate::vm`].
pub(crate) fn in_vm() -> bool {
    std::env::var_os("TANK_IN_VM").is_some()
}

/// How many times as much as usual to do, in tests that repeat something to see whether it is
/// always so: `TANK_TEST_SOAK=100` takes minutes.
pub(crate) fn soak() -> usize {
    std::env::var("TANK_TEST_SOAK").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// A path in the project's source tree.
pub(crate) fn source(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}
