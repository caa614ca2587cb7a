//! `kill -9` of a command, or of a monitor, at every interesting moment: the next pass converges,
//! and nothing is left that should not be.
//!
//! A debug build of tank kills itself at the point that `TANK_CRASH_AT` names or counts.

mod command;
mod monitor;
mod recovery;
mod stack;

pub(crate) use recovery::ANY as POINTS;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::container::{SLEEPER, pod_file, shell};
use crate::support::Tank;
use crate::support::program::Output;
use crate::support::world::World;

/// The points of a pass that creates a pod.
const CREATE: &[&str] = &[
    "intent",
    "before-create-sandbox",
    "after-create-sandbox",
    "before-start",
    "spawned",
    "after-start",
    "executed",
];

/// The points of a pass that replaces its container.
const REPLACE: &[&str] = &[
    "intent",
    "before-stop",
    "after-stop",
    "before-remove",
    "after-remove",
    "before-start",
    "spawned",
    "after-start",
    "executed",
];

/// The points of a pass that changes limits in place.
const UPDATE: &[&str] = &["intent", "before-update", "after-update", "executed"];

/// The points of a pass that stops the pod.
const STOP: &[&str] = &[
    "intent",
    "before-stop",
    "after-stop",
    "before-remove",
    "after-remove",
    "before-remove-sandbox",
    "after-remove-sandbox",
    "executed",
];

/// The points of a pass that deletes the pod.
pub(crate) const DELETE: &[&str] = &[
    "intent",
    "before-stop",
    "after-stop",
    "before-remove",
    "after-remove",
    "before-remove-sandbox",
    "after-remove-sandbox",
    "before-forget",
    "after-forget",
    "executed",
];

/// The pod that is created.
fn first() -> String {
    pod_file("", &shell(SLEEPER), "memory = \"64MiB\"")
}

/// The same pod with other contents, so that its container is replaced.
fn second() -> String {
    pod_file("", &shell(SLEEPER), "memory = \"64MiB\"\nenv = { SECOND = \"1\" }")
}

/// The first with another limit.
fn updated() -> String {
    pod_file("", &shell(SLEEPER), "memory = \"96MiB\"")
}

/// A tank on which everything ran once, so that what is made once for all is there; and the world
/// as it is when all pods are deleted.
struct Scene {
    tank: Tank,
    empty: World,
}

impl Scene {
    fn new() -> Self {
        let tank = Tank::new();
        tank.apply(&first()).ok();
        tank.run(["delete", "box"]).ok();
        let empty = tank.world();
        Self { tank, empty }
    }

    /// Runs `tank ARGS` and lets it be killed at a point.
    fn crash(&self, point: &str, args: &[&str], stdin: &str) -> Output {
        let mut command = self.tank.command(args);
        self.tank.run_with(command.env("TANK_CRASH_AT", point), stdin.as_bytes())
    }

    fn crash_apply(&self, point: &str, pod: &str) -> Output {
        self.crash(point, &["apply", "-f", "-"], pod)
    }

    /// A pass that must succeed; gives what it reports.
    #[track_caller]
    fn reconcile(&self) -> Value {
        self.tank.run(["reconcile", "-o", "json"]).ok().json()
    }

    /// Asserts that one pass puts everything right and that the next has nothing to do.
    #[track_caller]
    fn assert_recovers(&self, what: &str) {
        let pass = self.reconcile();
        assert_eq!(pass["failed"], 0, "{what}: {pass}");
        self.assert_settled(what);
    }

    /// Asserts that there is nothing to do, and that database and machine say the same.
    #[track_caller]
    fn assert_settled(&self, what: &str) {
        let pass = self.reconcile();
        assert_eq!((&pass["planned"], &pass["failed"]), (&0.into(), &0.into()), "{what}: {pass}");
        let state = State::open(&self.tank);
        assert_eq!(state.open_rows(), 0, "{what}: the journal has open rows");
        state.assert_sound(what);
        let known = state.present_instances();
        for dir in [self.tank.root(), self.tank.run_root()].map(|root| root.join("containers")) {
            assert_eq!(names(&dir), known, "{what}: {}", dir.display());
        }
    }

    /// Asserts that the pod runs, once, with this variable or without any.
    #[track_caller]
    fn assert_runs(&self, what: &str, is_second: bool) {
        let report = self.tank.run(["ps", "-o", "json"]).ok().json();
        let containers = report["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 1, "{what}: {report}");
        assert_eq!(containers[0]["state"], "running", "{what}: {report}");
        let environment = self.tank.run(["exec", "box", "--", "env"]).ok().stdout;
        assert_eq!(environment.contains("SECOND=1"), is_second, "{what}: {environment}");
        let monitors = self.tank.world().processes;
        let monitors = monitors.iter().filter(|(_, line)| line.starts_with("tank-monitor "));
        assert_eq!(monitors.count(), 1, "{what}: {:?}", self.tank.world().processes);
    }

    /// Deletes the pod if it is there; asserts that nothing is left.
    #[track_caller]
    fn assert_deletes(&self, what: &str) {
        self.tank.run(["delete", "--ignore-not-found", "box"]).ok();
        self.assert_empty(what);
    }

    /// What is there and was not when there was no pod, and the other way around.
    fn left(&self) -> Vec<String> {
        let differences = self.tank.world().since(&self.empty).into_iter();
        // SQLite makes and drops these as it likes.
        let is_journal =
            |line: &str| line.ends_with("state.db-wal") || line.ends_with("state.db-shm");
        differences.filter(|line| !is_journal(line)).collect()
    }

    #[track_caller]
    fn assert_empty(&self, what: &str) {
        let left = self.left();
        assert!(left.is_empty(), "{what}: left behind:\n{}", left.join("\n"));
        let state = State::open(&self.tank);
        for table in ["pods", "revisions", "instances", "leases", "ports"] {
            assert_eq!(state.count(table), 0, "{what}: rows in {table}");
        }
        assert_eq!(state.open_rows(), 0, "{what}: the journal has open rows");
    }
}

/// The database, looked at from outside.
pub(crate) struct State(Connection);

impl State {
    pub(crate) fn open(tank: &Tank) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        Self(Connection::open_with_flags(tank.root().join("state.db"), flags).unwrap())
    }

    fn number(&self, query: &str) -> i64 {
        self.0.query_row(query, [], |row| row.get(0)).unwrap()
    }

    fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM {table}"))
    }

    /// Steps that nobody ended. A pass that was killed is told by having no end.
    pub(crate) fn open_rows(&self) -> i64 {
        self.number("SELECT count(*) FROM journal WHERE finished_at IS NULL")
    }

    #[track_caller]
    pub(crate) fn assert_sound(&self, what: &str) {
        let text = |query| self.0.query_row(query, [], |row| row.get::<_, String>(0));
        assert_eq!(text("PRAGMA integrity_check").unwrap(), "ok", "{what}");
        assert_eq!(
            text("SELECT \"table\" FROM pragma_foreign_key_check"),
            Err(rusqlite::Error::QueryReturnedNoRows),
            "{what}"
        );
    }

    /// The instances of which something should be on the machine.
    pub(crate) fn present_instances(&self) -> BTreeSet<String> {
        let query = "SELECT id FROM instances WHERE removed = 0";
        let mut statement = self.0.prepare(query).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// The names in a directory; none where it is not there.
pub(crate) fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().map(Result::unwrap);
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Where an instance's run state is.
fn run_dir(tank: &Tank, id: &str) -> PathBuf {
    tank.run_root().join("containers").join(id)
}
