//! Processes killed at the system calls that could leave something half done.

use std::process::Stdio;

use super::processes::{command, given_root};
use super::*;
use crate::store::migrations::STEPS;

/// The schema of a tank to come.
const NEXT: [&str; 7] = [
    STEPS[0],
    STEPS[1],
    STEPS[2],
    STEPS[3],
    STEPS[4],
    "CREATE TABLE a (x) ; CREATE TABLE b (x)",
    "DROP TABLE a; CREATE TABLE c (x)",
];

#[test]
#[ignore = "a role that other tests start"]
fn role_create() {
    open(&given_root());
}

#[test]
#[ignore = "a role that other tests start"]
fn role_migrate() {
    Store::open_with(&given_root(), Access::ReadWrite, &NEXT).unwrap();
}

/// Enough changes for a checkpoint and a new start of the log.
#[test]
#[ignore = "a role that other tests start"]
fn role_change() {
    let mut store = open(&given_root());
    for number in 0..30 {
        put(&mut store, &pod("web", &format!("image-{number}")));
    }
}

/// Runs a role in a root that `prepare` made, killed at one call of each kind after the other,
/// `stride` calls apart, until it survives, and lets `check` look at the root each time.
fn killed(role: &str, stride: usize, prepare: impl Fn(&Path), check: impl Fn(&Path)) {
    let path = module_path!().split_once("::").unwrap().1;
    let mut kills = 0;
    for call in ["pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "renameat2", "unlink"] {
        for nth in (1..).step_by(stride) {
            let root = empty();
            prepare(root.path());
            let status = command("strace")
                .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")])
                .args(["-e", &format!("inject={call}:signal=KILL:when={nth}")])
                .arg(std::env::current_exe().unwrap())
                .args(["--exact", &format!("{path}::{role}"), "--ignored"])
                .env("TANK_TEST_ROOT", root.path())
                .stdout(Stdio::null())
                .status()
                .unwrap();
            check(root.path());
            if status.success() {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 10, "{kills}");
}

#[test]
fn a_creation_that_is_killed_is_made_up_for() {
    killed(
        "role_create",
        1,
        |_| {},
        |root| {
            match Store::open(root, Access::ReadOnly) {
                Ok(store) => assert_eq!(store.integrity_check().unwrap(), [""; 0]),
                Err(error) => assert!(matches!(error, Error::NoState { .. }), "{error:?}"),
            }
            put(&mut open(root), &pod("web", "one"));
        },
    );
}

#[test]
fn a_migration_that_is_killed_leaves_one_version_or_the_next() {
    killed(
        "role_migrate",
        1,
        |root| {
            put(&mut open(root), &pod("web", "one"));
        },
        |root| {
            let store = Store::open_with(root, Access::ReadWrite, &NEXT).unwrap();
            assert_eq!(store.read(|s| s.pods()).unwrap().len(), 1);
            assert_eq!(store.integrity_check().unwrap(), [""; 0]);
            let tables = "SELECT group_concat(name, '') FROM
                (SELECT name FROM sqlite_schema WHERE name IN ('a', 'b', 'c') ORDER BY name)";
            let tables: String = store.conn.query_row(tables, [], |row| row.get(0)).unwrap();
            assert_eq!(tables, "bc");
        },
    );
}

#[test]
fn a_change_that_is_killed_is_whole_or_not_there() {
    killed(
        "role_change",
        7,
        |root| drop(open(root)),
        |root| {
            let store = open(root);
            assert_eq!(store.integrity_check().unwrap(), [""; 0]);
            let pod = store.read(|s| s.pod(&name("web"))).unwrap();
            let revisions = store.read(|s| s.revisions(&name("web"))).unwrap();
            assert_eq!(
                pod.map(|pod| (pod.generation, pod.pod)),
                revisions.last().map(|last| (last.generation, last.pod.clone()))
            );
        },
    );
}
