//! What changed between the spec an instance runs and the desired one, as far as it concerns that
//! instance.

use crate::model::change::{Change, Effect, changes};
use crate::model::{ContainerName, DesiredPod};

use super::ObservedInstance;

/// Fields whose change reaches a running container through its cgroup, its managed files and what
/// its monitor is told. The other live fields either concern later decisions (restart, depends_on),
/// or the network of the pod, which is looked at itself (ports, isolated).
const IN_PLACE: [&str; 11] = [
    "memory",
    "cpus",
    "pids",
    "dns",
    "dns_search",
    "extra_hosts",
    "log",
    "stop_timeout",
    "liveness",
    "readiness",
    "startup",
];

/// Fields that belong to the sandbox. Kernel parameters are set inside its namespaces, where a
/// parameter that is not wanted any more would keep its value.
const SANDBOX: [&str; 4] = ["hostname", "network", "share_pids", "sysctls"];

/// How many changed fields a cause lists.
const LISTED: usize = 3;

/// What changed for one instance. Each cause names the fields and both their values.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Why its container has to be replaced.
    pub(super) replace: Option<String>,
    /// What can be set anew while it runs.
    pub(super) in_place: Option<String>,
}

/// Compares what `seen` runs with what is desired of its container now. `None` when the spec it
/// runs is not known any more.
pub(super) fn difference(desired: &DesiredPod, seen: &ObservedInstance) -> Option<Difference> {
    let container = &seen.instance.container;
    let changes = changes_since(desired, seen)?;
    let concerns =
        |change: &&Change| change.container.as_ref().is_none_or(|name| name == container);
    // What has run before the containers has to run before them again.
    let begins = |change: &Change| change.path.starts_with("init_containers");
    let replaces = |change: &&Change| concerns(change) || begins(change);
    let replace = changes.iter().filter(replaces).filter(|change| change.effect == Effect::Replace);
    let in_place = |change: &&Change| IN_PLACE.contains(&field(change));
    let in_place = changes.iter().filter(concerns).filter(in_place);
    Some(Difference {
        replace: cause(replace).or_else(|| moved_image(desired, seen, container)),
        in_place: cause(in_place),
    })
}

/// Compares the sandbox that `seen` was started in with the desired one. `None` when the spec it
/// runs is not known any more; otherwise the cause, if there is one.
pub(super) fn sandbox(desired: &DesiredPod, seen: &ObservedInstance) -> Option<Option<String>> {
    let changes = changes_since(desired, seen)?;
    Some(cause(changes.iter().filter(|change| SANDBOX.contains(&field(change)))))
}

/// A generation has one spec, so that an instance of the desired one needs no comparison.
fn changes_since(desired: &DesiredPod, seen: &ObservedInstance) -> Option<Vec<Change>> {
    if seen.instance.generation == desired.generation {
        return Some(Vec::new());
    }
    seen.spec.as_deref().map(|spec| changes(spec, &desired.pod))
}

/// The same image name may come to mean another image. A digest that is not known on either side
/// is no difference.
fn moved_image(
    desired: &DesiredPod,
    seen: &ObservedInstance,
    container: &ContainerName,
) -> Option<String> {
    let (old, new) = (seen.instance.image.as_ref()?, desired.images.get(container)?);
    (old != new).then(|| {
        let (old, new) = (old.short(), new.short());
        format!("containers[{container}].image: sha256:{old} -> sha256:{new}")
    })
}

/// The name of the changed field: `memory` for `containers[app].memory`, `restart` for
/// `restart.policy`.
fn field(change: &Change) -> &str {
    let path = match change.path.split_once("].") {
        Some((_, path)) if change.container.is_some() => path,
        _ => &change.path,
    };
    path.split(['.', '[']).next().unwrap_or(path)
}

fn cause<'a>(changes: impl Iterator<Item = &'a Change>) -> Option<String> {
    let texts: Vec<String> = changes
        .map(|change| format!("{}: {} -> {}", change.path, change.old, change.new))
        .collect();
    let listed = texts.get(..LISTED).unwrap_or(&texts).join(", ");
    match texts.len() {
        0 => None,
        count if count > LISTED => Some(format!("{listed} and {} more", count - LISTED)),
        _ => Some(listed),
    }
}
