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
    let mut problems = problems(desired, puts.iter().filter(|put| is_stated(put)));
    problems.next().map_or(Ok(()), |(_, error)| Err(error))
}

/// The pods that cannot be put, each with why.
pub(super) fn problems<'a>(
    desired: &'a [DesiredPod],
    puts: impl Iterator<Item = &'a Put>,
) -> impl Iterator<Item = (&'a PodName, Error)> {
    let there = |name: &PodName| desired.iter().any(|pod| pod.pod.name == *name && !pod.deleting);
    // What was there before has none, so that at least one of these pods is in it.
    let ring = dependency::cycle(desired.iter().map(|pod| &pod.pod)).unwrap_or_default();
    puts.filter_map(move |Put { pod, .. }| {
        if let Some(missing) = pod.depends_on.iter().find(|name| !there(name)) {
            let (name, missing) = (pod.name.clone(), missing.clone());
            return Some((&pod.name, Error::NoDependency { pod: name, missing }));
        }
        let in_ring = ring.contains(&pod.name);
        in_ring.then(|| (&pod.name, Error::Cycle(dependency::path(&ring))))
    })
}
