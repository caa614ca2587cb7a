//! Pods that depend on others.

use std::collections::BTreeMap;

use super::{Pod, PodName};

/// The first ring of pods each of which depends on the next, if there is one: the pod it begins
/// with is also its last. What is depended on and not among `pods` ends a search.
pub fn cycle<'a>(pods: impl Iterator<Item = &'a Pod>) -> Option<Vec<PodName>> {
    let pods: BTreeMap<&PodName, &Pod> = pods.map(|pod| (&pod.name, pod)).collect();
    let mut search = Search { pods: &pods, done: Vec::new(), path: Vec::new() };
    pods.keys().find_map(|name| search.from(name))
}

/// A ring for people: `a -> b -> a`.
pub fn path(cycle: &[PodName]) -> String {
    cycle.iter().map(PodName::as_str).collect::<Vec<_>>().join(" -> ")
}

/// A search in depth.
struct Search<'a> {
    pods: &'a BTreeMap<&'a PodName, &'a Pod>,
    /// Pods from which no ring can be reached.
    done: Vec<&'a PodName>,
    /// The way to where the search is.
    path: Vec<&'a PodName>,
}

impl<'a> Search<'a> {
    fn from(&mut self, name: &'a PodName) -> Option<Vec<PodName>> {
        if let Some(begin) = self.path.iter().position(|known| *known == name) {
            let ring = self.path[begin..].iter().copied().chain([name]);
            return Some(ring.cloned().collect());
        }
        let pod = self.pods.get(name)?;
        if self.done.contains(&name) {
            return None;
        }
        self.path.push(name);
        let found = pod.depends_on.iter().find_map(|next| self.from(next));
        self.path.pop();
        self.done.push(name);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::strategy::parse;

    /// Pods from `a: b c, b: c`.
    fn found(text: &str) -> Option<String> {
        let pods: Vec<Pod> = text
            .split(", ")
            .map(|line| {
                let (name, on) = line.split_once(':').unwrap();
                let on: Vec<&str> = on.split_whitespace().collect();
                let file = format!(
                    "name = {name:?}\ndepends_on = {on:?}\n[[containers]]\nname = 'a'\nimage = 'a'"
                );
                parse(&file).unwrap().pods.remove(0)
            })
            .collect();
        cycle(pods.iter()).map(|ring| path(&ring))
    }

    #[test]
    fn rings_are_found_and_named() {
        assert_eq!(found("a:, b: a, c: a b"), None);
        assert_eq!(found("a: b, b: a").as_deref(), Some("a -> b -> a"));
        assert_eq!(found("a: x, b: c, c: d, d: b").as_deref(), Some("b -> c -> d -> b"));
        assert_eq!(found("a: b c, b: d, c: d, d: "), None);
        assert_eq!(found("a: nobody"), None);
    }
}
