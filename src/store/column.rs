//! How values are written in columns, and read back.
//!
//! Names and digests are parsed again when they are read, so that a damaged or hand-edited
//! database cannot steer a path. Times are microseconds since the epoch, structured values JSON.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::types::{FromSql, Type};
use rusqlite::{Result, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{RunState, State};

/// An enumeration that is stored as one word a value; the schema checks the same words.
pub(super) trait Word: Copy + PartialEq + 'static {
    const WORDS: &'static [(Self, &'static str)];

    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(value, _)| *value == self);
        found.map_or("", |(_, word)| *word)
    }
}

impl Word for RunState {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Run, "run"), (Self::Stop, "stop")];
}

impl Word for State {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Created, "created"),
        (Self::Running, "running"),
        (Self::Stopped, "stopped"),
        (Self::Failed, "failed"),
        (Self::Removing, "removing"),
        (Self::Missing, "missing"),
        (Self::Unknown, "unknown"),
    ];
}

/// A value that no column of its kind can hold.
#[derive(Debug, thiserror::Error)]
#[error("unexpected value {0:?}")]
struct Unexpected(String);

/// The columns of one row, taken from left to right.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(super) fn new(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column, as SQLite has it.
    pub(super) fn take<T: FromSql>(&mut self) -> Result<T> {
        let value = self.row.get(self.next);
        self.next += 1;
        value
    }

    fn convert<T>(&mut self, convert: impl FnOnce(&str) -> Converted<T>) -> Result<T> {
        let column = self.next;
        let text = self.row.get_ref(column)?.as_str()?;
        self.next += 1;
        convert(text).map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, e))
    }

    fn optional<T>(&mut self, some: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        if self.row.get_ref(self.next)? == rusqlite::types::ValueRef::Null {
            self.next += 1;
            return Ok(None);
        }
        some(self).map(Some)
    }

    /// A name, an address, a digest: whatever checks itself when parsed.
    pub(super) fn parse<T>(&mut self) -> Result<T>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        self.convert(|text| text.parse().map_err(|e: T::Err| e.into()))
    }

    /// As [`parse`](Self::parse), or NULL.
    pub(super) fn parse_optional<T>(&mut self) -> Result<Option<T>>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        self.optional(Self::parse)
    }

    /// A structured value.
    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.convert(|text| serde_json::from_str(text).map_err(Into::into))
    }

    /// A value of an enumeration.
    pub(super) fn word<T: Word>(&mut self) -> Result<T> {
        self.convert(|text| {
            let found = T::WORDS.iter().find(|(_, word)| *word == text);
            found.map(|(value, _)| *value).ok_or_else(|| Unexpected(text.to_owned()).into())
        })
    }

    /// A moment.
    pub(super) fn time(&mut self) -> Result<Timestamp> {
        let column = self.next;
        let micros = self.take()?;
        Timestamp::from_microsecond(micros).map_err(|e| {
            rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(e))
        })
    }

    /// A moment, or NULL.
    pub(super) fn time_optional(&mut self) -> Result<Option<Timestamp>> {
        self.optional(Self::time)
    }

    /// The error of a row whose columns, each valid, do not fit together.
    pub(super) fn unexpected<T>(&self, value: impl Into<String>) -> Result<T> {
        let error = Box::new(Unexpected(value.into()));
        Err(rusqlite::Error::FromSqlConversionFailure(self.next - 1, Type::Text, error))
    }
}

type Converted<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A moment as it is stored.
pub(super) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A structured value as it is stored. Maps are ordered, so equal values give equal text.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}
