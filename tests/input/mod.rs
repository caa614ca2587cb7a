//! Bad input: what is said, with which exit code, and that nothing came of it.

mod images;
mod pods;
mod programs;

use rusqlite::{Connection, OpenFlags};

use crate::container::{SLEEPER, pod_file, shell};
use crate::support::Tank;
use crate::support::program::Output;
use crate::support::world::World;

/// A tank with one healthy pod, which must not notice what else is asked.
struct Healthy {
    tank: Tank,
    before: Seen,
}

/// What must not change: the machine, the rows of the database, and what is desired.
#[derive(Debug, PartialEq)]
struct Seen {
    world: World,
    rows: Vec<(&'static str, i64)>,
    desired: String,
}

const TABLES: [&str; 10] = [
    "pods",
    "revisions",
    "instances",
    "layers",
    "manifests",
    "images",
    "image_layers",
    "passes",
    "journal",
    "events",
];

impl Healthy {
    fn new() -> Self {
        let tank = Tank::new();
        tank.apply(&pod_file("", &shell(SLEEPER), "")).ok();
        tank.asleep();
        let before = Seen::of(&tank);
        Self { tank, before }
    }

    /// Asserts that the command failed with this code and said all of this, and changed nothing.
    #[track_caller]
    fn assert_refused(&self, output: Output, code: i32, parts: &[&str]) {
        let output = output.exits(code);
        for part in parts {
            assert!(output.stderr.contains(part), "no {part:?} in\n{output}");
        }
        assert!(!output.stderr.contains("panicked"), "{output}");
        self.assert_unchanged();
    }

    #[track_caller]
    fn assert_unchanged(&self) {
        let now = Seen::of(&self.tank);
        let changes = now.world.since(&self.before.world);
        assert!(changes.is_empty(), "{changes:?}");
        assert_eq!(now, self.before);
    }
}

impl Seen {
    fn of(tank: &Tank) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let state = Connection::open_with_flags(tank.root().join("state.db"), flags).unwrap();
        let count = |table: &'static str| {
            let query = format!("SELECT count(*) FROM {table}");
            (table, state.query_row(&query, [], |row| row.get(0)).unwrap())
        };
        let mut world = tank.world();
        // What is made once, whoever comes first, holds nothing of anybody's.
        let once =
            ["state.db-wal", "state.db-shm", "blobs", "blobs/sha256", "layers", "layers/.lock"];
        let once = once.map(|name| tank.root().join(name));
        let locks = tank.run_root().join("locks");
        world.files.retain(|path| !once.contains(path) && !path.starts_with(&locks));
        Self {
            world,
            rows: TABLES.into_iter().map(count).collect(),
            desired: tank.run(["get", "box"]).ok().stdout,
        }
    }
}
