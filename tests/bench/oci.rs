//! The programs that take an OCI bundle: crun and runc.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Outcome;
use crate::cgroup::remove_cgroups;
use crate::machine::Workplace;
use crate::program::{Runner, is_installed};
use crate::rootfs::Overlay;

/// An OCI runtime with a state of its own.
#[derive(Debug)]
pub(crate) struct OciRuntime {
    name: &'static str,
    dir: PathBuf,
    lower: PathBuf,
    runner: Runner,
    started: usize,
}

/// A container that sleeps until it is deleted.
#[derive(Debug)]
pub(crate) struct Sleeper {
    id: String,
    _root: Overlay,
}

impl OciRuntime {
    pub(crate) fn new(name: &'static str, workplace: &Workplace) -> Outcome<Self> {
        if !is_installed(name) {
            return Err("not installed".to_owned());
        }
        let dir = workplace.path().join(name);
        fs::create_dir_all(dir.join("state")).map_err(|error| error.to_string())?;
        let runner = Runner::new(workplace.path());
        let runtime = Self { name, dir, lower: workplace.rootfs(), runner, started: 0 };
        runtime.runner.time(Command::new(name).arg("spec").current_dir(&runtime.dir))?;
        fs::rename(runtime.dir.join("config.json"), runtime.dir.join("default.json"))
            .map_err(|error| error.to_string())?;
        Ok(runtime)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.name);
        command.arg("--root").arg(self.dir.join("state")).args(args);
        command
    }

    fn cgroup(&self) -> String {
        format!("tank-bench-{}-{}", self.name, std::process::id())
    }

    /// Starts `/bin/true` in a new container and waits for its end. The overlay is part of the
    /// time, as it is of tank's; removing it is not.
    pub(crate) fn start(&mut self) -> Outcome<Duration> {
        let (id, dir) = self.bundle(&["/bin/true"])?;
        let started = Instant::now();
        let overlay = Overlay::mount(&self.lower, &dir)?;
        let bundle = dir.display().to_string();
        self.runner.time(&mut self.command(&["run", "--bundle", &bundle, &id]))?;
        let elapsed = started.elapsed();
        drop(overlay);
        Ok(elapsed)
    }

    /// Starts a container that sleeps.
    pub(crate) fn sleeper(&mut self) -> Outcome<Sleeper> {
        let (id, dir) = self.bundle(&["/bin/sleep", "1000000"])?;
        let root = Overlay::mount(&self.lower, &dir)?;
        let bundle = dir.display().to_string();
        self.runner.time(&mut self.command(&["run", "--detach", "--bundle", &bundle, &id]))?;
        Ok(Sleeper { id, _root: root })
    }

    /// Runs `/bin/true` in a container that runs.
    pub(crate) fn exec(&self, sleeper: &Sleeper) -> Outcome<Duration> {
        self.runner.time(&mut self.command(&["exec", &sleeper.id, "/bin/true"]))
    }

    /// The command that runs a program in a container that runs.
    pub(crate) fn exec_command(&self, sleeper: &Sleeper, command: &[&str]) -> Command {
        self.command(&[&["exec", &sleeper.id], command].concat())
    }

    /// The process id of a container's program on the host.
    pub(crate) fn pid(&self, sleeper: &Sleeper) -> Outcome<u64> {
        let state = self.runner.output(&mut self.command(&["state", &sleeper.id]))?;
        let state: Value = serde_json::from_str(&state).map_err(|error| error.to_string())?;
        state["pid"].as_u64().ok_or_else(|| format!("{state} has no pid"))
    }

    /// A new bundle without its root, and the id for its container.
    fn bundle(&mut self, args: &[&str]) -> Outcome<(String, PathBuf)> {
        self.started += 1;
        let id = format!("bench{}", self.started);
        let dir = self.dir.join(&id);
        let text = fs::read(self.dir.join("default.json")).map_err(|error| error.to_string())?;
        let mut config: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        config["process"]["args"] = json!(args);
        config["process"]["terminal"] = json!(false);
        config["root"] = json!({ "path": "rootfs", "readonly": false });
        config["linux"]["cgroupsPath"] = json!(format!("/{}/{id}", self.cgroup()));
        fs::create_dir_all(&dir)
            .and_then(|()| fs::write(dir.join("config.json"), config.to_string()))
            .map_err(|error| error.to_string())?;
        Ok((id, dir))
    }
}

impl Drop for OciRuntime {
    fn drop(&mut self) {
        let listed = self.runner.output(&mut self.command(&["list", "--quiet"]));
        for id in listed.unwrap_or_default().lines() {
            self.runner.time(&mut self.command(&["delete", "--force", id])).unwrap_or_else(
                |error| {
                    eprintln!("{error}");
                    Duration::ZERO
                },
            );
        }
        remove_cgroups(&self.cgroup());
    }
}
