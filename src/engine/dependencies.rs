//! Whether pods can wait for those that they depend on.

use super::candidate::Put;
use super::error::{Error, Result};
use super::journal::is_stated;
use super::observe::Snapshot;
use crate::model::{DesiredPod, PodName, dependency};

/// As [`check`], where this is what will be desired.
pub(super) fn check_snapshot(snapshot: &Snapshot, puts: &[Put]) -> Result<()> {
    let says_so = |put: &Put| is_stated(put) && !put.pod.depends_on.is_empty();
    if !puts.iter().any(says_so) {
        return Ok(());
    }
    let desired: Vec<_> = snapshot.desired.iter().chain(&snapshot.others).cloned().collect();
    check(&desired, puts)
}

/// Fails if a pod that is put depends on one that there is not, or on itself by way of others.
pub(super) fn check(desired: &[DesiredPod], puts: &[Put]) -> Result<()> {
    let there = |name: &PodName| desired.iter().any(|pod| pod.pod.name == *name && !pod.deleting);
    for put in puts.iter().filter(|put| is_stated(put)) {
        if let Some(missing) = put.pod.depends_on.iter().find(|name| !there(name)) {
            let (pod, missing) = (put.pod.name.clone(), missing.clone());
            return Err(Error::NoDependency { pod, missing });
        }
    }
    match dependency::cycle(desired.iter().map(|pod| &pod.pod)) {
        Some(cycle) => Err(Error::Cycle(dependency::path(&cycle))),
        None => Ok(()),
    }
}
