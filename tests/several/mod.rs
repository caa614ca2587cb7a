//! Pods of several containers: what they share, in what order they come and go, and what becomes
//! of the others when one ends or is changed.

mod share_pids;

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::pods::send;
use crate::support::{Tank, fixtures, wait};

const SOON: Duration = Duration::from_secs(30);

/// A container of a shell script on the busybox root, with more keys.
fn container(name: &str, script: &str, keys: &str) -> String {
    let rootfs = fixtures::busybox_rootfs();
    format!(
        "[[containers]]\nname = '{name}'\nrootfs = {rootfs:?}\n\
         command = ['/bin/sh', '-c', '''{script}''']\n{keys}\n"
    )
}

/// A container that runs until it is told to end.
fn sleeper(name: &str) -> String {
    container(name, "trap 'exit 0' TERM; sleep 1000 & wait", "")
}

/// The pod `pod` of these containers.
fn pod(keys: &str, containers: &[String]) -> String {
    format!("name = 'pod'\nnetwork = 'none'\n{keys}\n{}", containers.concat())
}

/// The last life of each container, by its name.
fn last(tank: &Tank, name: &str) -> Value {
    let lives = tank.lives("pod").into_iter().filter(|life| life["name"] == name);
    lives.max_by_key(|life| life["attempt"].as_u64()).unwrap_or(Value::Null)
}

fn pid(tank: &Tank, name: &str) -> u32 {
    let life = last(tank, name);
    assert_eq!(life["state"], "running", "{life}");
    u32::try_from(life["pid"].as_u64().unwrap()).unwrap()
}

fn sh(tank: &Tank, container: &str, script: &str) -> String {
    let target = format!("pod/{container}");
    tank.run(["exec", &target, "--", "sh", "-c", script]).ok().stdout
}

#[test]
fn they_share_network_ipc_and_host_name_and_nothing_else() {
    let tank = Tank::new();
    let serves = container("serves", "httpd -f -p 127.0.0.1:8080 -h /www", "");
    tank.apply(&pod("hostname = 'both'\nstop_timeout = '0s'", &[serves, sleeper("asks")])).ok();
    wait::until("the server", SOON, || {
        let asks = ["exec", "pod/asks", "--", "wget", "-qO-", "http://127.0.0.1:8080/"];
        (tank.run(asks).stdout == "served by busybox\n").then_some(())
    });
    for kind in ["net", "ipc", "uts"] {
        let of = |name| sh(&tank, name, &format!("readlink /proc/self/ns/{kind}"));
        assert_eq!(of("serves"), of("asks"), "{kind}");
    }
    for kind in ["pid", "mnt", "cgroup"] {
        let of = |name| sh(&tank, name, &format!("readlink /proc/self/ns/{kind}"));
        assert_ne!(of("serves"), of("asks"), "{kind}");
    }
    assert_eq!(sh(&tank, "serves", "hostname; echo mine > /tmp/file"), "both\n");
    assert_eq!(sh(&tank, "asks", "hostname; ls /tmp"), "both\n");
    let listed = tank.listed("pod");
    assert_eq!((&listed["ready"], &listed["total"]), (&2.into(), &2.into()), "{listed}");
}

#[test]
fn they_start_in_the_order_of_the_file_and_end_in_reverse() {
    let tank = Tank::new();
    let shared = tank.dir().join("shared");
    std::fs::create_dir(&shared).unwrap();
    let mount = format!("mounts = [{{ target = '/shared', host = {shared:?} }}]");
    let told = |name: &str| {
        let script = format!(
            "echo begin {name} >> /shared/order; \
             trap 'echo end {name} >> /shared/order; exit 0' TERM; sleep 1000 & wait"
        );
        container(name, &script, &mount)
    };
    tank.apply(&pod("", &["one", "two", "three"].map(told))).ok();
    let order = || std::fs::read_to_string(shared.join("order")).unwrap();
    wait::until("all to begin", SOON, || (order().lines().count() == 3).then_some(()));
    // A program is executed when its start is over; its first words may come a little later.
    let begun = |name: &str| last(&tank, name)["started_at"].as_str().unwrap().to_owned();
    assert!(begun("one") < begun("two") && begun("two") < begun("three"));
    tank.run(["delete", "--wait", "pod"]).ok();
    let ends = order().lines().skip(3).collect::<Vec<_>>().join(", ");
    assert_eq!(ends, "end three, end two, end one");
}

#[test]
fn one_that_ends_is_started_again_beside_the_others() {
    let tank = Tank::new();
    let restart = "restart = { policy = 'always', initial = '10ms', max = '10ms' }";
    tank.apply(&pod(restart, &["one", "two", "three"].map(sleeper))).ok();
    let before = ["one", "two", "three"].map(|name| pid(&tank, name));
    send(before[1], Signal::KILL);
    wait::until("a second life", SOON, || {
        let life = last(&tank, "two");
        (life["attempt"] == 2 && life["state"] == "running").then_some(())
    });
    assert_eq!(pid(&tank, "one"), before[0]);
    assert_eq!(pid(&tank, "three"), before[2]);
    assert_eq!(tank.listed("pod")["restarts"], 1);
    let planned = tank.run(["plan", "-o", "json"]).ok().json();
    assert_eq!(planned["changes"], 0, "{planned}");
}

#[test]
fn a_change_of_one_replaces_that_one_alone() {
    let tank = Tank::new();
    tank.apply(&pod("", &["one", "two"].map(sleeper))).ok();
    let before = ["one", "two"].map(|name| pid(&tank, name));
    let changed = container("two", "trap 'exit 0' TERM; sleep 2000 & wait", "");
    tank.apply(&pod("", &[sleeper("one"), changed.clone()])).ok();
    assert_eq!(pid(&tank, "one"), before[0]);
    assert_ne!(pid(&tank, "two"), before[1]);
    // Another one joins, and one leaves.
    tank.apply(&pod("", &[sleeper("one"), changed, sleeper("three")])).ok();
    let three = pid(&tank, "three");
    tank.apply(&pod("", &["one", "three"].map(sleeper))).ok();
    assert_eq!((pid(&tank, "one"), pid(&tank, "three")), (before[0], three));
    assert_ne!(last(&tank, "two")["state"], "running");
    let unchanged = tank.apply(&pod("", &["one", "three"].map(sleeper))).ok();
    assert!(unchanged.stdout.contains("pod/pod unchanged"), "{unchanged}");
}

#[test]
fn one_that_cannot_start_keeps_no_other_from_starting() {
    let tank = Tank::new();
    let rootfs = fixtures::busybox_rootfs();
    let broken = format!(
        "[[containers]]\nname = 'broken'\nrootfs = {rootfs:?}\ncommand = ['/no/such/program']\n"
    );
    let failed = tank.apply(&pod("", &[broken, sleeper("works")])).exits(1);
    assert!(failed.stderr.contains("/no/such/program"), "{failed}");
    pid(&tank, "works");
    assert_eq!(tank.listed("pod")["status"], "degraded");
}

#[test]
fn a_pod_alone_means_its_first_container_and_a_note_says_so() {
    let tank = Tank::new();
    let says = |name: &str| {
        container(name, &format!("echo i am {name}; trap 'exit 0' TERM; sleep 1000 & wait"), "")
    };
    tank.apply(&pod("", &["one", "two", "three"].map(says))).ok();
    let script = ["exec", "pod", "--", "true"];
    let noted = tank.run(script).ok();
    assert_eq!(noted.stderr, "tank: note: pod/one is meant; pod pod also has two, three\n");
    assert_eq!(tank.run([&["-q"][..], &script].concat()).ok().stderr, "");
    assert_eq!(tank.run(["exec", "pod/two", "--", "true"]).ok().stderr, "");
    for verb in
        [&["exec", "pod/four", "--", "true"][..], &["attach", "pod/four"], &["logs", "pod/four"]]
    {
        let unknown = tank.run(verb).exits(3);
        assert!(unknown.stderr.contains("pod pod has one, two, three"), "{unknown}");
    }
    wait::until("the logs", SOON, || {
        let said = |target: &str| tank.run(["logs", target]).ok().stdout;
        (said("pod") == "i am one\n" && said("pod/three") == "i am three\n").then_some(())
    });
    let both = tank.run(["logs", "--prefix", "pod/one", "pod/two"]).ok().stdout;
    assert!(
        both.contains("pod/one | i am one\n") && both.contains("pod/two | i am two\n"),
        "{both}"
    );
}

#[test]
fn all_are_there_again_after_a_reboot_and_no_two_have_a_port() {
    let tank = Tank::new();
    tank.apply(&pod("", &["one", "two"].map(sleeper))).ok();
    for name in ["one", "two"] {
        send(pid(&tank, name), Signal::KILL);
    }
    wait::until("both again", SOON, || {
        tank.run(["reconcile", "-q"]).ok();
        let again = |name| last(&tank, name)["attempt"].as_u64() > Some(1);
        (again("one") && again("two") && tank.listed("pod")["ready"] == 2).then_some(())
    });
    let ports = |name: &str| container(name, "sleep 1000", "ports = ['8080:80']");
    let bridged = pod("", &["one", "two"].map(ports)).replace("network = 'none'", "");
    let refused = tank.apply(&bridged).exits(2);
    assert!(refused.stderr.contains("8080"), "{refused}");
}

/// Init containers of these shell scripts, named after their places.
fn init(scripts: &[&str]) -> String {
    let one = |(place, script): (usize, &&str)| {
        container(&format!("init{place}"), script, "")
            .replace("[[containers]]", "[[init_containers]]")
    };
    scripts.iter().enumerate().map(one).collect()
}

/// A shared directory, and the keys that mount it.
fn shared(tank: &Tank) -> (std::path::PathBuf, String) {
    let shared = tank.dir().join("shared");
    std::fs::create_dir(&shared).unwrap();
    let keys = format!("mounts = [{{ target = '/shared', host = {shared:?} }}]");
    (shared, keys)
}

#[test]
fn init_containers_run_to_their_end_one_after_the_other() {
    let tank = Tank::new();
    let (shared, mount) = shared(&tank);
    let step = |name: &str| format!("sleep 0.2; echo {name} >> /shared/order");
    let inits =
        init(&[&step("one"), &step("two")]).replace("\n[[init", &format!("\n{mount}\n[[init"));
    let inits = format!("{}{mount}\n", inits);
    let main = container(
        "main",
        "echo main >> /shared/order; trap 'exit 0' TERM; sleep 1000 & wait",
        &mount,
    );
    let file = pod("", &[inits, main.clone()]);
    let mut apply = tank.command(["apply", "-f", "-", "--wait"]);
    tank.run_with(&mut apply, file.as_bytes()).ok();
    let order = || std::fs::read_to_string(shared.join("order")).unwrap();
    let until = |expected: &str| {
        wait::until(expected, SOON, || {
            (order().replace('\n', " ").trim() == expected).then_some(())
        });
    };
    until("one two main");
    let listed = tank.listed("pod");
    assert_eq!((&listed["status"], &listed["total"]), (&"running".into(), &1.into()), "{listed}");
    // Nothing is done twice for what is there.
    let unchanged = tank.run_with(&mut tank.command(["apply", "-f", "-"]), file.as_bytes()).ok();
    assert!(unchanged.stdout.contains("planned 0"), "{unchanged}");
    // The main container alone comes back after its own end.
    send(pid(&tank, "main"), Signal::KILL);
    until("one two main main");
    tank.run(["restart", "pod", "--wait"]).ok();
    until("one two main main one two main");
    tank.run(["stop", "pod"]).ok();
    tank.run(["start", "pod", "--wait"]).ok();
    until("one two main main one two main one two main");
    assert_eq!(tank.run(["logs", "pod/init0"]).ok().stdout, "");
    // What a pass has taken away is so, even if it was killed before it wrote that down.
    tank.reboot();
    std::fs::write(shared.join("order"), "").unwrap();
    let mut killed = tank.command(["reconcile"]);
    killed.env("TANK_CRASH_AT", "after-create-sandbox");
    assert_eq!(killed.status().unwrap().signal(), Some(9));
    tank.run(["reconcile"]).ok();
    until("one two main");
}

#[test]
fn an_init_container_that_fails_holds_the_others_back() {
    let tank = Tank::new();
    let inits = init(&["echo no luck; exit 3", "echo never"]);
    tank.apply(&pod("restart = 'never'", &[inits, sleeper("main")])).ok();
    let listed = tank.await_status("pod", "failed");
    let reasons = listed["reasons"].to_string();
    assert!(reasons.contains("exited with code 3"), "{reasons}");
    assert!(reasons.contains("waits for init container init0"), "{reasons}");
    assert_eq!(tank.lives("pod").len(), 1);
    assert_eq!(tank.run(["logs", "pod/init0"]).ok().stdout, "no luck\n");
    let waited = tank.run(["wait", "pod"]).exits(1);
    assert!(waited.stderr.contains("pod pod failed"), "{waited}");
    // Mended, it goes on from there.
    let inits = init(&["true", "true"]);
    let file = pod("restart = 'never'", &[inits, sleeper("main")]);
    let mut apply = tank.command(["apply", "-f", "-", "--wait"]);
    tank.run_with(&mut apply, file.as_bytes()).ok();
    pid(&tank, "main");
}

#[test]
fn a_pod_is_initializing_while_an_init_container_runs_and_can_be_deleted_then() {
    let tank = Tank::new();
    let inits = init(&["sleep 1000"]);
    tank.apply(&pod("stop_timeout = '0s'", &[inits, sleeper("main")])).ok();
    assert_eq!(tank.await_status("pod", "initializing")["ready"], 0);
    let refused = tank.run(["exec", "pod", "--", "true"]).exits(4);
    assert!(refused.stderr.contains("is not running"), "{refused}");
    tank.run(["exec", "pod/init0", "--", "true"]).ok();
    tank.run(["delete", "pod"]).ok();
    assert!(tank.world().processes.is_empty(), "{:?}", tank.world().processes);
}
