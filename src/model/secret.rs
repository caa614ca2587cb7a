//! What tank knows and does not print.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::pod::{Mount, MountSource};
use super::{Container, ContainerName, Digest, Pod};

/// What stands in the place of a secret content.
pub const MASK: &str = "***";

/// The pod as it may be shown: without the content of its secret mounts, nor what could tell whether
/// a guess of it is right.
pub fn masked(mut pod: Pod) -> Pod {
    for (_, secret) in secrets(&mut pod) {
        MASK.clone_into(secret);
    }
    let containers = pod.init_containers.iter_mut().chain(&mut pod.containers);
    for mount in containers.flat_map(|container| &mut container.mounts) {
        if let (true, MountSource::File(file)) = (mount.secret, &mut mount.source) {
            file.content = Digest::from_sha256([0; 32]);
        }
    }
    pod
}

/// Puts back what [`masked`] took from `stored`, where `pod` has the mask in the same place: what was
/// shown can be applied again, and changes nothing.
///
/// # Errors
/// The container and the target of the first mount that has the mask, and nothing to put in its
/// place, or of a secret that has it and is none any more.
pub fn unmask(pod: &mut Pod, stored: Option<&Pod>) -> Result<(), (ContainerName, PathBuf)> {
    let mut stored = stored.cloned();
    let stored: BTreeMap<_, _> = stored.iter_mut().flat_map(secrets).collect();
    // One that is to be no secret any more would be replaced by its mask.
    for container in pod.all_containers() {
        for mount in container.mounts.iter().filter(|mount| !mount.secret) {
            let place = (container.name.clone(), mount.target.clone());
            let is_mask = matches!(&mount.source, MountSource::Content(text) if text == MASK);
            if is_mask && stored.contains_key(&place) {
                return Err(place);
            }
        }
    }
    for (place, secret) in secrets(pod).filter(|(_, secret)| *secret == MASK) {
        let known = stored.get(&place).ok_or_else(|| place.clone())?;
        known.as_str().clone_into(secret);
    }
    Ok(())
}

/// The secret contents of a pod, by the containers and the targets of their mounts.
fn secrets(pod: &mut Pod) -> impl Iterator<Item = ((ContainerName, PathBuf), &mut String)> {
    let containers = pod.init_containers.iter_mut().chain(&mut pod.containers);
    containers.flat_map(|Container { name, mounts, .. }| {
        mounts.iter_mut().filter_map(|mount| {
            let target: &Path = &mount.target;
            let place = (name.clone(), target.to_owned());
            match mount {
                Mount { secret: true, source: MountSource::Content(text), .. } => {
                    Some((place, text))
                }
                _ => None,
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::strategy::parse;

    fn pod(content: &str) -> Pod {
        let text = format!(
            "name = \"web\"\nnetwork = \"none\"\n[[containers]]\nname = \"app\"\nimage = \"a\"\n\
             [[containers.mounts]]\ntarget = \"/key\"\nsecret = true\ncontent = {content:?}\n\
             [[containers.mounts]]\ntarget = \"/open\"\ncontent = \"***\"\n"
        );
        parse(&text).unwrap().pods.remove(0)
    }

    #[test]
    fn what_was_masked_is_put_back() {
        let stored = pod("password");
        let mut shown = masked(stored.clone());
        assert_eq!(shown, pod(MASK));
        unmask(&mut shown, Some(&stored)).unwrap();
        assert_eq!(shown, stored);
        let mut other = pod("other");
        unmask(&mut other, Some(&stored)).unwrap();
        assert_eq!(other, pod("other"));
    }

    #[test]
    fn a_mask_without_a_secret_behind_it_is_refused() {
        let place = ("app".parse().unwrap(), PathBuf::from("/key"));
        assert_eq!(unmask(&mut pod(MASK), None), Err(place.clone()));
        let mut told = masked(pod("password"));
        told.containers[0].mounts[0].secret = false;
        assert_eq!(unmask(&mut told, Some(&pod("password"))), Err(place));
    }
}
