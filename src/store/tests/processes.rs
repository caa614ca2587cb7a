//! Many processes at once, and processes that die. The test program runs itself: the tests that
//! are marked as roles do nothing unless one of the others starts them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;

use super::*;

const ROOT: &str = "TANK_TEST_ROOT";
const READY: &str = "role is ready";

/// A child that is killed, if need be, with its test.
pub(super) struct Role(pub(super) Child);

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test starts itself as another process")]
pub(super) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// Arguments that make the test program run one role, and nothing else.
pub(super) fn arguments(role: &str) -> [String; 4] {
    let path = module_path!().split_once("::").unwrap().1;
    ["--exact".into(), format!("{path}::{role}"), "--ignored".into(), "--nocapture".into()]
}

pub(super) fn start(role: &str, root: &Path) -> Role {
    let mut command = command(std::env::current_exe().unwrap());
    command.args(arguments(role)).env(ROOT, root);
    Role(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
}

/// The root that the role was given.
#[expect(clippy::disallowed_methods, reason = "a role is told its root by the test that starts it")]
pub(super) fn given_root() -> PathBuf {
    std::env::var_os(ROOT).expect("roles are started by other tests").into()
}

/// Says that the role is where it should be, and stays there until it is killed or let go.
fn wait_for_the_end() {
    println!("{READY}");
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read(&mut [0]);
}

fn wait_until_ready(role: &mut Role) {
    let lines = BufReader::new(role.0.stdout.take().unwrap()).lines();
    assert!(lines.map_while(std::io::Result::ok).any(|line| line.contains(READY)));
}

#[test]
#[ignore = "a role that other tests start"]
fn role_write_and_wait() {
    let mut store = open(&given_root());
    store.write(|tx| tx.put_pod(&pod("kept", "one"), &images(1), at(0))).unwrap();
    let _ = store.write(|tx| {
        for number in 0..500 {
            tx.put_pod(&pod(&format!("lost-{number}"), "one"), &images(1), at(0))?;
        }
        wait_for_the_end();
        Ok(())
    });
}

#[test]
#[ignore = "a role that other tests start"]
fn role_apply_many_times() {
    let root = given_root();
    for number in 0..20 {
        let mut store = open(&root);
        let name = format!("pod-{}-{number}", std::process::id());
        put(&mut store, &pod(&name, "one"));
        store.write(|tx| tx.append_event(&super::journal::event(&name, "started"))).unwrap();
    }
}

#[test]
#[ignore = "a role that other tests start"]
fn role_read_many_times() {
    let root = given_root();
    for _ in 0..40 {
        let store = Store::open(&root, Access::ReadOnly).unwrap();
        let pods = store.read(|s| s.pods()).unwrap().len();
        assert!(store.read(|s| s.events_since(0)).unwrap().len() + 12 >= pods);
    }
}

#[test]
#[ignore = "a role that other tests start"]
fn role_create() {
    open(&given_root());
}

fn all_succeed(roles: Vec<Role>) {
    for mut role in roles {
        let mut output = String::new();
        role.0.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        assert!(role.0.wait().unwrap().success(), "{output}");
    }
}

#[test]
fn parallel_writers_and_readers_never_see_a_lock() {
    let (root, store) = fresh();
    let writers = (0..6).map(|_| start("role_apply_many_times", root.path()));
    let readers = (0..6).map(|_| start("role_read_many_times", root.path()));
    all_succeed(writers.chain(readers).collect());
    assert_eq!(store.read(|s| s.pods()).unwrap().len(), 6 * 20);
    assert_eq!(store.integrity_check().unwrap(), [""; 0]);
}

#[test]
fn parallel_first_commands_create_one_database() {
    let root = empty();
    all_succeed((0..8).map(|_| start("role_create", root.path())).collect());
    assert_eq!(open(root.path()).integrity_check().unwrap(), [""; 0]);
}

#[test]
fn parallel_openers_migrate_once() {
    let (root, store) = fresh();
    drop(store);
    let step = "CREATE TABLE more (a INTEGER) STRICT";
    let steps = [crate::store::migrations::STEPS, &[step]].concat();
    std::thread::scope(|scope| {
        let open = || Store::open_with(root.path(), Access::ReadWrite, &steps).map(drop);
        let openers: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        for opener in openers {
            opener.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_writer_killed_in_a_transaction_leaves_nothing_and_blocks_nobody() {
    let root = empty();
    let mut role = start("role_write_and_wait", root.path());
    wait_until_ready(&mut role);
    drop(role);
    let barrier = Barrier::new(20);
    let read = || {
        barrier.wait();
        let store = Store::open(root.path(), Access::ReadOnly)?;
        store.read(|s| Ok(s.pods()?.len()))
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..20).map(|_| scope.spawn(read)).collect();
        for reader in readers {
            assert_eq!(reader.join().unwrap().unwrap(), 1);
        }
    });
    let mut store = open(root.path());
    put(&mut store, &pod("after", "one"));
    assert_eq!(store.integrity_check().unwrap(), [""; 0]);
}

#[test]
fn recovery_by_twenty_processes_at_once() {
    let root = empty();
    let mut role = start("role_write_and_wait", root.path());
    wait_until_ready(&mut role);
    drop(role);
    all_succeed((0..20).map(|_| start("role_read_many_times", root.path())).collect());
}

#[test]
fn a_writer_in_the_way_is_named_and_readers_pass() {
    let (root, mut store) = fresh();
    let mut role = start("role_write_and_wait", root.path());
    wait_until_ready(&mut role);
    assert_eq!(store.read(|s| s.pods()).unwrap().len(), 1);
    store.set_lock_timeout(Duration::from_millis(50)).unwrap();
    let error = store.write(|tx| tx.note_boot("boot-1")).unwrap_err();
    let Error::Locked { holder: Some(holder), waited, .. } = &error else { panic!("{error:?}") };
    assert_eq!(u32::try_from(holder.pid).unwrap(), role.0.id());
    assert!(holder.command.contains("role_write_and_wait"), "{holder}");
    assert!(*waited >= Duration::from_millis(50) && *waited < Duration::from_secs(5));
    assert!(error.to_string().contains("it is held by process"), "{error}");
}

#[test]
fn a_creation_in_the_way_is_named() {
    let root = empty();
    let path = root.path().join("state.lock");
    let held = crate::store::lock::exclusive(&path, Duration::ZERO).unwrap();
    let error = crate::store::lock::exclusive(&path, Duration::from_millis(30)).unwrap_err();
    let Error::Locked { holder: Some(holder), .. } = &error else { panic!("{error:?}") };
    assert_eq!(u32::try_from(holder.pid).unwrap(), std::process::id());
    drop(held);
    crate::store::lock::exclusive(&path, Duration::ZERO).unwrap();
}
