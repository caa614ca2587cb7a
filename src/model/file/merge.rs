//! Several files read as one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::PodFile;
use super::diagnostic::{Diagnostic, line_column};
use crate::model::{Pod, dependency};

/// A file that was read, with what it is called and its text.
#[derive(Debug, Clone, Copy)]
pub struct NamedFile<'a> {
    /// How messages name it: a path, or `-`.
    pub name: &'a str,
    /// Its text.
    pub source: &'a str,
    /// What it says.
    pub file: &'a PodFile,
}

/// The pods of all files, in their order.
///
/// # Errors
/// Each pod that has the name of one before it, as the index of its file and a problem that names
/// the place of the first; otherwise one of a ring of pods that depend on each other.
pub fn merge(files: &[NamedFile<'_>]) -> Result<Vec<Pod>, Vec<(usize, Diagnostic)>> {
    let mut first = BTreeMap::new();
    let mut errors = Vec::new();
    for (index, NamedFile { name, source, file }) in files.iter().enumerate() {
        for (pod, place) in file.pods.iter().zip(&file.places) {
            let (line, column) = line_column(source, place.start);
            let here = format!("{name}:{line}:{column}");
            match first.entry(&pod.name) {
                Entry::Vacant(entry) => {
                    entry.insert(here);
                }
                Entry::Occupied(entry) => {
                    let message = format!("two pods are named \"{}\"", pod.name);
                    let help = format!("the first is at {}", entry.get());
                    errors.push((index, Diagnostic::new(place.clone(), message).with_help(help)));
                }
            }
        }
    }
    let all = || files.iter().flat_map(|file| &file.file.pods);
    if errors.is_empty()
        && let Some(ring) = dependency::cycle(all())
    {
        for (index, NamedFile { file, .. }) in files.iter().enumerate() {
            for (pod, place) in file.pods.iter().zip(&file.places) {
                if ring.first() == Some(&pod.name) {
                    let message = format!("pods depend on each other: {}", dependency::path(&ring));
                    errors.push((index, Diagnostic::new(place.clone(), message)));
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(files.iter().flat_map(|file| file.file.pods.iter().cloned()).collect())
}
