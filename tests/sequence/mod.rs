//! Steps that fail, one kind after the other: what was done until then, what was left undone, what
//! was done beside it, and what follows once nothing is in the way any more.
//!
//! Every row of this table brings a failure about on the machine itself, and says in one line what
//! has happened then, as the journal tells it.

mod connect;
mod dependencies;
mod instance;
mod interrupted;
mod journal;
mod obstacle;
mod sandbox;

use crate::support::pods::SOON;
use crate::support::{Tank, fixtures, wait};
use journal::Journal;

/// A pod that nothing is done to. It comes first in every plan.
const CALM: &str = "calm";

/// A script that runs until it is told to end.
const SLEEP: &str = "trap 'exit 0' TERM; sleep 1000 & wait";

/// A row of the table.
struct Row<'a, T> {
    /// The pods that are there before.
    before: &'a str,
    /// What comes into the way. Dropped, it is out of it again.
    trouble: T,
    /// The command, and the pod file it is given.
    command: &'a [&'a str],
    file: &'a str,
    /// What happens.
    happens: &'a str,
    /// The steps that are told to have failed, each with what is said of it.
    errors: &'a [(&'a str, &'a [&'a str])],
    /// What a pass does once nothing is in the way.
    mends: &'a str,
}

/// What is in the way after a row's command.
struct InTheWay<O> {
    obstacle: O,
    calm: u32,
}

impl<O, T: Fn(&Tank) -> O> Row<'_, T> {
    /// Runs the row to its end.
    #[track_caller]
    fn holds(&self, tank: &Tank) {
        let in_the_way = self.fails(tank);
        self.recovers(tank, in_the_way);
    }

    /// Runs the command into the trouble.
    #[track_caller]
    fn fails(&self, tank: &Tank) -> InTheWay<O> {
        tank.apply(&pod(CALM, "", &container("app", SLEEP, ""))).ok();
        if !self.before.is_empty() {
            tank.apply(self.before).ok();
        }
        let calm = tank.pid(CALM);
        let obstacle = (self.trouble)(tank);
        let journal = Journal::from_now_on(tank);
        let failed = tank.run_with(&mut tank.command(self.command), self.file.as_bytes()).exits(1);
        assert_eq!(journal.told(), self.happens, "{failed}");
        assert!(failed.stdout.ends_with(&format!("{}\n", journal.totals())), "{failed}");
        let said: Vec<&str> =
            failed.stderr.lines().filter_map(|line| line.strip_prefix("tank: error: ")).collect();
        assert_eq!(said.len(), self.errors.len(), "{failed}");
        for (line, (step, parts)) in said.iter().zip(self.errors) {
            assert!(line.starts_with(&format!("{step}: ")), "{step}: {failed}");
            assert!(parts.iter().all(|part| line.contains(part)), "{parts:?}: {failed}");
        }
        // What was said is on record as well.
        assert_eq!(journal.errors(), said, "{failed}");
        InTheWay { obstacle, calm }
    }

    /// Takes the cause away: one pass puts everything right, and the next has nothing to do.
    #[track_caller]
    fn recovers(&self, tank: &Tank, in_the_way: InTheWay<O>) {
        drop(in_the_way.obstacle);
        let journal = Journal::from_now_on(tank);
        let mended = tank.run(["reconcile"]).ok();
        assert_eq!(journal.told(), self.mends, "{mended}");
        assert_settled(tank, in_the_way.calm);
    }

    /// The same where a pass comes by itself.
    #[track_caller]
    fn recovers_alone(&self, tank: &Tank, in_the_way: InTheWay<O>) {
        let journal = Journal::from_now_on(tank);
        drop(in_the_way.obstacle);
        wait::until(self.mends, SOON, || (journal.told() == self.mends).then_some(()));
        assert_settled(tank, in_the_way.calm);
    }
}

/// Asserts that nothing is left to be done, and that nothing is written about that.
#[track_caller]
fn assert_settled(tank: &Tank, calm: u32) {
    let journal = Journal::from_now_on(tank);
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
    tank.run(["reconcile"]).ok();
    assert_eq!(journal.told(), "", "a pass with nothing to do writes nothing");
    journal.assert_closed();
    assert_eq!(tank.pid(CALM), calm, "somebody touched the other pod");
}

/// One pod of a file of several.
fn pod(name: &str, keys: &str, containers: &str) -> String {
    let network = if keys.contains("network") { "" } else { "network = 'none'" };
    format!("[[pods]]\nname = '{name}'\n{network}\nstop_timeout = '5s'\n{keys}\n{containers}\n")
}

/// A container of a shell script, with more keys.
fn container(name: &str, script: &str, keys: &str) -> String {
    let rootfs = fixtures::busybox_rootfs();
    format!(
        "[[pods.containers]]\nname = '{name}'\nrootfs = {rootfs:?}\n\
         command = ['/bin/sh', '-c', '''{script}''']\n{keys}\n"
    )
}

/// A pod that runs until it is told to end.
fn sleeper(name: &str) -> String {
    pod(name, "", &container("app", SLEEP, ""))
}

/// The same of another spec, so that it is replaced.
fn changed(name: &str) -> String {
    pod(name, "", &container("app", SLEEP, "env = { CHANGED = '1' }"))
}

/// Whether anything of the pod runs.
fn runs(tank: &Tank, pod: &str) -> bool {
    tank.lives(pod).iter().any(|life| life["state"] == "running")
}

/// The id of the last life of a pod.
fn id(tank: &Tank, pod: &str) -> String {
    tank.lives(pod).pop().expect("a life")["id"].as_str().unwrap().to_owned()
}
