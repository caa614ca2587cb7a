//! What happened, for people.

use jiff::Timestamp;
use rusqlite::params;

use super::column::{Columns, micros};
use super::error::Result;
use super::transaction::{Snapshot, Tx};
use crate::model::{ContainerName, InstanceId, PodName};

/// How many events are kept.
const KEPT_EVENTS: i64 = 10_000;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number; later events have higher ones, and none is used twice.
    pub id: i64,
    /// What happened.
    pub event: NewEvent,
}

/// Something that happened, before it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// When.
    pub at: Timestamp,
    /// The pod it is about.
    pub pod: Option<PodName>,
    /// The container it is about.
    pub container: Option<ContainerName>,
    /// The instance it is about.
    pub instance: Option<InstanceId>,
    /// What kind of thing, as one word: `started`, `exited`, `oom`.
    pub kind: String,
    /// The rest, as a sentence for people.
    pub message: String,
}

macro_rules! select_events {
    ($tail:literal) => {
        concat!("SELECT id, at, pod, container, instance, kind, message FROM events ", $tail)
    };
}

fn event(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: columns.take()?,
        event: NewEvent {
            at: columns.time()?,
            pod: columns.parse_optional()?,
            container: columns.parse_optional()?,
            instance: columns.parse_optional()?,
            kind: columns.take()?,
            message: columns.take()?,
        },
    })
}

impl Snapshot<'_> {
    /// The last `count` events, of one pod or of all, oldest first.
    pub fn recent_events(&self, pod: Option<&PodName>, count: u32) -> Result<Vec<Event>> {
        let doing = "read the events";
        let mut events = match pod {
            None => {
                self.rows(doing, select_events!("ORDER BY id DESC LIMIT ?1"), [count], event)?
            }
            Some(pod) => self.rows(
                doing,
                select_events!("WHERE pod = ?1 ORDER BY id DESC LIMIT ?2"),
                params![pod.as_str(), count],
                event,
            )?,
        };
        events.reverse();
        Ok(events)
    }

    /// The events after number `id`, oldest first; 0 is before the first.
    pub fn events_since(&self, id: i64) -> Result<Vec<Event>> {
        let sql = select_events!("WHERE id > ?1 ORDER BY id");
        self.rows("read the events", sql, [id], event)
    }
}

impl Tx<'_> {
    /// Appends an event; the oldest are dropped when there are more than ten thousand.
    pub fn append_event(&self, event: &NewEvent) -> Result<()> {
        let id = self.insert(
            "write an event",
            "INSERT INTO events (at, pod, container, instance, kind, message)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                micros(event.at),
                event.pod.as_ref().map(PodName::as_str),
                event.container.as_ref().map(ContainerName::as_str),
                event.instance.as_ref().map(InstanceId::as_str),
                event.kind,
                event.message
            ],
        )?;
        let sql = "DELETE FROM events WHERE id <= ?1";
        self.run("drop old events", sql, [id - KEPT_EVENTS])?;
        Ok(())
    }
}
