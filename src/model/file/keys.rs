//! Single keys and values of a file, compared with what the shape says of them.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::Diagnostic;
use super::limits::{MAX_CONTAINERS, MAX_DNS, MAX_DNS_SEARCH, MAX_ENTRIES, MAX_PODS};
use super::report::Report;
use super::section::Text;
use crate::model::nearest::nearest;
use crate::model::shape::{self, Key, Kind, Presence, Table};
use crate::model::value::{any_of, quoted};

/// A key as one writes it.
pub(super) fn example(key: &Key) -> String {
    match key.kind {
        Kind::Tables(_) => key.example.to_owned(),
        _ => format!("{} = {}", key.name, key.example),
    }
}

/// The text of a string, or the digits of a number.
pub(super) fn scalar<'a>(value: &'a Spanned<DeValue<'a>>) -> Option<Text<'a>> {
    let text = match value.get_ref() {
        DeValue::String(text) => Cow::Borrowed(text.as_ref()),
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().into(),
        // A number that is too large keeps its prefix, and is refused as no number.
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => number.to_string().into(),
            Err(_) => integer.to_string().into(),
        },
        DeValue::Float(float) => float.as_str().into(),
        _ => return None,
    };
    Some(Spanned::new(value.span(), text))
}

/// The type of a value, for people.
fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// Checks the value of a key: its type, and the types of what is in it.
pub(super) fn check(key: &Key, name: &Text<'_>, value: &Spanned<DeValue<'_>>, report: &Report<'_>) {
    if !has_type(key, &key.kind, value, report) {
        return;
    }
    match (&key.kind, value.get_ref()) {
        (Kind::Tables(_), DeValue::Array(items))
            if items.is_empty() && key.presence == Presence::Required =>
        {
            let message = format!("{} has no entries, at least one is needed", key.name);
            report.error(Diagnostic::new(name.span(), message));
        }
        (Kind::Choice(words), DeValue::String(text)) => word(key, words, text, value, report),
        (Kind::Short(shape), DeValue::String(text)) => {
            if let [Key { kind: Kind::Choice(words), .. }, ..] = shape.keys {
                word(key, words, text, value, report);
            }
        }
        _ => {}
    }
    size(key, name, value.get_ref(), report);
}

/// Reports a value of a wrong type, and the same inside lists and tables with keys of the user's
/// choice. True if the value itself has the right one.
fn has_type(key: &Key, kind: &Kind, value: &Spanned<DeValue<'_>>, report: &Report<'_>) -> bool {
    if kind.accepts(value.get_ref()) {
        match (kind, value.get_ref()) {
            (Kind::Array(kind), DeValue::Array(items)) => {
                for item in items {
                    has_type(key, kind, item, report);
                }
            }
            (Kind::Tables(shape), DeValue::Array(items)) => {
                for item in items {
                    has_type(key, &Kind::Table(shape), item, report);
                }
            }
            (Kind::Map(kind), DeValue::Table(entries)) => {
                for (_, entry) in entries {
                    has_type(key, kind, entry, report);
                }
            }
            _ => {}
        }
        return true;
    }
    let (expected, found) = (kind.expected(), found(value.get_ref()));
    let message = format!("{}: expected {expected}, found {found}", key.name);
    let help = match (kind, value.get_ref()) {
        (Kind::Text(""), DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_)) => {
            format!("write it in quotes: \"{}\"", report.source(value.span()))
        }
        _ => format!("for example: {}", example(key)),
    };
    report.error(Diagnostic::new(value.span(), message).with_help(help));
    false
}

/// Checks a word of a closed list.
fn word(key: &Key, words: &[&str], text: &str, value: &Spanned<DeValue<'_>>, report: &Report<'_>) {
    if words.contains(&text) {
        return;
    }
    let all = any_of(words.iter().copied());
    let near = nearest(text, words.iter().copied());
    let help = near.map_or(format!("use {all}"), |near| format!("did you mean \"{near}\"?"));
    let message = format!("{}: expected {all}, found {}", key.name, quoted(text));
    report.error(Diagnostic::new(value.span(), message).with_help(help));
}

/// Reports a list or table with more in it than is sane.
fn size(key: &Key, name: &Text<'_>, value: &DeValue<'_>, report: &Report<'_>) {
    let (count, limit) = match value {
        DeValue::Array(items) => match key.name {
            "pods" => (items.len(), MAX_PODS),
            "containers" | "init_containers" => (items.len(), MAX_CONTAINERS),
            "dns" => (items.len(), MAX_DNS),
            "dns_search" => (items.len(), MAX_DNS_SEARCH),
            _ => (items.len(), MAX_ENTRIES),
        },
        DeValue::Table(entries) => (entries.len(), MAX_ENTRIES),
        _ => return,
    };
    if count > limit {
        let message = format!("{} has {count} entries, at most {limit} are allowed", key.name);
        report.error(Diagnostic::new(name.span(), message));
    }
}

/// The error of a key that its table does not have.
pub(super) fn unknown(table: &Table, name: &Text<'_>, help: Option<String>) -> Diagnostic {
    let message = format!("unknown key {}", quoted(name.get_ref()));
    Diagnostic { help, ..Diagnostic::new(name.span(), message) }
        .with_label(format!("not a key of {}", table.name))
}

/// What an unknown key of a table may have been meant to be: a key of it that is misspelt, a key
/// of another table, or one of another table that is misspelt.
pub(super) fn meant(table: &'static Table, name: &Text<'_>) -> Option<String> {
    let text = name.get_ref().as_ref();
    let is_settings = shape::SETTINGS.iter().any(|other| std::ptr::eq(*other, table));
    let family = if is_settings { shape::SETTINGS.as_slice() } else { shape::ALL.as_slice() };
    let others = || family.iter().filter(|other| !std::ptr::eq(**other, table));
    let near = |table: &Table| nearest(text, table.keys.iter().map(|key| key.name));
    if std::ptr::eq(table, &shape::FILE) && shape::POD.key(text).is_some() {
        return Some("beside [[pods]] there are no other keys: put it into one of them".to_owned());
    }
    if let Some(near) = near(table) {
        return Some(format!("did you mean \"{near}\"?"));
    }
    if let Some(owner) = others().find(|other| other.key(text).is_some()) {
        return Some(format!("\"{text}\" is a key of {}", owner.name));
    }
    others().find_map(|other| {
        near(other).map(|near| format!("did you mean \"{near}\", a key of {}?", other.name))
    })
}
