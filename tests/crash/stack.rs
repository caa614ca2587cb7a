//! A stack of pods that wait for each other, killed at every point that a command comes to: when it
//! is applied, replaced, rolled back in part and deleted. Each of these makes what the next one
//! needs; a round of all four kills them at the same point, and the next round one point later.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Scene, State};
use crate::support::namespace::Namespace;
use crate::support::tree::tree;
use crate::support::world::World;
use crate::support::{Tank, fixtures, pods, wait};

const SOON: Duration = Duration::from_secs(20);

/// The pods, those first that depend on others.
const PODS: [&str; 3] = ["web", "app", "db"];

/// What their programs print, and what is in the file that `web` shows: at first, and later.
const FIRST: &str = "one";
const SECOND: &str = "two";

/// The file of the host that `web` shows a copy of.
const CONF: &str = "site.conf";

/// What says what a process may do, in proc_pid_status(5).
const RIGHTS: &str = "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' /proc/self/status";

fn container(table: &str, name: &str, script: &str, keys: &str) -> String {
    let rootfs = fixtures::busybox_rootfs();
    format!(
        "[[pods.{table}]]\nname = '{name}'\nrootfs = {rootfs:?}\n\
         command = ['/bin/sh', '-c', '''{script}''']\n{keys}\n"
    )
}

/// The stack of a version.
fn stack(version: &str) -> String {
    let program = |first: &str, keys: &str| {
        let script = format!("{first}; echo {version}; trap 'exit 0' TERM; sleep 1000 & wait");
        container("containers", "app", &script, keys)
    };
    let db = program(
        "touch /tmp/ready",
        "[[pods.containers.mounts]]\ntarget = '/data'\nvolume = 'db'\n\
         [[pods.containers.mounts]]\ntarget = '/etc/db.conf'\ncontent = 'listen'\n\
         [pods.containers.readiness]\nexec = ['/bin/test', '-e', '/tmp/ready']\nperiod = '100ms'",
    );
    let data = "mounts = [{ target = '/data', volume = 'app' }]";
    let seed = format!("echo {version}; test -e /data/seed || echo seeded > /data/seed");
    let seed = container("init_containers", "seed", &seed, data);
    let app = program("test -e /data/seed || exit 1", data);
    let web = program("true", &format!("mounts = [{{ target = '/conf', file = './{CONF}' }}]"));
    format!(
        "[[pods]]\nname = 'db'\n{db}\n\
         [[pods]]\nname = 'app'\ndepends_on = ['db']\n{seed}\n{app}\n\
         [[pods]]\nname = 'web'\ndepends_on = ['app']\nlabels = {{ tier = 'front' }}\n{web}\n"
    )
}

/// Waits until something is as wanted, and says how it is instead if it does not become so.
#[track_caller]
fn eventually<T: PartialEq + Debug>(what: &str, wanted: &T, look: impl Fn() -> T) {
    let begun = Instant::now();
    let seen = wait::until(what, 2 * SOON, || {
        let now = look();
        (now == *wanted || begun.elapsed() > SOON).then_some(now)
    });
    assert_eq!(seen, *wanted, "{what}");
}

/// What of the world is the same whenever all of the stack runs.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    /// Processes of tank: monitors, and no pass.
    processes: Vec<String>,
    mounts: usize,
    cgroups: usize,
    network: BTreeSet<String>,
}

impl Shape {
    fn of(tank: &Tank) -> Self {
        let World { processes, mounts, cgroups, network, .. } = tank.world();
        let is_tank = |line: &String| line.starts_with("tank-monitor ") || is_pass(line);
        let mut processes: Vec<_> =
            processes.into_iter().map(|(_, line)| line).filter(is_tank).collect();
        processes.sort();
        // A probe has one while it is made.
        let cgroups = cgroups.iter().filter(|cgroup| !cgroup.to_string_lossy().contains("probe-"));
        Self { processes, mounts: mounts.len(), cgroups: cgroups.count(), network }
    }
}

/// Whether a process is one that a monitor started, or became.
fn is_pass(line: &str) -> bool {
    line.split(' ').any(|word| word == "reconcile")
}

/// A tank with a stack, and a pod beside it that is not to notice anything.
struct Stack {
    scene: Scene,
    bystander: Value,
    volumes: BTreeMap<PathBuf, String>,
    rights: String,
    shape: Shape,
}

impl Stack {
    fn new() -> Self {
        let tank = Tank::inside(&Namespace::new());
        tank.apply(&pods::sleeper("bystander")).ok();
        tank.file(CONF, FIRST);
        tank.apply(&stack(FIRST)).ok();
        await_running(&tank, "at first", [&[FIRST]; 3]);
        for pod in ["db", "app"] {
            let write = format!("echo 'what {pod} wrote' > /data/file");
            tank.run(["exec", pod, "--", "sh", "-c", &write]).ok();
        }
        wait::until("all passes to be over", SOON, || {
            (!tank.world().processes.iter().any(|(_, line)| is_pass(line))).then_some(())
        });
        let volumes = tree(&tank.root().join("volumes"));
        let (shape, bystander) = (Shape::of(&tank), tank.lives("bystander").remove(0));
        let rights = tank.run(["exec", "web", "--", "sh", "-c", RIGHTS]).ok().stdout;
        tank.run([&["delete"][..], &PODS].concat()).ok();
        let of_stack = |line: &str| {
            is_pass(line) || PODS.iter().any(|pod| line == format!("tank-monitor {pod}/app"))
        };
        let empty = wait::until("all of it to be gone", SOON, || {
            let world = tank.world();
            (!world.processes.iter().any(|(_, line)| of_stack(line))).then_some(world)
        });
        Self { scene: Scene { tank, empty }, bystander, volumes, rights, shape }
    }

    fn tank(&self) -> &Tank {
        &self.scene.tank
    }

    /// Runs a command that is killed at the `n`-th point it comes to, and the pass that puts that
    /// right; says whether the command came so far.
    #[track_caller]
    fn is_killed(&self, n: usize, args: &[&str], stdin: &str) -> bool {
        let output = self.scene.crash(&n.to_string(), args, stdin);
        let is_killed = output.status.code().is_none();
        if is_killed {
            drop(output.killed_by(9));
            let pass = self.tank().run(["reconcile"]).ok();
            assert_eq!(pass.stderr, "", "{pass}");
        } else {
            assert_eq!(output.ok().stderr, "");
        }
        is_killed
    }

    /// Asserts that all of the stack runs, each pod of it as wanted, and that all else is as ever.
    /// `versions` are those that were wanted of each, one after the other.
    #[track_caller]
    fn assert_runs(&self, what: &str, versions: [&[&str]; 3]) {
        let tank = self.tank();
        await_running(tank, what, versions);
        eventually(what, &self.shape, || Shape::of(tank));
        self.scene.assert_settled(what);
        let listed = listed(tank);
        for (pod, versions) in listed.iter().zip(versions) {
            assert_eq!(pod["generation"], versions.len(), "{what}: {pod}");
        }
        assert_eq!(listed[0]["labels"]["tier"], "front", "{what}");
        let look = format!("cat /conf; echo; {RIGHTS}");
        let seen = tank.run(["exec", "web", "--", "sh", "-c", &look]).ok().stdout;
        assert_eq!(seen, format!("{}\n{}", versions[0].last().unwrap(), self.rights), "{what}");
        let content = tank.run(["exec", "db", "--", "cat", "/etc/db.conf"]).ok().stdout;
        assert_eq!(content, "listen", "{what}");
        self.assert_untouched(what);
    }

    /// Asserts that nothing of the stack is there any more but its volumes.
    #[track_caller]
    fn assert_gone(&self, what: &str) {
        eventually(what, &Vec::new(), || self.scene.left());
        self.scene.assert_settled(what);
        let state = State::open(self.tank());
        assert_eq!(state.number("SELECT count(*) FROM pods WHERE name <> 'bystander'"), 0);
        for table in ["revisions", "instances", "leases", "ports", "journal"] {
            let rows = format!("SELECT count(*) FROM {table} WHERE pod <> 'bystander'");
            assert_eq!(state.number(&rows), 0, "{what}: rows in {table}");
        }
        assert_eq!(state.count("contents"), 0, "{what}");
        let checked = self.tank().run(["doctor"]).ok();
        assert!(checked.stdout.contains("the database is whole"), "{what}: {checked}");
        self.assert_untouched(what);
    }

    /// Asserts that the other pod and the volumes are as they were.
    #[track_caller]
    fn assert_untouched(&self, what: &str) {
        let tank = self.tank();
        assert_eq!(tank.lives("bystander").pop().as_ref(), Some(&self.bystander), "{what}");
        assert_eq!(tree(&tank.root().join("volumes")), self.volumes, "{what}");
    }

    /// Goes through rounds until no command comes as far as to the point where it would be killed;
    /// the first one is `first`. The tests share the points among them.
    fn survives(&self, first: usize) {
        let mut killed = [true; 4];
        for n in (first..).step_by(4) {
            let at = |what: &str| format!("{what}, killed at point {n}");
            let [applied, replaced, rolled_back, deleted] = &mut killed;
            let changes = |is_killed: &mut bool, what, args: &[&str], stdin: &str, versions| {
                *is_killed = self.is_killed(n, args, stdin);
                match is_killed {
                    true => self.assert_runs(&at(what), versions),
                    false => await_running(self.tank(), what, versions),
                }
            };
            let apply = ["apply", "-f", "-"];
            self.tank().file(CONF, FIRST);
            changes(applied, "applied", &apply, &stack(FIRST), [&[FIRST]; 3]);
            if *replaced || *rolled_back {
                self.tank().file(CONF, SECOND);
                changes(replaced, "replaced", &apply, &stack(SECOND), [&[FIRST, SECOND]; 3]);
            }
            if *rolled_back {
                let both: &[&str] = &[FIRST, SECOND];
                let versions = [&[FIRST, SECOND, FIRST], both, both];
                changes(rolled_back, "rolled back", &["rollback", "web"], "", versions);
            }
            *deleted = self.is_killed(n, &[&["delete"][..], &PODS].concat(), "");
            self.assert_gone(&at("deleted"));
            match killed {
                [false, false, false, false] => return,
                _ => assert!(n > first || killed == [true; 4], "{killed:?} at point {n}"),
            }
        }
    }
}

/// The pods in a line each, in their order.
#[track_caller]
fn listed(tank: &Tank) -> [Value; 3] {
    let told = tank.run(["list", "-o", "json"]).ok().json();
    let all = told["pods"].as_array().unwrap();
    PODS.map(|name| all.iter().find(|pod| pod["name"] == name).expect("it is listed").clone())
}

/// Waits until all pods run as they should, and programs of each have run in these versions, once
/// each, and written so.
#[track_caller]
fn await_running(tank: &Tank, what: &str, versions: [&[&str]; 3]) {
    let look = || {
        listed(tank).map(|pod| {
            let is_well = pod["status"] == "running" && pod["sync"] == "sync";
            is_well.then(|| tank.run(["logs", pod["name"].as_str().unwrap()]).ok().stdout)
        })
    };
    let told = |versions: &[&str]| versions.iter().map(|version| format!("{version}\n")).collect();
    let wanted = versions.map(|versions| Some(told(versions)));
    eventually(what, &wanted, look);
}

#[test]
fn from_the_first_point_on() {
    Stack::new().survives(1);
}

#[test]
fn from_the_second_point_on() {
    Stack::new().survives(2);
}

#[test]
fn from_the_third_point_on() {
    Stack::new().survives(3);
}

#[test]
fn from_the_fourth_point_on() {
    Stack::new().survives(4);
}
