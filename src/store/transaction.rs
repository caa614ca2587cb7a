//! What closures of [`Store::read`](super::Store::read) and [`Store::write`](super::Store::write)
//! work with. The operations are in the files of their tables.

use std::ops::Deref;

use rusqlite::{Connection, OptionalExtension, Params};

use super::column::Columns;
use super::error::{Doing, Result};

/// One moment of the state, for reading.
#[derive(Debug)]
pub struct Snapshot<'c> {
    conn: &'c Connection,
}

/// One transaction on the state: everything a [`Snapshot`] can read, and changes.
#[derive(Debug)]
pub struct Tx<'c> {
    snapshot: Snapshot<'c>,
}

impl<'c> Deref for Tx<'c> {
    type Target = Snapshot<'c>;

    fn deref(&self) -> &Snapshot<'c> {
        &self.snapshot
    }
}

impl<'c> Snapshot<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self { conn }
    }

    /// All rows that `sql` selects, each made a value by `map`.
    pub(super) fn rows<T>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        map: fn(&mut Columns<'_, '_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.conn.prepare_cached(sql).doing(doing)?;
        let rows = statement.query_map(params, |row| map(&mut Columns::new(row))).doing(doing)?;
        rows.collect::<rusqlite::Result<_>>().doing(doing)
    }

    /// The first row that `sql` selects, if there is one.
    pub(super) fn row<T>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        map: fn(&mut Columns<'_, '_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.conn.prepare_cached(sql).doing(doing)?;
        statement.query_row(params, |row| map(&mut Columns::new(row))).optional().doing(doing)
    }
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self { snapshot: Snapshot::new(conn) }
    }

    /// Executes `sql` and returns how many rows it changed.
    pub(super) fn run(&self, doing: &'static str, sql: &str, params: impl Params) -> Result<usize> {
        let mut statement = self.conn.prepare_cached(sql).doing(doing)?;
        statement.execute(params).doing(doing)
    }

    /// Executes an insertion and returns the id of its row.
    pub(super) fn insert(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
    ) -> Result<i64> {
        let mut statement = self.conn.prepare_cached(sql).doing(doing)?;
        statement.insert(params).doing(doing)
    }
}
