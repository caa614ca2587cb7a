//! What a program inside a container sees, may do, and is kept from doing; and how it ends.

mod end;
mod environment;
mod exec;
mod file_systems;
mod hostile;
mod limits;
mod matrix;
mod namespaces;
mod null_device;
mod privileges;
pub(crate) mod terminal;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::program::Output;
use crate::support::{Tank, fixtures, wait};

/// How long something that follows from a container's own doing may take.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A program that lives until it is asked to end, and then ends at once.
pub(crate) const SLEEPER: &str = "trap 'exit 0' TERM; sleep 1000 & wait";

/// A tank with one pod, `box`, of one container, `app`, from the busybox root file system.
pub(crate) struct Boxed {
    pub(crate) tank: Tank,
}

impl Boxed {
    /// One that sleeps, with these further lines of its container.
    #[track_caller]
    pub(crate) fn sleeping(container: &str) -> Self {
        Self::new("", SLEEPER, container)
    }

    /// One that runs a shell script, with these further lines of its pod and container.
    #[track_caller]
    pub(crate) fn new(pod: &str, script: &str, container: &str) -> Self {
        let boxed = Self { tank: Tank::new() };
        boxed.tank.apply(&pod_file(pod, &shell(script), container)).ok();
        boxed
    }

    /// One whose program runs to its end; waits for that.
    #[track_caller]
    pub(crate) fn completed(pod: &str, script: &str, container: &str) -> Self {
        let boxed = Self::new(&format!("restart = \"never\"\n{pod}"), script, container);
        boxed.ended();
        boxed
    }

    /// Runs a program in the container, with nothing on standard input.
    #[must_use = "assert how it ended: ok() or exits(CODE)"]
    #[track_caller]
    pub(crate) fn exec(&self, args: &[&str]) -> Output {
        self.tank.run([&["exec"], args].concat())
    }

    /// The command that runs a program in the container.
    pub(crate) fn exec_command(&self, args: &[&str]) -> Command {
        self.tank.command([&["exec"], args].concat())
    }

    /// What a shell script in the container prints, without the last line break; it must succeed.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        let output = self.exec(&["box", "--", "sh", "-c", script]).ok();
        output.stdout.trim_end_matches('\n').to_owned()
    }

    /// The container as `tank ps` tells of it.
    #[track_caller]
    pub(crate) fn ps(&self) -> Value {
        container(&self.tank)
    }

    /// Waits until the container has ended.
    #[track_caller]
    pub(crate) fn ended(&self) -> Value {
        wait::until("the container to end", SOON, || {
            let seen = self.ps();
            matches!(seen["state"].as_str(), Some("stopped" | "failed")).then_some(seen)
        })
    }

    /// The id of its first process on the host.
    #[track_caller]
    pub(crate) fn pid(&self) -> u32 {
        let pid = self.ps()["pid"].as_u64().expect("a pid");
        u32::try_from(pid).unwrap()
    }

    /// Its log without times: what went to standard output, then to standard error.
    #[track_caller]
    pub(crate) fn log(&self) -> String {
        let output = self.tank.run(["logs", "box"]).ok();
        output.stdout + &output.stderr
    }

    /// The directory of its cgroup in the hierarchy that has `controller`.
    pub(crate) fn cgroup(&self, controller: &str) -> PathBuf {
        let table = std::fs::read_to_string(format!("/proc/{}/cgroup", self.pid())).unwrap();
        let v1 = Path::new("/sys/fs/cgroup").join(controller);
        let path = table.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            let named =
                if v1.is_dir() { controllers == controller } else { controllers.is_empty() };
            named.then(|| path.trim_start_matches('/').to_owned())
        });
        let root = if v1.is_dir() { v1 } else { PathBuf::from("/sys/fs/cgroup") };
        root.join(path.expect("its cgroup"))
    }

    /// A file of its cgroup, by its name in version 1 and in version 2.
    #[track_caller]
    pub(crate) fn cgroup_file(&self, controller: &str, v1: &str, v2: &str) -> String {
        let is_v1 = Path::new("/sys/fs/cgroup").join(controller).is_dir();
        let file = self.cgroup(controller).join(if is_v1 { v1 } else { v2 });
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }
}

/// The only container of the tank, as `tank ps` tells of it.
#[track_caller]
pub(crate) fn container(tank: &Tank) -> Value {
    let mut report = tank.run(["ps", "-o", "json"]).ok().json();
    report["containers"][0].take()
}

/// A pod file with the pod `box`. `pod` and `container` are further lines of each.
pub(crate) fn pod_file(pod: &str, command: &[&str], container: &str) -> String {
    let rootfs = fixtures::busybox_rootfs();
    with_source(pod, &format!("rootfs = {rootfs:?}"), command, container)
}

/// The same with another source of its files.
pub(crate) fn with_source(pod: &str, source: &str, command: &[&str], container: &str) -> String {
    let command = serde_json::to_string(command).unwrap();
    let network = if pod.contains("network = ") { "" } else { "network = \"none\"\n" };
    let timeout = if pod.contains("stop_timeout = ") { "" } else { "stop_timeout = \"5s\"\n" };
    format!(
        "name = \"box\"\n{network}{timeout}{pod}\n\n[[containers]]\nname = \"app\"\n{source}\n\
         command = {command}\n{container}\n"
    )
}

/// The command that runs a script.
pub(crate) fn shell(script: &str) -> [&str; 3] {
    ["/bin/sh", "-c", script]
}
