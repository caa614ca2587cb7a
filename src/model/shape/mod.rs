//! What the pod file may say, and what `config.toml` may say: every key, once.
//!
//! The tables of this module are the only list of keys. They decide which keys are unknown, what
//! type a value must have, what a key means when it is left out, whether a change of it is applied
//! to the running container, and what the JSON Schema says. Reading, writing and comparing pods
//! walk them, so that a key cannot be known to one of them and not to another.

mod build;
mod container;
mod log;
mod mount;
mod pod;
mod probe;
mod settings;

use toml::Value;
use toml::de::DeValue;

pub use container::{CAPABILITIES, CONTAINER};
pub use log::{LOG, LOGS};
pub use mount::MOUNT;
pub use pod::{FILE, POD, RESTART};
pub use probe::{HTTP, PROBE, TCP};
pub use settings::{CONFIG, IMAGES, NETWORK, REGISTRIES};

/// Every table of `config.toml`.
pub static SETTINGS: [&Table; 5] = [&CONFIG, &REGISTRIES, &IMAGES, &NETWORK, &LOGS];

/// Every table of the pod file.
pub static ALL: [&Table; 10] =
    [&FILE, &POD, &RESTART, &CONTAINER, &CAPABILITIES, &MOUNT, &LOG, &PROBE, &HTTP, &TCP];

/// A kind of table in the file.
#[derive(Debug)]
pub struct Table {
    /// What it describes, with its article: `a container`.
    pub name: &'static str,
    /// What that is, in a sentence.
    pub doc: &'static str,
    /// The key that tells the members of a list of these tables apart.
    pub identity: Option<&'static str>,
    /// Whether it is written in braces on one line.
    pub inline: bool,
    /// Its keys in the order in which they are written.
    pub keys: &'static [Key],
}

impl Table {
    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// What it means, in a sentence.
    pub doc: &'static str,
    /// What leaving it out means.
    pub presence: Presence,
    /// A value as one writes it, for people who wrote something else.
    pub example: &'static str,
    /// What a change of it does to a running container.
    pub effect: Effect,
}

/// What a change does to a running container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It is applied in place.
    Live,
    /// The container is replaced.
    Replace,
}

/// What leaving out a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It may not be left out, and a list may not be empty.
    Required,
    /// There is no such thing, or it follows from something else that its sentence names.
    Optional,
    /// The same as this value, in its shortest form, strings without quotes.
    Default(&'static str),
}

/// What may stand behind a key.
#[derive(Debug)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number of this range.
    Integer {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// A decimal number.
    Number,
    /// A string; the pattern is a hint for editors, in the regular expressions of JSON Schema.
    Text(&'static str),
    /// A string of that pattern, or a whole number, which means the same as its digits.
    TextOrInteger(&'static str),
    /// One of a list of words.
    Choice(&'static [&'static str]),
    /// A list of values.
    Array(&'static Kind),
    /// A table with keys of the user's choice.
    Map(&'static Kind),
    /// A table.
    Table(&'static Table),
    /// A list of tables.
    Tables(&'static Table),
    /// A table, or the value of its first key alone.
    Short(&'static Table),
}

impl Kind {
    /// Whether a value has the right type. What is inside an array or a table is not looked at.
    pub fn accepts(&self, value: &DeValue<'_>) -> bool {
        match self {
            Self::Boolean => value.is_bool(),
            Self::Integer { .. } => value.is_integer(),
            Self::Number => value.is_integer() || value.is_float(),
            Self::Text(_) | Self::Choice(_) => value.is_str(),
            Self::TextOrInteger(_) => value.is_str() || value.is_integer(),
            Self::Array(_) | Self::Tables(_) => value.is_array(),
            Self::Map(_) | Self::Table(_) => value.is_table(),
            Self::Short(_) => value.is_str() || value.is_table(),
        }
    }

    /// The type it accepts, for people.
    pub fn expected(&self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer { .. } => "an integer",
            Self::Number => "a number",
            Self::Text(_) | Self::Choice(_) => "a string",
            Self::TextOrInteger(_) => "a string or an integer",
            Self::Array(_) => "an array of strings",
            Self::Map(_) | Self::Table(_) => "a table",
            Self::Tables(_) => "an array of tables",
            Self::Short(_) => "a string or a table",
        }
    }
}

impl Key {
    /// Whether `value` is what leaving out the key means.
    pub fn is_default(&self, value: &Value) -> bool {
        let Presence::Default(default) = self.presence else {
            return false;
        };
        match value {
            Value::String(text) => text == default,
            Value::Array(values) => values.is_empty() && default == "[]",
            Value::Table(table) => match &self.kind {
                Kind::Table(shape) => shape.keys.iter().all(|key| key.is_absent_or_default(table)),
                Kind::Short(shape) => {
                    shape.keys.iter().enumerate().all(|(index, key)| match index {
                        0 => table.get(key.name).and_then(Value::as_str) == Some(default),
                        _ => key.is_absent_or_default(table),
                    })
                }
                _ => table.is_empty() && default == "{}",
            },
            _ => value.to_string() == default,
        }
    }

    fn is_absent_or_default(&self, table: &toml::Table) -> bool {
        table.get(self.name).is_none_or(|value| self.is_default(value))
    }
}
