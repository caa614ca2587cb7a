//! What commands cost, counted in system calls of a process of their own.

use std::process::Stdio;

use super::processes::{arguments, command, given_root};
use super::*;

/// Shows up in the trace as a system call on a path that does not exist.
fn mark(text: &str) {
    let _ = std::fs::symlink_metadata(Path::new("/no-such-directory").join(text));
}

fn apply(store: &mut Store, image: &str) {
    let web = name("web");
    store
        .write(|tx| {
            tx.put_pod(&pod("web", image), &images(1), at(0))?;
            let attempt = tx.next_attempt(&web, &container("app"))?;
            tx.insert_instance(&instance("web", attempt))?;
            let pass = tx.begin_pass("apply", &super::journal::owner(1), 1, at(0))?;
            let step =
                NewStep { pod: &web, step: "s", container: None, action: "start", cause: "new" };
            tx.start_steps(pass, &[step], at(0))
        })
        .unwrap();
}

#[test]
#[ignore = "a role that other tests start"]
fn role_commit_once() {
    let mut store = open(&given_root());
    mark("begin");
    apply(&mut store, "two");
    mark("end");
}

#[test]
#[ignore = "a role that other tests start"]
fn role_change_nothing() {
    let root = given_root();
    mark("begin");
    let mut store = open(&root);
    change_nothing(&mut store);
    drop(store);
    mark("end");
}

#[test]
#[ignore = "a role that other tests start"]
fn role_read() {
    let root = given_root();
    mark("begin");
    let store = Store::open(&root, Access::ReadOnly).unwrap();
    assert_eq!(store.read(|s| s.pods()).unwrap().len(), 1);
    drop(store);
    mark("end");
}

/// All that a pass does when it finds nothing to do, and more.
fn change_nothing(store: &mut Store) {
    let seen = store.read(|s| s.live_instances()).unwrap();
    assert!(!seen.is_empty());
    store.interrupt_dead(|_| true, at(0)).unwrap();
    let same = store
        .write(|tx| {
            tx.note_boot("boot-1")?;
            for instance in &seen {
                tx.update_observed(instance)?;
            }
            tx.put_pod(&pod("web", "one"), &images(1), at(7))
        })
        .unwrap();
    assert_eq!(same.result, PutResult::Unchanged);
}

/// The system calls that the role makes between its marks.
fn trace(role: &str, root: &Path) -> Vec<String> {
    let output = tempfile::NamedTempFile::new().unwrap();
    let status = command("strace")
        .args(["-f", "-qq", "-y", "-o"])
        .arg(output.path())
        .arg(std::env::current_exe().unwrap())
        .args(arguments(role).map(|word| word.replace("processes", "syscalls")))
        .env("TANK_TEST_ROOT", root)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let trace = std::fs::read_to_string(output.path()).unwrap();
    let (_, rest) = trace.split_once("/no-such-directory/begin").unwrap();
    let (calls, _) = rest.split_once("/no-such-directory/end").unwrap();
    calls.lines().skip(1).map(str::to_owned).collect()
}

fn count(calls: &[String], names: &[&str]) -> usize {
    let of = |call: &&String| names.iter().any(|name| call.contains(&format!(" {name}(")));
    calls.iter().filter(of).count()
}

const WRITES: &[&str] = &["write", "pwrite64", "writev", "pwritev", "fallocate"];
const SYNCS: &[&str] = &["fsync", "fdatasync", "syncfs", "sync", "sync_file_range", "msync"];

/// A root with one pod, whose log has been written to.
fn applied() -> (TempDir, Store) {
    let (root, mut store) = fresh();
    store.write(|tx| tx.note_boot("boot-1")).unwrap();
    apply(&mut store, "one");
    (root, store)
}

#[test]
fn one_commit_is_one_sync_of_data() {
    let (root, store) = applied();
    drop(store);
    let calls = trace("role_commit_once", root.path());
    assert_eq!(count(&calls, &["fdatasync"]), 1, "{calls:#?}");
    assert_eq!(count(&calls, SYNCS), 1, "{calls:#?}");
}

#[test]
fn reading_writes_and_syncs_nothing() {
    let (root, store) = applied();
    drop(store);
    let calls = trace("role_read", root.path());
    assert_eq!(count(&calls, SYNCS), 0, "{calls:#?}");
    let to_files = |call: &&String| call.contains("state.db>") || call.contains("state.db-wal>");
    let calls: Vec<_> = calls.iter().filter(to_files).cloned().collect();
    assert_eq!(count(&calls, WRITES), 0, "{calls:#?}");
}

#[test]
fn a_pass_that_changes_nothing_writes_and_syncs_nothing() {
    let (root, store) = applied();
    drop(store);
    let files = ["state.db", "state.db-wal"].map(|name| root.path().join(name));
    let before = files.clone().map(|path| std::fs::read(path).unwrap());
    let calls = trace("role_change_nothing", root.path());
    assert_eq!(count(&calls, SYNCS), 0, "{calls:#?}");
    let after = files.map(|path| std::fs::read(path).unwrap());
    assert!(before == after);
}

#[test]
fn the_log_stays_short() {
    let (root, mut store) = fresh();
    for number in 0..300 {
        put(&mut store, &pod("web", &format!("image-{number}")));
    }
    let log = std::fs::metadata(root.path().join("state.db-wal")).unwrap().len();
    assert!(log < 1 << 20, "{log}");
}
