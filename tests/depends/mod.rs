//! Pods that depend on others: the order in which they come and go.

use std::time::Duration;

use serde_json::Value;

use crate::support::pods::{busybox, send};
use crate::support::{Tank, fixtures, wait};

const SOON: Duration = Duration::from_secs(20);

/// A container of a shell script, with more keys.
fn container(script: &str, keys: &str) -> String {
    let rootfs = fixtures::busybox_rootfs();
    format!(
        "[[pods.containers]]\nname = 'app'\nrootfs = {rootfs:?}\n\
         command = ['/bin/sh', '-c', '''{script}''']\n{keys}\n"
    )
}

/// One pod of a file of several.
fn pod(name: &str, on: &[&str], keys: &str, container: &str) -> String {
    format!(
        "[[pods]]\nname = '{name}'\nnetwork = 'none'\nstop_timeout = '5s'\ndepends_on = {on:?}\n\
         {keys}\n{container}\n"
    )
}

/// A script that tells when it begins and ends, in a directory that it shares with the test.
fn telling(name: &str) -> String {
    format!(
        "echo +{name} >> /told/order; trap 'echo -{name} >> /told/order; exit 0' TERM; \
         sleep 1000 & wait"
    )
}

/// A directory that containers tell things in.
struct Told(std::path::PathBuf);

impl Told {
    fn new(tank: &Tank) -> Self {
        let dir = tank.dir().join("told");
        std::fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    fn mount(&self) -> String {
        format!("mounts = [{{ target = '/told', host = {:?} }}]", self.0)
    }

    fn order(&self) -> String {
        let text = std::fs::read_to_string(self.0.join("order")).unwrap_or_default();
        text.lines().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn await_order(&self, order: &str) {
        let what = format!("{order:?}, it is {:?}", self.order());
        wait::until(&what, SOON, || (self.order() == order).then_some(()));
    }
}

const READY: &str = "[pods.containers.readiness]\nexec = ['/bin/test', '-e', '/told/ready']\n\
                     period = '100ms'\n";

#[track_caller]
fn status(tank: &Tank, pod: &str) -> Value {
    tank.listed(pod)["status"].clone()
}

#[test]
fn a_chain_starts_in_its_order_within_one_command_and_ends_in_reverse() {
    let tank = Tank::new();
    let told = Told::new(&tank);
    let one =
        |name: &str, on: &[&str]| pod(name, on, "", &container(&telling(name), &told.mount()));
    // In the order of their names they would start the wrong way around.
    let file = [one("a-web", &["b-app"]), one("b-app", &["c-db"]), one("c-db", &[])].concat();
    let applied = tank.apply(&file).ok();
    assert!(applied.stdout.contains("planned 6, executed 6, failed 0"), "{applied}");
    assert!(!applied.stdout.contains("waits"), "{applied}");
    told.await_order("+c-db +b-app +a-web");
    for name in ["a-web", "b-app", "c-db"] {
        assert_eq!(status(&tank, name), "running");
    }
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
    tank.run(["delete", "--wait", "c-db", "b-app", "a-web"]).ok();
    told.await_order("+c-db +b-app +a-web -a-web -b-app -c-db");
}

#[test]
fn a_pod_waits_until_the_probe_of_the_other_passes_and_nobody_has_to_look() {
    let tank = Tank::new();
    let told = Told::new(&tank);
    let db = pod("db", &[], "", &container(&telling("db"), &format!("{}\n{READY}", told.mount())));
    let app = pod("app", &["db"], "", &container(&telling("app"), &told.mount()));
    let applied = tank.apply(&(app + &db)).ok();
    assert!(applied.stdout.contains("pod/app waits for pod db, which is"), "{applied}");
    told.await_order("+db");
    assert_eq!(status(&tank, "app"), "pending");
    let listed = tank.listed("app");
    assert!(listed["reasons"][0].as_str().unwrap().starts_with("waits for pod db"), "{listed}");
    let planned = tank.run(["plan", "-o", "json"]).ok().json();
    assert_eq!(planned["changes"], 0, "{planned}");
    assert_eq!(planned["waiting"][0]["on"], "db");

    std::fs::write(told.0.join("ready"), "").unwrap();
    told.await_order("+db +app");
    tank.await_status("app", "running");
}

#[test]
fn whoever_waits_for_a_stack_waits_for_all_of_it() {
    let tank = Tank::new();
    let told = Told::new(&tank);
    let script = format!("(sleep 1; touch /told/ready) & {}", telling("db"));
    let db = pod("db", &[], "", &container(&script, &format!("{}\n{READY}", told.mount())));
    let app = pod("app", &["db"], "", &container(&telling("app"), &told.mount()));
    let file = tank.file("stack.toml", app + &db);
    tank.run(["apply", "--wait", "-f", file.to_str().unwrap()]).ok();
    assert_eq!(told.order(), "+db +app");
}

#[test]
fn one_that_ends_has_to_complete() {
    let tank = Tank::new();
    let told = Told::new(&tank);
    let job =
        |script: &str| pod("job", &[], "restart = 'never'", &container(script, &told.mount()));
    let app = pod("app", &["job"], "", &container(&telling("app"), &told.mount()));
    tank.apply(&(app.clone() + &job("sleep 0.3; exit 1"))).ok();
    tank.await_status("job", "failed");
    assert_eq!(status(&tank, "app"), "pending");
    tank.apply(&job("sleep 0.3; echo +job >> /told/order")).ok();
    told.await_order("+job +app");
    assert_eq!(status(&tank, "job"), "completed");
}

#[test]
fn what_runs_goes_on_when_the_other_goes() {
    let tank = Tank::new();
    let told = Told::new(&tank);
    let db = pod("db", &[], "", &container(&telling("db"), &told.mount()));
    let app = pod("app", &["db"], "", &container(&telling("app"), &told.mount()));
    tank.apply(&(app + &db)).ok();
    told.await_order("+db +app");
    let pid = tank.pid("app");
    tank.run(["stop", "db"]).ok();
    assert_eq!(tank.pid("app"), pid);
    // Once it ends it is not started without it.
    send(pid, rustix::process::Signal::KILL);
    wait::until("app to wait", SOON, || {
        let listed = tank.listed("app");
        let reason = listed["reasons"][0].as_str()?.to_owned();
        (reason == "waits for pod db, which is stopped").then_some(())
    });
    let described = tank.run(["describe", "app"]).ok().stdout;
    assert!(described.contains("waits for pod db, which is stopped"), "{described}");
    tank.run(["start", "db"]).ok();
    told.await_order("+db +app -db +db +app");
}

#[test]
fn a_restart_of_both_keeps_their_order() {
    let tank = Tank::new();
    let told = Told::new(&tank);
    let db = pod("db", &[], "", &container(&telling("db"), &told.mount()));
    let app = pod("app", &["db"], "", &container(&telling("app"), &told.mount()));
    tank.apply(&(app + &db)).ok();
    told.await_order("+db +app");
    tank.run(["restart", "app", "db"]).ok();
    told.await_order("+db +app -app -db +db +app");
}

#[test]
fn after_a_reboot_they_start_in_order() {
    let tank = Tank::new();
    let told = Told::new(&tank);
    // Whoever waits for a restart delay would be seen.
    let keys = "restart = { policy = 'always', initial = '1h', max = '1h' }";
    let ready = format!("{}\n{READY}", told.mount());
    let db = pod("db", &[], keys, &container(&telling("db"), &ready));
    let app = pod("app", &["db"], keys, &container(&telling("app"), &told.mount()));
    let idle = pod("idle", &[], "", &container(&telling("idle"), &told.mount()));
    std::fs::write(told.0.join("ready"), "").unwrap();
    let file = tank.file("stack.toml", [app, db, idle].concat());
    tank.run(["apply", "--wait", "-f", file.to_str().unwrap()]).ok();
    tank.run(["stop", "idle"]).ok();
    tank.reboot();
    std::fs::remove_file(told.0.join("order")).unwrap();
    tank.run(["reconcile"]).ok();
    told.await_order("+db +app");
    for name in ["app", "db"] {
        let exits = tank.listed(name)["exits"].clone();
        assert_eq!(exits[0]["reason"], "host-reboot", "{exits}");
    }
    assert_eq!(status(&tank, "idle"), "stopped");
    tank.await_status("app", "running");
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
}

#[test]
fn what_cannot_be_waited_for_is_refused() {
    let tank = Tank::new();
    let one = |name: &str, on: &[&str]| pod(name, on, "", &container("sleep 1000", ""));
    let unknown = tank.apply(&one("app", &["db"])).exits(2);
    assert!(
        unknown.stderr.contains("pod app depends on pod db, which does not exist"),
        "{unknown}"
    );
    let ring = one("a", &["b"]) + &one("b", &["c"]) + &one("c", &["a"]);
    let refused = tank.apply(&ring).exits(2);
    assert!(refused.stderr.contains("pods depend on each other: a -> b -> c -> a"), "{refused}");
    assert!(refused.stderr.contains("standard input:2:"), "{refused}");

    // The ring may be closed by what is there already.
    let alone = busybox("b", "stop_timeout = '0s'", "command = ['/bin/sleep', '1000']");
    tank.apply(&alone).ok();
    tank.apply(&one("a", &["b"])).ok();
    let closed = alone.replace("stop_timeout", "depends_on = ['a']\nstop_timeout");
    let refused = tank.apply(&closed).exits(2);
    assert!(refused.stderr.contains("pods depend on each other: a -> b -> a"), "{refused}");
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
}

#[test]
fn a_change_of_what_runs_waits_with_it() {
    let tank = Tank::new();
    let told = Told::new(&tank);
    let ready = format!("{}\n{READY}failures = 1\n", told.mount());
    let db = pod("db", &[], "", &container(&telling("db"), &ready));
    let app = |keys: &str| pod("app", &["db"], "", &container(&telling("app"), keys));
    std::fs::write(told.0.join("ready"), "").unwrap();
    let file = tank.file("stack.toml", app(&told.mount()) + &db);
    tank.run(["apply", "--wait", "-f", file.to_str().unwrap()]).ok();
    told.await_order("+db +app");
    std::fs::remove_file(told.0.join("ready")).unwrap();
    tank.await_status("db", "unready");
    let pid = tank.pid("app");
    let changed = tank.apply(&app(&format!("{}\nenv = {{ A = '1' }}", told.mount()))).ok();
    assert!(changed.stdout.contains("pod/app waits for pod db, which is unready"), "{changed}");
    assert_eq!(tank.pid("app"), pid);
    // What runs is not what was asked for.
    for args in [&["wait", "app", "--timeout=300ms"][..], &["restart", "app", "--wait=300ms"]] {
        let waited = tank.run(args).exits(1);
        assert!(waited.stderr.contains("not ready in time: app"), "{waited}");
    }
    let file = tank.file("again.toml", app(&format!("{}\nenv = {{ A = '2' }}", told.mount())));
    let again = ["apply", "-f", file.to_str().unwrap(), "--wait=300ms", "--rollback-on-failure"];
    tank.run(again).exits(1);
    assert!(tank.run(["get", "app"]).ok().stdout.contains("A = \"1\""));
    assert_eq!(tank.pid("app"), pid);
    std::fs::write(told.0.join("ready"), "").unwrap();
    told.await_order("+db +app -app +app");
    tank.run(["wait", "app"]).ok();
}

/// What was asked for is done, even if somebody has a pod that waited for it.
#[test]
fn a_pod_that_somebody_works_on_is_left_to_him() {
    let tank = Tank::new();
    let told = Told::new(&tank);
    let db = pod("db", &[], "", &container(&telling("db"), &told.mount()));
    let app = pod("app", &["db"], "", &container(&telling("app"), &told.mount()));
    tank.apply(&(app + &db)).ok();
    tank.run(["stop", "app", "db"]).ok();
    tank.run(["start", "app"]).ok();
    let lock = std::fs::File::open(tank.run_root().join("locks/app.lock")).unwrap();
    lock.lock().unwrap();
    tank.run(["start", "db", "--lock-timeout=200ms"]).ok();
    told.await_order("+db +app -app -db +db");
    drop(lock);
    tank.run(["reconcile"]).ok();
    told.await_order("+db +app -app -db +db +app");
}

/// Two commands that each write half of a ring find nothing wrong with their own half; a state that
/// has one all the same keeps nobody from taking it down.
#[test]
fn a_ring_in_the_state_hangs_nobody() {
    let tank = Tank::new();
    let one = |name: &str| pod(name, &[], "", &container("sleep 1000", ""));
    tank.apply(&(one("a") + &one("b"))).ok();
    let state = rusqlite::Connection::open(tank.root().join("state.db")).unwrap();
    for (name, on) in [("a", "b"), ("b", "a")] {
        let forge = "UPDATE pods SET spec = json_set(spec, '$.depends_on', json_array(?2))
            WHERE name = ?1";
        assert_eq!(state.execute(forge, [name, on]).unwrap(), 1);
    }
    drop(state);
    tank.run(["reconcile"]).ok();
    tank.run(["stop", "a", "b"]).ok();
    tank.run(["start", "a", "b"]).ok();
    assert_eq!(status(&tank, "a"), "pending");
    tank.run(["delete", "--wait", "a", "b"]).ok();
}

/// A pass over a pod waits for its own delays, and for nobody else's.
#[test]
fn nobody_waits_for_the_restart_delay_of_another() {
    let tank = Tank::new();
    let told = Told::new(&tank);
    let job = pod("job", &[], "restart = 'never'", &container("sleep 0.2", ""));
    let keys = "restart = { policy = 'always', initial = '1h', max = '1h' }";
    let app = pod("app", &["job"], keys, &container("exit 1", &told.mount()));
    tank.apply(&(job + &app)).ok();
    tank.await_status("job", "completed");
    tank.await_status("app", "backing-off");
    // That of the job has nothing to wait for; that of the application has.
    let passes = || {
        let processes = tank.world().processes;
        let words = |line: &str| line.contains("reconcile --wait-backoff");
        processes.into_iter().filter(|(_, line)| words(line)).map(|(_, line)| line).collect()
    };
    wait::until("one pass to be left", SOON, || {
        let passes: Vec<String> = passes();
        (passes.len() == 1 && passes[0].ends_with("app")).then_some(())
    });
}
