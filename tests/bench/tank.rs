//! tank itself, with roots of its own.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::Outcome;
use crate::machine::{Workplace, average_memory, processes};
use crate::namespace::Namespace;
use crate::program::{Cost, Runner};

/// How a pod's program is to behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// It ends at once.
    True,
    /// It runs until it is deleted.
    Sleep,
    /// `iperf3` waits for clients, until it is deleted.
    Server,
}

impl Program {
    /// The port of the host that the first pod with it publishes, where pods have networks.
    pub(crate) fn port(self) -> usize {
        match self {
            Self::True => 5301,
            Self::Sleep => 5401,
            Self::Server => 5501,
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::True => r#"["/bin/true"]"#,
            Self::Sleep => r#"["/bin/sleep", "1000000"]"#,
            Self::Server => r#"["/bin/iperf3", "--server"]"#,
        }
    }
}

/// One tank: several, with different numbers of pods, do not see one another.
#[derive(Debug)]
pub(crate) struct Tank {
    dir: PathBuf,
    rootfs: PathBuf,
    runner: Runner,
    started: usize,
}

impl Tank {
    /// A tank under the workplace with roots named `name`.
    pub(crate) fn new(name: &str, workplace: &Workplace) -> Outcome<Self> {
        let dir = workplace.path().join(name);
        fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
        let runner = Runner::new(workplace.path());
        Ok(Self { dir, rootfs: workplace.rootfs(), runner, started: 0 })
    }

    /// Its pods are on its bridge from now on, and publish a port each.
    pub(crate) fn within(mut self, network: &Rc<Namespace>) -> Self {
        self.runner = self.runner.clone().within(Rc::clone(network));
        self
    }

    fn command(&self, args: &[&str]) -> Command {
        let binary = std::env::var_os("TANK_BIN");
        let mut command = Command::new(binary.unwrap_or_else(|| env!("CARGO_BIN_EXE_tank").into()));
        command.env_clear().arg("--root").arg(self.dir.join("root"));
        command.arg("--run-root").arg(self.dir.join("run")).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Outcome<Duration> {
        self.runner.time(&mut self.command(args))
    }

    /// Writes the file of `count` pods `NAME0`, `NAME1`, and so on.
    fn pod_file(&self, name: &str, count: usize, program: Program) -> Outcome<String> {
        let mut text = String::new();
        for n in 0..count {
            let (network, ports) = if self.runner.has_network() {
                ("bridge", format!("ports = [\"{}:5201\"]\n", program.port() + n))
            } else {
                ("none", String::new())
            };
            writeln!(
                text,
                "[[pods]]\nname = \"{name}{n}\"\nnetwork = \"{network}\"\nrestart = \"never\"\n\
                 [[pods.containers]]\nname = \"main\"\nstop_signal = \"KILL\"\n{ports}\
                 rootfs = \"{}\"\ncommand = {}",
                self.rootfs.display(),
                program.command()
            )
            .map_err(|error| error.to_string())?;
        }
        let file = self.dir.join(format!("{name}.toml"));
        fs::write(&file, text).map_err(|error| error.to_string())?;
        Ok(file.display().to_string())
    }

    /// Applies a new pod whose program is `/bin/true`.
    pub(crate) fn start(&mut self) -> Outcome<Duration> {
        self.start_by(|tank, file| tank.run(&["apply", "-f", file]))
    }

    /// The same under strace: what it writes of the calls that [`trace`](crate::trace) knows.
    pub(crate) fn trace(&mut self) -> Outcome<String> {
        self.start_by(|tank, file| {
            let log = tank.dir.join("trace");
            let mut command = crate::trace::command(&tank.command(&["apply", "-f", file]), &log);
            tank.runner.time(&mut command)?;
            fs::read_to_string(&log).map_err(|error| error.to_string())
        })
    }

    /// Has a new pod applied, and deletes it.
    fn start_by<T>(&mut self, apply: impl Fn(&Self, &str) -> Outcome<T>) -> Outcome<T> {
        self.started += 1;
        let name = format!("start{}-", self.started);
        let file = self.pod_file(&name, 1, Program::True)?;
        let result = apply(self, &file)?;
        self.run(&["delete", "--wait", &format!("{name}0")])?;
        Ok(result)
    }

    /// Makes sure that these pods are there, and that as many run as should.
    pub(crate) fn have(&self, name: &str, count: usize, program: Program) -> Outcome<()> {
        let file = self.pod_file(name, count, program)?;
        self.run(&["apply", "-f", &file])?;
        let listed = self.runner.output(&mut self.command(&["ps", "-a", "-o", "json"]))?;
        let listed: Value = serde_json::from_str(&listed)
            .map_err(|error| format!("tank ps -a -o json: {error}"))?;
        let containers = listed["containers"].as_array().ok_or("tank ps lists no containers")?;
        let ours = containers.iter().filter(|one| {
            one["pod"].as_str().is_some_and(|pod| pod.starts_with(name))
                && (program == Program::True || one["state"] == "running")
        });
        let there = ours.count();
        if there < count { Err(format!("{there} pods of {count}")) } else { Ok(()) }
    }

    /// Applies the file of [`Tank::have`] again.
    pub(crate) fn apply_unchanged(&self, name: &str) -> Outcome<Duration> {
        let file = self.dir.join(format!("{name}.toml"));
        self.run(&["apply", "-f", &file.display().to_string()])
    }

    /// Runs `/bin/true` in a pod that runs.
    pub(crate) fn exec(&self, pod: &str) -> Outcome<Duration> {
        self.run(&["exec", pod, "--", "/bin/true"])
    }

    /// The command that runs a program in a pod that runs.
    pub(crate) fn exec_command(&self, pod: &str, option: &str, command: &[&str]) -> Command {
        self.command(&[&["exec", option, pod, "--"], command].concat())
    }

    /// Applies a pod of a shell script.
    pub(crate) fn run_script(&self, name: &str, script: &str) -> Outcome<()> {
        let text = format!(
            "name = \"{name}\"\nnetwork = \"none\"\nrestart = \"never\"\n[[containers]]\n\
             name = \"main\"\nstop_signal = \"KILL\"\nrootfs = \"{}\"\n\
             command = [\"/bin/sh\", \"-c\", \"{script}\"]\n",
            self.rootfs.display()
        );
        let file = self.dir.join(format!("{name}.toml"));
        fs::write(&file, text).map_err(|error| error.to_string())?;
        self.run(&["apply", "-f", &file.display().to_string()]).map(drop)
    }

    /// Deletes a pod.
    pub(crate) fn delete(&self, name: &str) -> Outcome<()> {
        self.run(&["delete", "--wait", name]).map(drop)
    }

    /// Runs a program in a pod that runs, and gives what it writes.
    pub(crate) fn exec_output(&self, pod: &str, command: &[&str]) -> Outcome<String> {
        let args = [&["exec", pod, "--"], command].concat();
        self.runner.output(&mut self.command(&args))
    }

    /// A pod's address.
    pub(crate) fn address(&self, pod: &str) -> Outcome<String> {
        let listed = self.list()?;
        let pods = listed["pods"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = pods.iter().find(|one| one["name"] == pod);
        let address = found.and_then(|one| one["ip"].as_str()).map(str::to_owned);
        address.ok_or_else(|| format!("tank list has no address of {pod}"))
    }

    fn list(&self) -> Outcome<Value> {
        let listed = self.runner.output(&mut self.command(&["list", "-o", "json"]))?;
        serde_json::from_str(&listed).map_err(|error| format!("tank list -o json: {error}"))
    }

    pub(crate) fn ps(&self) -> Outcome<Duration> {
        self.run(&["ps"])
    }

    /// One pass that finds nothing to do.
    pub(crate) fn reconcile(&self) -> Outcome<Duration> {
        self.run(&["reconcile"])
    }

    /// The same with the memory that it takes.
    pub(crate) fn reconcile_cost(&self) -> Outcome<Cost> {
        self.runner.cost(&mut self.command(&["reconcile"]))
    }

    /// Stops the pods `NAME0`, `NAME1`, and so on.
    pub(crate) fn stop(&self, name: &str, count: usize) -> Outcome<()> {
        let names: Vec<_> = (0..count).map(|n| format!("{name}{n}")).collect();
        let args: Vec<_> = ["stop"].into_iter().chain(names.iter().map(String::as_str)).collect();
        self.run(&args).map(drop)
    }

    /// The average memory of the monitors of the pods `NAME0`, `NAME1`, and so on.
    pub(crate) fn monitor_memory(&self, name: &str) -> Outcome<u64> {
        let title = format!("tank-monitor {name}");
        let monitors = processes(|line| line.starts_with(&title));
        average_memory(monitors)
    }

    /// Pulls an image into a root that holds nothing, which is removed again.
    pub(crate) fn pull(&self, registry: &str, image: &str) -> Outcome<Duration> {
        let root = self.dir.join("root");
        fs::create_dir_all(&root).map_err(|error| error.to_string())?;
        let settings = format!("[registries]\ninsecure = [\"{registry}\"]\n");
        fs::write(root.join("config.toml"), settings).map_err(|error| error.to_string())?;
        let elapsed = self.run(&["image", "pull", image]);
        fs::remove_dir_all(&root).map_err(|error| error.to_string())?;
        elapsed
    }

    /// Deletes every pod.
    pub(crate) fn clear(&self) -> Outcome<()> {
        if !self.dir.join("root").exists() {
            return Ok(());
        }
        let listed = self.list()?;
        let pods = listed["pods"].as_array().map(Vec::as_slice).unwrap_or_default();
        let names = pods.iter().filter_map(|pod| pod["name"].as_str());
        let args: Vec<_> = ["delete", "--wait"].into_iter().chain(names).collect();
        if args.len() > 2 { self.run(&args).map(drop) } else { Ok(()) }
    }
}

impl Drop for Tank {
    fn drop(&mut self) {
        self.clear().unwrap_or_else(|error| eprintln!("{error}"));
    }
}
