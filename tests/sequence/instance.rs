//! Containers that cannot be started, changed, ended or taken away.

use std::fs;

use rustix::process::Signal;

use super::journal::Journal;
use super::obstacle::{Frozen, InPlace, Missing, Mounted, Until};
use super::{Row, SLEEP, changed, container, id, pod, runs, sleeper};
use crate::support::immutable::Immutable;
use crate::support::pods::{SOON, send};
use crate::support::{Tank, fixtures, program, wait};

/// A pod whose ends are never waited out.
const AT_ONCE: &str = "restart = { policy = 'always', initial = '1ms' }";

#[test]
fn start_without_a_root_file_system() {
    let tank = Tank::new();
    let rootfs = tank.dir().join("rootfs");
    let web = pod("web", AT_ONCE, &container("app", SLEEP, ""));
    let web = web.replace(fixtures::busybox_rootfs().to_str().unwrap(), rootfs.to_str().unwrap());
    let row = Row {
        before: "",
        trouble: |_: &Tank| Missing::new(rootfs.clone(), fixtures::busybox_rootfs()),
        command: &["apply", "-f", "-"],
        file: &(web + &sleeper("zeta")),
        happens: "web: create-sandbox succeeded, start/app/1 failed; \
            zeta: create-sandbox succeeded, start/app/1 succeeded; \
            planned 4, executed 3, failed 1",
        errors: &[("pod/web: start/app/1", &["container app", "/rootfs is not a directory"])],
        mends: "web: remove/app/1 succeeded, start/app/2 succeeded; \
            planned 2, executed 2, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert!(!runs(&tank, "web"));
    tank.pid("zeta");
    row.recovers(&tank, in_the_way);
    tank.pid("web");
}

/// A container that does not start keeps those beside it from nothing. Its monitor has become the
/// pass that tries again after a while.
#[test]
fn start_of_a_program_that_is_not_there() {
    let tank = Tank::new();
    let programs = tank.dir().join("programs");
    fs::create_dir(&programs).unwrap();
    let late = format!(
        "[[pods.containers]]\nname = 'late'\nrootfs = {:?}\n\
         command = ['/programs/sleep', '1000']\nstop_signal = 'KILL'\n\
         mounts = [{{ target = '/programs', host = {programs:?} }}]\n",
        fixtures::busybox_rootfs()
    );
    let both = late + &container("app", SLEEP, "");
    let busybox = fixtures::busybox_rootfs().join("bin/busybox");
    let row = Row {
        before: "",
        trouble: |_: &Tank| Until(|| assert!(fs::copy(&busybox, programs.join("sleep")).is_ok())),
        command: &["apply", "-f", "-"],
        file: &(pod("web", "restart = { policy = 'always', initial = '3s' }", &both)
            + &sleeper("zeta")),
        happens: "web: create-sandbox succeeded, start/late/1 failed, start/app/1 succeeded; \
            zeta: create-sandbox succeeded, start/app/1 succeeded; \
            planned 5, executed 4, failed 1",
        errors: &[("pod/web: start/late/1", &["/programs/sleep", "No such file"])],
        mends: "web: remove/late/1 succeeded, start/late/2 succeeded; \
            planned 2, executed 2, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert_eq!(tank.listed("web")["ready"], 1);
    row.recovers_alone(&tank, in_the_way);
    assert_eq!(tank.listed("web")["ready"], 2);
}

#[test]
fn start_with_a_file_in_the_place_of_its_logs() {
    let tank = Tank::new();
    let row = Row {
        before: "",
        trouble: |tank: &Tank| InPlace::new(tank.root().join("logs/web")),
        command: &["apply", "-f", "-"],
        file: &(pod("web", AT_ONCE, &container("app", SLEEP, "")) + &sleeper("zeta")),
        happens: "web: create-sandbox succeeded, start/app/1 failed; \
            zeta: create-sandbox succeeded, start/app/1 succeeded; \
            planned 4, executed 3, failed 1",
        errors: &[("pod/web: start/app/1", &["/logs/web/app", "Not a directory"])],
        mends: "web: remove/app/1 succeeded, start/app/2 succeeded; \
            planned 2, executed 2, failed 0",
    };
    row.holds(&tank);
    tank.pid("web");
}

/// Two containers, one of which uses 40 MiB that cannot be swapped, with these limits.
fn hungry(memory: &str, cpus: &str) -> String {
    let eats = "dd if=/dev/zero of=/dev/shm/food bs=1M count=40 2>/dev/null; echo full";
    let one = container("one", &format!("{eats}; {SLEEP}"), &format!("memory = '{memory}'"));
    let two = container("two", SLEEP, &format!("cpus = {cpus}"));
    pod("web", "", &(one + &two))
}

#[test]
fn update_to_less_memory_than_is_in_use() {
    let tank = Tank::new();
    let row = Row {
        before: &(hungry("100MiB", "0.5")
            + &pod("zeta", "", &container("app", SLEEP, "pids = 50"))),
        trouble: |tank: &Tank| {
            tank.await_log("web", "full");
            let mut rm = tank.command(["exec", "web/one", "--", "rm", "/dev/shm/food"]);
            Until(move || drop(program::run(&mut rm, &[], SOON).ok()))
        },
        command: &["apply", "-f", "-"],
        file: &(hungry("20MiB", "1") + &pod("zeta", "", &container("app", SLEEP, "pids = 60"))),
        happens: "web: update/one/1 failed, update/two/1 succeeded; \
            zeta: update/app/1 succeeded; planned 3, executed 2, failed 1",
        errors: &[("pod/web: update/one/1", &["memory", "20971520 bytes", "it uses more"])],
        mends: "web: update/one/1 succeeded; planned 1, executed 1, failed 0",
    };
    let in_the_way = row.fails(&tank);
    // What could not be changed goes on as it was.
    let lives = tank.lives("web");
    assert!(lives.iter().all(|life| life["state"] == "running"), "{lives:?}");
    row.recovers(&tank, in_the_way);
    let after = tank.lives("web");
    let pids = |lives: &[serde_json::Value]| -> Vec<_> {
        lives.iter().map(|life| life["pid"].clone()).collect()
    };
    assert_eq!(pids(&lives), pids(&after));
}

/// The note for the monitor, that the end is meant, cannot be left: then nothing is ended.
#[test]
fn stop_in_a_directory_that_takes_nothing() {
    let tank = Tank::new();
    let row = Row {
        before: &(sleeper("web") + &sleeper("zeta")),
        trouble: |tank: &Tank| {
            Immutable::new(tank.run_root().join("containers").join(id(tank, "web")))
        },
        command: &["stop", "web", "zeta"],
        file: "",
        happens: "web: stop/app/1 failed, remove/app/1 interrupted, remove-sandbox interrupted; \
            zeta: stop/app/1 succeeded, remove/app/1 succeeded, remove-sandbox succeeded; \
            planned 6, executed 3, failed 1",
        errors: &[("pod/web: stop/app/1", &["/stopping", "Operation not permitted"])],
        mends: "web: stop/app/1 succeeded, remove/app/1 succeeded, remove-sandbox succeeded; \
            planned 3, executed 3, failed 0",
    };
    let in_the_way = row.fails(&tank);
    tank.pid("web");
    row.recovers(&tank, in_the_way);
    assert!(!runs(&tank, "web"));
}

/// What even SIGKILL does not end is given up on after ten seconds, and nothing of it is taken away.
/// When it ends at last, its monitor sees to the rest.
#[test]
fn stop_of_a_program_that_nothing_ends() {
    let tank = Tank::new();
    let row = Row {
        before: &(sleeper("web") + &sleeper("zeta")).replace("'5s'", "'0s'"),
        trouble: |tank: &Tank| Frozen::new(tank, "web"),
        command: &["delete", "web", "zeta"],
        file: "",
        happens: "web: stop/app/1 failed, remove/app/1 interrupted, remove-sandbox interrupted, \
            forget interrupted; planned 8, executed 4, failed 1",
        errors: &[("pod/web: stop/app/1", &["container app does not end", "uninterruptible"])],
        mends: "planned 3, executed 3, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert_eq!(tank.listed("web")["status"], "deleting");
    assert!(fs::exists(format!("/proc/{}", tank.pid("web"))).unwrap());
    row.recovers_alone(&tank, in_the_way);
    tank.run(["get", "web"]).exits(3);
}

#[test]
fn remove_of_a_file_that_cannot_be_removed() {
    let tank = Tank::new();
    let row = Row {
        before: &(sleeper("web") + &sleeper("zeta")),
        trouble: |tank: &Tank| {
            Immutable::new(tank.root().join("containers").join(id(tank, "web")).join("upper"))
        },
        command: &["apply", "-f", "-"],
        file: &(changed("web") + &changed("zeta")),
        happens: "web: stop/app/1 succeeded, remove/app/1 failed, start/app/2 interrupted; \
            zeta: stop/app/1 succeeded, remove/app/1 succeeded, start/app/2 succeeded; \
            planned 6, executed 4, failed 1",
        errors: &[("pod/web: remove/app/1", &["/upper", "Operation not permitted"])],
        mends: "web: remove/app/2 succeeded, remove/app/1 succeeded, start/app/3 succeeded; \
            planned 3, executed 3, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert!(!runs(&tank, "web"));
    row.recovers(&tank, in_the_way);
    assert!(tank.run(["exec", "web", "--", "env"]).ok().stdout.contains("CHANGED=1\n"));
}

/// What somebody mounted among the files of a container is theirs: it is not entered.
#[test]
fn remove_of_a_directory_with_a_mount_in_it() {
    let tank = Tank::new();
    let theirs = tank.dir().join("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("canary"), "sings").unwrap();
    let row = Row {
        before: &(sleeper("web") + &sleeper("zeta")),
        trouble: |tank: &Tank| {
            let files = tank.root().join("containers").join(id(tank, "web")).join("files");
            Mounted::new(&theirs, files.join("mounted"))
        },
        command: &["delete", "web", "zeta"],
        file: "",
        happens: "web: stop/app/1 succeeded, remove/app/1 failed, remove-sandbox interrupted, \
            forget interrupted; planned 8, executed 5, failed 1",
        errors: &[("pod/web: remove/app/1", &["/files/mounted", "Device or resource busy"])],
        mends: "planned 3, executed 3, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert_eq!(fs::read_to_string(theirs.join("canary")).unwrap(), "sings");
    row.recovers(&tank, in_the_way);
    assert_eq!(fs::read_to_string(theirs.join("canary")).unwrap(), "sings");
}

/// Whose monitor is gone, with a file in the place of its run state: it concerns no other pod, and
/// is put right like any other that is lost.
#[test]
fn a_file_in_the_place_of_the_run_state_is_a_lost_monitor() {
    let tank = Tank::new();
    tank.apply(&(sleeper("web") + &sleeper("zeta"))).ok();
    let (zeta, process, monitor) = (tank.pid("zeta"), tank.pid("web"), tank.monitor("web"));
    let run = tank.run_root().join("containers").join(id(&tank, "web"));
    send(monitor, Signal::KILL);
    assert!(wait::process_ended(monitor, SOON));
    fs::remove_dir_all(&run).unwrap();
    fs::write(&run, "").unwrap();
    assert_eq!(tank.lives("web")[0]["state"], "unknown");
    let journal = Journal::from_now_on(&tank);
    let mended = tank.run(["reconcile"]).ok();
    assert_eq!(
        journal.told(),
        "web: stop/app/1 succeeded, remove/app/1 succeeded, start/app/2 succeeded; \
         planned 3, executed 3, failed 0",
        "{mended}"
    );
    assert!(wait::process_ended(process, SOON));
    assert_eq!(tank.pid("zeta"), zeta);
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
    journal.assert_closed();
}

/// The id of a container of the pod `web`.
fn id_of(tank: &Tank, container: &str) -> String {
    let lives = tank.lives("web");
    let life = lives.iter().find(|life| life["name"] == container).unwrap();
    life["id"].as_str().unwrap().to_owned()
}

/// One that cannot be ended keeps those beside it from nothing but the end of their sandbox.
#[test]
fn stop_of_two_of_which_one_cannot_be_ended() {
    let tank = Tank::new();
    let both = container("first", SLEEP, "") + &container("last", SLEEP, "");
    let row = Row {
        before: &pod("web", "", &both),
        trouble: |tank: &Tank| {
            Immutable::new(tank.run_root().join("containers").join(id_of(tank, "last")))
        },
        command: &["stop", "web"],
        file: "",
        happens: "web: stop/last/1 failed, remove/last/1 interrupted, stop/first/1 succeeded, \
            remove/first/1 succeeded, remove-sandbox interrupted; \
            planned 5, executed 2, failed 1",
        errors: &[("pod/web: stop/last/1", &["/stopping", "Operation not permitted"])],
        mends: "web: stop/last/1 succeeded, remove/last/1 succeeded, remove-sandbox succeeded; \
            planned 3, executed 3, failed 0",
    };
    row.holds(&tank);
    assert!(!runs(&tank, "web"));
}

/// What runs before all others does not run beside one that could not be ended.
#[test]
fn stop_of_a_container_that_an_init_container_comes_before() {
    let tank = Tank::new();
    let init = |keys: &str| {
        let first = container("first", "exit 0", keys);
        first.replace("[[pods.containers]]", "[[pods.init_containers]]")
    };
    let both = container("one", SLEEP, "") + &container("two", SLEEP, "");
    let before = pod("web", "", &(init("") + &both));
    let row = Row {
        before: &before,
        trouble: |tank: &Tank| {
            tank.await_status("web", "running");
            tank.await_nothing_to_do();
            Immutable::new(tank.run_root().join("containers").join(id_of(tank, "one")))
        },
        command: &["apply", "-f", "-"],
        file: &pod("web", "", &(init("env = { CHANGED = '1' }") + &both)),
        happens: "web: stop/two/1 succeeded, remove/two/1 succeeded, stop/one/1 failed, \
            remove/one/1 interrupted, remove/first/1 succeeded, start/first/2 interrupted; \
            planned 6, executed 3, failed 1",
        errors: &[("pod/web: stop/one/1", &["/stopping", "Operation not permitted"])],
        mends: "",
    };
    drop(row.fails(&tank).obstacle);
    tank.run(["reconcile"]).ok();
    tank.await_status("web", "running");
    tank.await_nothing_to_do();
}
