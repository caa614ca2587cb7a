//! Reading the pod file: text in, pods or all of its problems out.
//!
//! The text is parsed into a tree that knows the place of everything, and the tree is read by the
//! tables of [`shape`](crate::model::shape). A reader that meets a problem reports it and goes on,
//! so that one look at the file finds them all. `config.toml` is read in the same way.

mod container;
mod diagnostic;
mod files;
mod keys;
mod limits;
mod log;
mod merge;
mod mount;
mod names;
mod pod;
mod probe;
mod report;
mod section;
mod settings;
mod text;

#[cfg(test)]
mod tests;

use std::ops::Range;

use toml::de::DeTable;

use self::report::Report;
use self::section::Section;
use super::Pod;
use super::shape::{FILE, POD};

pub use diagnostic::{Diagnostic, line_column};
pub use files::Files;
pub use limits::{
    MAX_ARGUMENT, MAX_BYTES, MAX_CONTAINERS, MAX_DNS, MAX_DNS_SEARCH, MAX_ENTRIES, MAX_PODS,
};
pub use merge::{NamedFile, merge};
pub use settings::parse as parse_settings;

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodFile {
    /// Its pods, in its order.
    pub pods: Vec<Pod>,
    /// Where each pod is named.
    pub places: Vec<Range<usize>>,
}

/// Reads a file of one pod or of several.
///
/// A byte order mark and Windows line ends are accepted. The files of the host that it names are
/// looked at by `files`.
///
/// # Errors
/// Everything that is wrong with the file, in its order, each with its place; at most a hundred
/// problems. Where the file is not TOML, what follows from the broken lines is not reported.
pub fn parse(source: &str, files: &dyn Files) -> Result<PodFile, Vec<Diagnostic>> {
    if source.len() > MAX_BYTES {
        let message = format!("the file is longer than {MAX_BYTES} bytes");
        return Err(vec![Diagnostic::new(0..0, message)]);
    }
    // The parser itself refuses nesting beyond 80 levels before it recurses.
    let (root, syntax) = DeTable::parse_recoverable(source);
    let root = root.get_ref();
    let report = Report::new(source, &syntax);
    let start = 0..0;

    let sections = if root.contains_key("pods") {
        Section::open(&FILE, root, start.clone(), &report).tables("pods")
    } else if root.is_empty() {
        Vec::new()
    } else {
        vec![Section::open(&POD, root, start.clone(), &report)]
    };
    if root.is_empty() {
        let help = "a pod has at least a name and one of [[containers]]";
        report.absent(Diagnostic::new(start, "the file has no pod").with_help(help));
    }

    let pods: Vec<Pod> = sections.iter().filter_map(|pod| pod::read(pod, files)).collect();
    let names = sections.iter().filter_map(|section| section.text("name"));
    report.unique(names, |name| format!("two pods are named {name:?}"));
    let places = sections.iter().map(|section| section.value_place("name")).collect();
    let complete = pods.len() == sections.len();
    drop(sections);
    report.finish(complete)?;
    Ok(PodFile { pods, places })
}
