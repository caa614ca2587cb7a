//! Pods as the tests see them: through `tank ps` and `tank list`, and through signals.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::program::Running;
use super::world::World;
use super::{Tank, fixtures, wait};

/// How long a pod may take to get anywhere. Generous: it only bounds a hang.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A pod file of one container on the busybox root, with more keys of the pod (`pod`) and of the
/// container (`container`, which must give the command).
pub(crate) fn busybox(name: &str, pod: &str, container: &str) -> String {
    let rootfs = fixtures::busybox_rootfs();
    format!(
        "name = \"{name}\"\nnetwork = \"none\"\n{pod}\n\
         [[containers]]\nname = \"app\"\nrootfs = \"{}\"\n{container}\n",
        rootfs.display()
    )
}

/// The same of a shell script, which may have no `'''` in it.
pub(crate) fn script(name: &str, pod: &str, script: &str) -> String {
    busybox(name, pod, &format!("command = ['/bin/sh', '-c', '''{script}''']"))
}

/// A pod that runs until it is told to end, and ends at once then.
pub(crate) fn sleeper(name: &str) -> String {
    script(name, "", "trap 'exit 0' TERM; sleep 1000 & wait")
}

impl Tank {
    /// Starts `tank ARGS` beside the test.
    pub(crate) fn start(&self, args: impl IntoIterator<Item = impl AsRef<str>>) -> Running {
        Running::start(&mut self.command(args), &[])
    }

    /// Starts `tank ARGS` beside the test; comes back when it has asked the pod's program to end.
    #[track_caller]
    pub(crate) fn start_ending(
        &self,
        pod: &str,
        args: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Running {
        let life = self.lives(pod).pop().expect("a life");
        let run = self.run_root().join("containers").join(life["id"].as_str().expect("an id"));
        let ending = self.start(args);
        let is_noted = || run.join("stopping").exists().then_some(());
        wait::file("the program to be asked to end", &run, SOON, is_noted);
        ending
    }

    /// Every life of the pod's containers, the oldest first, as `tank ps -a` tells.
    #[track_caller]
    pub(crate) fn lives(&self, pod: &str) -> Vec<Value> {
        let told = self.run(["ps", "-a", "-o", "json"]).ok().json();
        let all = told["containers"].as_array().expect("containers");
        let mut own: Vec<Value> =
            all.iter().filter(|container| container["pod"] == pod).cloned().collect();
        own.sort_by_key(|container| container["attempt"].as_u64());
        own
    }

    /// The last life of the pod's container, when it is as wanted.
    #[track_caller]
    pub(crate) fn await_life(
        &self,
        what: &str,
        pod: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        wait::until(what, SOON, || self.lives(pod).pop().filter(|life| wanted(life)))
    }

    /// Waits until a plan has no steps: a pass that a monitor became writes what it did last.
    #[track_caller]
    pub(crate) fn await_nothing_to_do(&self) {
        wait::until("nothing to do", SOON, || {
            (self.run(["plan"]).ok().stdout == "nothing to do\n").then_some(())
        });
    }

    /// What there is of this tank once the shell of a [`sleeper`] has begun to sleep. A look that
    /// comes earlier sees one process that is about to become two.
    #[track_caller]
    pub(crate) fn asleep(&self) -> World {
        let sleeps = |world: &World| world.processes.iter().any(|(_, line)| line == "sleep 1000");
        wait::until("a process that sleeps", SOON, || Some(self.world()).filter(sleeps))
    }

    /// The pod in a line, as `tank list` tells.
    #[track_caller]
    pub(crate) fn listed(&self, pod: &str) -> Value {
        let told = self.run(["list", "-o", "json"]).ok().json();
        let all = told["pods"].as_array().expect("pods");
        all.iter().find(|listed| listed["name"] == pod).expect("the pod is listed").clone()
    }

    /// Waits until the pod has a status.
    #[track_caller]
    pub(crate) fn await_status(&self, pod: &str, status: &str) -> Value {
        let what = format!("{pod} is {status}");
        wait::until(&what, SOON, || Some(self.listed(pod)).filter(|pod| pod["status"] == status))
    }

    /// Waits until the log of the pod's first container contains `text`; gives the whole log.
    #[track_caller]
    pub(crate) fn await_log(&self, pod: &str, text: &str) -> String {
        let what = format!("{text:?} in the log of {pod}");
        wait::until(&what, SOON, || {
            Some(self.run(["logs", pod]).ok().stdout).filter(|log| log.contains(text))
        })
    }

    /// The process of the pod's running container.
    #[track_caller]
    pub(crate) fn pid(&self, pod: &str) -> u32 {
        let life = self.lives(pod).pop().expect("a container");
        assert_eq!(life["state"], "running", "{life}");
        pid_of(&life)
    }

    /// The monitor of the pod's running container.
    #[track_caller]
    pub(crate) fn monitor(&self, pod: &str) -> u32 {
        let shown = format!("tank-monitor {pod}/app");
        let processes = self.world().processes;
        processes.iter().find(|(_, command)| *command == shown).expect("a monitor").0
    }
}

/// Whether a life is the container's `attempt`-th one and its program was executed. While a
/// monitor is still at it, a life is `running` but has no process yet.
pub(crate) fn runs(life: &Value, attempt: u32) -> bool {
    life["attempt"] == attempt && life["state"] == "running" && !life["pid"].is_null()
}

/// The process of a life, as `tank ps` tells.
#[track_caller]
pub(crate) fn pid_of(life: &Value) -> u32 {
    u32::try_from(life["pid"].as_u64().expect("a pid")).unwrap()
}

/// Sends a signal.
#[track_caller]
pub(crate) fn send(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).expect("a pid"), signal).unwrap();
}
