//! One table of a file, read by the shape it should have.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostic;
use super::keys;
use super::report::Report;
use crate::model::quantity::Timespan;
use crate::model::shape::{Key, Kind, Presence, Table};
use crate::model::value::{ValueError, any_of, quoted};

/// A text of the file with its place.
pub(super) type Text<'a> = Spanned<Cow<'a, str>>;

/// A table of the file.
///
/// Opening it reports unknown keys, values of wrong types, and required keys that are missing. The
/// getters then give what is there and right, or the default, or nothing.
#[derive(Debug)]
pub(super) struct Section<'a> {
    shape: &'static Table,
    entries: &'a DeTable<'a>,
    span: Range<usize>,
    report: &'a Report<'a>,
}

impl<'a> Section<'a> {
    /// Checks the keys of a table. `span` is its head, for what is not there.
    pub(super) fn open(
        shape: &'static Table,
        entries: &'a DeTable<'a>,
        span: Range<usize>,
        report: &'a Report<'a>,
    ) -> Self {
        for (name, value) in entries {
            match shape.key(name.get_ref()) {
                Some(key) => keys::check(key, name, value, report),
                // Looking for the nearest name takes its time, and nobody reads that many.
                None if report.is_full() => report.error(keys::unknown(shape, name, None)),
                None => report.error(keys::unknown(shape, name, keys::meant(shape, name))),
            }
        }
        for key in shape.keys {
            if key.presence == Presence::Required && !entries.contains_key(key.name) {
                let missing = format!("{} has no key {:?}", shape.name, key.name);
                report.absent(
                    Diagnostic::new(span.clone(), missing)
                        .with_help(format!("add: {}", keys::example(key))),
                );
            }
        }
        Self { shape, entries, span, report }
    }

    /// The place of the table's head.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The problems found so far.
    pub(super) fn report(&self) -> &'a Report<'a> {
        self.report
    }

    /// Whether a key is written, whatever its value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The place of a key's name, or of the table if it is not written.
    pub(super) fn place(&self, name: &str) -> Range<usize> {
        self.entries.get_key_value(name).map_or(self.span(), |(key, _)| key.span())
    }

    /// The place of a key's value, or of the table if it is not written.
    pub(super) fn value_place(&self, name: &str) -> Range<usize> {
        self.entries.get(name).map_or(self.span(), Spanned::span)
    }

    /// Reports a problem of a key that is written.
    pub(super) fn error(&self, name: &str, message: impl Into<String>) {
        self.report.error(Diagnostic::new(self.place(name), message));
    }

    fn key(&self, name: &str) -> &'static Key {
        match self.shape.key(name) {
            Some(key) => key,
            None => unreachable!("{} has no key {name}", self.shape.name),
        }
    }

    fn value(&self, name: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let kind = &self.key(name).kind;
        self.entries.get(name).filter(|value| kind.accepts(value.get_ref()))
    }

    /// The text of a string or a number, or the default.
    pub(super) fn text(&self, name: &str) -> Option<Text<'a>> {
        match self.value(name) {
            Some(value) => keys::scalar(value),
            None => match self.key(name).presence {
                Presence::Default(text) => Some(Spanned::new(self.span(), text.into())),
                _ => None,
            },
        }
    }

    /// A value of a key, or nothing after its error was reported.
    pub(super) fn check<T, E: Into<ValueError>>(
        &self,
        name: &str,
        span: Range<usize>,
        result: Result<T, E>,
    ) -> Option<T> {
        let key = self.key(name);
        self.report.check(span, result, || Some(format!("for example: {}", keys::example(key))))
    }

    /// A string or a number, read by a function.
    pub(super) fn read<T, E: Into<ValueError>>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        self.check(name, text.span(), read(text.get_ref()))
    }

    /// A string or a number, read as what is asked for.
    pub(super) fn parse<T: FromStr>(&self, name: &str) -> Option<T>
    where
        T::Err: Into<ValueError>,
    {
        self.read(name, str::parse)
    }

    /// A time span that is not nothing.
    pub(super) fn positive_span(&self, name: &str) -> Option<Duration> {
        let Timespan(span) = self.parse(name)?;
        if span.is_zero() {
            self.error(name, format!("{name} must be longer than 0s"));
        }
        Some(span)
    }

    /// A boolean.
    pub(super) fn flag(&self, name: &str) -> bool {
        match self.value(name).map(Spanned::get_ref) {
            Some(DeValue::Boolean(flag)) => *flag,
            _ => self.key(name).presence == Presence::Default("true"),
        }
    }

    /// A whole number within the range of its key.
    pub(super) fn integer<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        let Kind::Integer { min, max } = self.key(name).kind else {
            return None;
        };
        let text = self.text(name)?;
        match text.get_ref().parse() {
            Ok(number) if (min..=max).contains(&number) => T::try_from(number).ok(),
            _ => {
                let found = text.get_ref();
                let message =
                    format!("{name}: expected an integer from {min} to {max}, found {found}");
                self.report.error(Diagnostic::new(text.span(), message));
                None
            }
        }
    }

    /// A word of a closed list, as the type whose variants bear those names.
    pub(super) fn choice<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Option<T> {
        let words = match self.key(name).kind {
            Kind::Choice(words) => words,
            Kind::Short(Table { keys: [Key { kind: Kind::Choice(words), .. }, ..], .. }) => words,
            _ => return None,
        };
        let text = self.text(name)?;
        if !words.contains(&text.get_ref().as_ref()) {
            return None;
        }
        let word: StrDeserializer<'_, WordError> = text.get_ref().as_ref().into_deserializer();
        T::deserialize(word).ok()
    }

    /// The texts of an array.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<Text<'a>>> {
        let Kind::Array(item) = &self.key(name).kind else {
            return None;
        };
        Some(texts_of(item, self.value(name)?))
    }

    /// The items of an array, each read by a function; those with errors are left out.
    pub(super) fn list<T, E: Into<ValueError>, C: FromIterator<T>>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> C {
        let texts = self.texts(name).unwrap_or_default();
        let item = |text: Text<'_>| self.check(name, text.span(), read(text.get_ref()));
        texts.into_iter().filter_map(item).collect()
    }

    /// The entries of a table with keys of the user's choice, each read by two functions.
    pub(super) fn map<V, C: FromIterator<(String, V)>>(
        &self,
        name: &str,
        check_key: impl Fn(&str) -> Result<(), ValueError>,
        read: impl Fn(&str) -> Result<V, ValueError>,
    ) -> C {
        let table = self.value(name).and_then(|value| value.get_ref().as_table());
        let has_type = |value: &DeValue<'_>| match self.key(name).kind {
            Kind::Map(kind) => kind.accepts(value),
            _ => false,
        };
        let entry = |(key, value): (&'a Text<'a>, &'a Spanned<DeValue<'a>>)| {
            let checked = self.check(name, key.span(), check_key(key.get_ref()));
            let text = keys::scalar(value).filter(|_| has_type(value.get_ref()))?;
            let value = self.check(name, text.span(), read(text.get_ref()));
            checked.and(value).map(|value| (key.get_ref().to_string(), value))
        };
        table.into_iter().flatten().filter_map(entry).collect()
    }

    /// The entries of a table with keys of the user's choice whose values are lists: keys and
    /// items each read by a function; those with errors are left out.
    pub(super) fn lists<T, E: Into<ValueError>>(
        &self,
        name: &str,
        read_key: impl Fn(&str) -> Result<String, ValueError>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> BTreeMap<String, Vec<T>> {
        let Kind::Map(Kind::Array(item)) = self.key(name).kind else {
            return BTreeMap::new();
        };
        let table = self.value(name).and_then(|value| value.get_ref().as_table());
        let entry = |(key, value): (&'a Text<'a>, &'a Spanned<DeValue<'a>>)| {
            let checked = self.check(name, key.span(), read_key(key.get_ref()));
            let items = texts_of(item, value)
                .into_iter()
                .filter_map(|text| self.check(name, text.span(), read(text.get_ref())))
                .collect();
            Some((checked?, items))
        };
        table.into_iter().flatten().filter_map(entry).collect()
    }

    /// The keys of a table with keys of the user's choice.
    pub(super) fn names(&self, name: &str) -> impl Iterator<Item = &'a Text<'a>> {
        let table = self.value(name).and_then(|value| value.get_ref().as_table());
        table.into_iter().flat_map(DeTable::keys)
    }

    /// A table.
    pub(super) fn table(&self, name: &str) -> Option<Section<'a>> {
        let (Kind::Table(shape) | Kind::Short(shape)) = self.key(name).kind else {
            return None;
        };
        let value = self.value(name)?;
        let entries = value.get_ref().as_table()?;
        Some(Section::open(shape, entries, value.span(), self.report))
    }

    /// The tables of a list.
    pub(super) fn tables(&self, name: &str) -> Vec<Section<'a>> {
        let Kind::Tables(shape) = self.key(name).kind else {
            return Vec::new();
        };
        let array = self.value(name).and_then(|value| value.get_ref().as_array());
        let open = |value: &'a Spanned<DeValue<'a>>| {
            let entries = value.get_ref().as_table()?;
            Some(Section::open(shape, entries, value.span(), self.report))
        };
        array.into_iter().flat_map(|array| array.iter()).filter_map(open).collect()
    }

    /// Reports that more than one, or none, of some keys is written. True if it is exactly one.
    pub(super) fn exactly_one(&self, what: &str, names: &[&str]) -> bool {
        let mut written = names.iter().filter(|name| self.has(name));
        let all = || any_of(names.iter().copied());
        match (written.next(), written.next()) {
            (Some(_), None) => return true,
            (None, _) => self.report.absent(
                Diagnostic::new(self.span(), format!("{} has no {what}", self.shape.name))
                    .with_help(format!("write one of {}", all())),
            ),
            (Some(first), Some(second)) => {
                let both = format!("{} and {}", quoted(first), quoted(second));
                self.report.error(
                    Diagnostic::new(self.place(second), format!("{both} cannot stand together"))
                        .with_help(format!("keep one of {}", all())),
                );
            }
        }
        false
    }
}

/// The texts of an array; what is no `item` has been reported.
fn texts_of<'a>(item: &Kind, array: &'a Spanned<DeValue<'a>>) -> Vec<Text<'a>> {
    let items = array.get_ref().as_array().into_iter().flat_map(|array| array.iter());
    items.filter(|value| item.accepts(value.get_ref())).filter_map(keys::scalar).collect()
}
