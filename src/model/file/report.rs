//! Collecting the problems of a file.

use std::cell::RefCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::section::Text;
use crate::model::value::ValueError;

/// The most problems of one file that are reported.
const MAX_DIAGNOSTICS: usize = 100;

/// Collects the problems of one file while it is read.
///
/// Readers share it, so that each can go on after a problem and all are reported at once.
#[derive(Debug)]
pub(super) struct Report<'a> {
    source: &'a str,
    /// Where each line starts.
    lines: Vec<usize>,
    errors: RefCell<Vec<Diagnostic>>,
    /// The lines that are not TOML. Whatever is read from them is a guess of the parser.
    broken_lines: BTreeSet<usize>,
}

impl<'a> Report<'a> {
    /// Starts with what the TOML parser found.
    pub(super) fn new(source: &'a str, syntax: &[toml::de::Error]) -> Self {
        let mut errors: Vec<Diagnostic> = syntax
            .iter()
            .map(|error| Diagnostic::new(error.span().unwrap_or_default(), error.message()))
            .collect();
        // What is left open at the end of the text is found once for every level of nesting.
        errors.dedup();
        let newlines = source.match_indices('\n').map(|(newline, _)| newline + 1);
        let mut report = Self {
            source,
            lines: std::iter::once(0).chain(newlines).collect(),
            errors: RefCell::default(),
            broken_lines: BTreeSet::new(),
        };
        report.broken_lines = errors.iter().map(|error| report.line(error.span.start)).collect();
        report.errors = RefCell::new(errors);
        report
    }

    /// The line of a place, from 1.
    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// Adds an error.
    pub(super) fn error(&self, error: Diagnostic) {
        if !self.broken_lines.contains(&self.line(error.span.start)) {
            self.errors.borrow_mut().push(error);
        }
    }

    /// Adds an error about something that is not there. In a file that is not TOML that proves
    /// nothing: it may be on a line that could not be read.
    pub(super) fn absent(&self, error: Diagnostic) {
        if self.broken_lines.is_empty() {
            self.errors.borrow_mut().push(error);
        }
    }

    /// Adds an error for each name that was there before.
    pub(super) fn unique<'n>(
        &self,
        names: impl Iterator<Item = Text<'n>>,
        message: impl Fn(&str) -> String,
    ) {
        let mut first = BTreeMap::new();
        for name in names {
            let place = name.span();
            match first.entry(name.into_inner()) {
                Entry::Vacant(entry) => {
                    entry.insert(place.start);
                }
                Entry::Occupied(entry) => {
                    let help = format!("the first is in line {}", self.line(*entry.get()));
                    self.error(Diagnostic::new(place, message(entry.key())).with_help(help));
                }
            }
        }
    }

    /// Whether more was found than is reported.
    pub(super) fn is_full(&self) -> bool {
        self.errors.borrow().len() > MAX_DIAGNOSTICS
    }

    /// The text at a place.
    pub(super) fn source(&self, place: Range<usize>) -> &'a str {
        self.source.get(place).unwrap_or_default()
    }

    /// The value, or nothing after its error was added.
    pub(super) fn check<T, E: Into<ValueError>>(
        &self,
        span: Range<usize>,
        result: Result<T, E>,
        example: impl FnOnce() -> Option<String>,
    ) -> Option<T> {
        let error: ValueError = match result {
            Ok(value) => return Some(value),
            Err(error) => error.into(),
        };
        let help = error.help().map(str::to_owned).or_else(example);
        self.error(Diagnostic { help, ..Diagnostic::new(span, error.to_string()) });
        None
    }

    /// Ends the reading. `complete` says whether everything in the file was read: nothing of it is
    /// ever dropped in silence.
    ///
    /// # Errors
    /// The errors, in the order of the file, if there are any.
    pub(super) fn finish(self, complete: bool) -> Result<(), Vec<Diagnostic>> {
        let mut errors = self.errors.into_inner();
        if !complete && errors.is_empty() {
            errors.push(Diagnostic::new(0..0, "not all of the file could be read"));
        }
        if errors.is_empty() {
            return Ok(());
        }
        errors.sort_by_key(|diagnostic| diagnostic.span.start);
        if errors.len() > MAX_DIAGNOSTICS {
            let more = errors.len() - MAX_DIAGNOSTICS;
            errors.truncate(MAX_DIAGNOSTICS);
            let end = self.source.len()..self.source.len();
            errors.push(Diagnostic::new(end, format!("{more} more errors are not shown")));
        }
        Err(errors)
    }
}
