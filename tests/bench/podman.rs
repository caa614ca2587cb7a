//! podman, with a storage, a state and settings of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use crate::Outcome;
use crate::cgroup::remove_cgroups;
use crate::machine::{Workplace, average_memory, processes, unmount_below};
use crate::program::{Runner, is_installed};
use crate::tank::Program;

const IMAGE: &str = "localhost/bench:latest";

/// Where podman looks for the program of a pod's pause container when no image is set.
const CATATONIT: &str = "/usr/libexec/podman/catatonit";

/// A podman that shares nothing with the one of the machine's user.
#[derive(Debug)]
pub(crate) struct Podman {
    dir: PathBuf,
    runner: Runner,
    started: usize,
    /// Whether the shared lock segment, the cgroup and the networks' state were there before.
    found: [bool; 3],
}

/// What podman makes outside of the directories it is told.
const LOCKS: &str = "/dev/shm/libpod_lock";
const CGROUP: &str = "libpod_parent";
const NETWORKS: &str = "/run/containers/networks";

impl Podman {
    /// A podman with its directories under `name`. Where the runner has a network of its own, its
    /// containers are on its bridge and publish a port each; otherwise they have no network.
    pub(crate) fn new(name: &str, workplace: &Workplace, runner: Runner) -> Outcome<Self> {
        if !is_installed("podman") {
            return Err("not installed".to_owned());
        }
        let dir = workplace.path().join(name);
        fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
        fs::write(dir.join("containers.conf"), settings()).map_err(|error| error.to_string())?;
        let found = [Path::new(LOCKS).exists(), cgroup_exists(), Path::new(NETWORKS).exists()];
        let podman = Self { dir, runner, started: 0, found };
        let archive = podman.path("rootfs.tar");
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(workplace.rootfs()).args(["-cf", &archive, "."]);
        podman.runner.time(&mut tar)?;
        // A pod's pause container has no command of its own when catatonit is missing.
        let pause = "CMD [\"/bin/sleep\", \"1000000\"]";
        podman.run(&["import", "--quiet", "--change", pause, &archive, IMAGE])?;
        Ok(podman)
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("podman");
        command.env("CONTAINERS_CONF", self.path("containers.conf"));
        for (option, name) in [("--root", "root"), ("--runroot", "run"), ("--tmpdir", "tmp")] {
            command.arg(option).arg(self.dir.join(name));
        }
        command.arg("--network-config-dir").arg(self.dir.join("networks"));
        command.args(["--storage-driver", "overlay", "--cgroup-manager", "cgroupfs"]);
        command.args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Outcome<Duration> {
        self.runner.time(&mut self.command(args))
    }

    fn next_name(&mut self) -> String {
        self.started += 1;
        format!("bench{}", self.started)
    }

    /// Starts `/bin/true` in a new container. Like `tank apply` it does not wait for the
    /// program's end.
    pub(crate) fn start(&mut self) -> Outcome<Duration> {
        let name = self.next_name();
        let run = ["run", "--detach", "--network", "none", "--name", &name, IMAGE, "/bin/true"];
        let elapsed = self.run(&run)?;
        self.run(&["rm", "--force", "--time", "0", &name])?;
        Ok(elapsed)
    }

    /// Starts a pod of one container with `/bin/true` from a Kubernetes file.
    pub(crate) fn kube_play(&mut self) -> Outcome<Duration> {
        let (name, elapsed) = self.play(&["/bin/true"], Program::True.port())?;
        self.run(&["pod", "rm", "--force", "--time", "0", &name])?;
        Ok(elapsed)
    }

    /// Starts a pod of one container that sleeps from a Kubernetes file.
    pub(crate) fn kube_sleeper(&mut self) -> Outcome<()> {
        self.play(&["/bin/sleep", "1000000"], Program::Sleep.port()).map(drop)
    }

    fn play(&mut self, command: &[&str], port: usize) -> Outcome<(String, Duration)> {
        let name = self.next_name();
        let file = self.path("pod.json");
        let mut container = serde_json::json!({
            "name": "main", "image": IMAGE, "command": command, "imagePullPolicy": "Never",
        });
        let mut network = &["--network", "none"][..];
        if self.runner.has_network() {
            container["ports"] = serde_json::json!([{ "containerPort": 5201, "hostPort": port }]);
            network = &[];
        }
        let pod = serde_json::json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
            "spec": { "restartPolicy": "Never", "containers": [container] },
        });
        fs::write(&file, pod.to_string()).map_err(|error| error.to_string())?;
        let elapsed = self.run(&[&["kube", "play", "--quiet"], network, &[&file]].concat())?;
        Ok((name, elapsed))
    }

    /// Starts a container with `iperf3` that waits for clients, and gives its name and address.
    pub(crate) fn server(&mut self) -> Outcome<(String, String)> {
        let name = self.next_name();
        let publish = format!("{}:5201", Program::Server.port());
        let run = ["run", "--detach", "--publish", &publish, "--name", &name, IMAGE];
        self.run(&[&run[..], &["/bin/iperf3", "--server"]].concat())?;
        let inspect = ["inspect", "--format", "{{.NetworkSettings.IPAddress}}", &name];
        let address = self.runner.output(&mut self.command(&inspect))?;
        Ok((name, address.trim().to_owned()))
    }

    /// Starts a container that sleeps, and gives its name.
    pub(crate) fn sleeper(&mut self) -> Outcome<String> {
        let name = self.next_name();
        let network = if self.runner.has_network() { "bridge" } else { "none" };
        let run = ["run", "--detach", "--network", network, "--name", &name, IMAGE];
        self.run(&[&run[..], &["/bin/sleep", "1000000"]].concat())?;
        Ok(name)
    }

    /// Runs `/bin/true` in a container that runs.
    pub(crate) fn exec(&self, name: &str) -> Outcome<Duration> {
        self.run(&["exec", name, "/bin/true"])
    }

    /// The command that runs a program in a container that runs.
    pub(crate) fn exec_command(&self, name: &str, option: &str, command: &[&str]) -> Command {
        self.command(&[&["exec", option, name], command].concat())
    }

    /// Starts a container of a shell script, with a log that is rotated at 10 MiB.
    pub(crate) fn run_script(&mut self, script: &str) -> Outcome<()> {
        let name = self.next_name();
        let log = ["--log-driver", "k8s-file", "--log-opt", "max-size=10485760"];
        let run = ["run", "--detach", "--network", "none", "--name", &name];
        let program = [IMAGE, "/bin/sh", "-c", script];
        self.run(&[&run[..], &log, &program].concat()).map(drop)
    }

    /// Whether a command line is that of one of its monitors.
    pub(crate) fn is_monitor(&self, line: &str) -> bool {
        line.starts_with("/usr/bin/conmon ") && line.contains(&self.path(""))
    }

    /// Runs a program in a container that runs, and gives what it writes.
    pub(crate) fn exec_output(&self, name: &str, command: &[&str]) -> Outcome<String> {
        self.runner.output(&mut self.command(&[&["exec", name], command].concat()))
    }

    pub(crate) fn ps(&self) -> Outcome<Duration> {
        self.run(&["ps"])
    }

    /// Pulls an image into a storage that holds nothing, which is removed again.
    pub(crate) fn pull(&self, image: &str) -> Outcome<Duration> {
        let storage = self.dir.join("cold");
        let mut command = Command::new("podman");
        command.env("CONTAINERS_CONF", self.path("containers.conf"));
        for (option, name) in [("--root", "root"), ("--runroot", "run"), ("--tmpdir", "tmp")] {
            command.arg(option).arg(storage.join(name));
        }
        command.args(["--storage-driver", "overlay", "--cgroup-manager", "cgroupfs"]);
        command.args(["pull", "--quiet", "--tls-verify=false", image]);
        let elapsed = self.runner.time(&mut command);
        unmount_below(&storage);
        fs::remove_dir_all(&storage).map_err(|error| error.to_string())?;
        elapsed
    }

    /// The average memory of the monitors of the containers that run.
    pub(crate) fn monitor_memory(&self) -> Outcome<u64> {
        average_memory(processes(|line| self.is_monitor(line)))
    }

    /// Removes every container.
    pub(crate) fn clear(&self) -> Outcome<()> {
        self.run(&["pod", "rm", "--all", "--force", "--time", "0"])?;
        self.run(&["rm", "--all", "--force", "--time", "0"])?;
        Ok(())
    }
}

/// podman raises the limits of its containers unless told otherwise, which takes CAP_SYS_RESOURCE
/// when this process has lower ones; its own limit of processes it lowers to `pid_max`.
fn settings() -> String {
    let hard = |resource| getrlimit(resource).maximum.unwrap_or(1 << 20);
    let pid_max = fs::read_to_string("/proc/sys/kernel/pid_max").unwrap_or_default();
    let pid_max = pid_max.trim().parse().unwrap_or(1 << 15);
    let (files, processes) = (hard(Resource::Nofile), hard(Resource::Nproc).min(pid_max));
    let pause = if Path::new(CATATONIT).exists() {
        String::new()
    } else {
        format!("infra_image = \"{IMAGE}\"\n")
    };
    format!(
        "[containers]\n\
         default_ulimits = [\"nofile={files}:{files}\", \"nproc={processes}:{processes}\"]\n\
         [engine]\nevents_logger = \"file\"\n{pause}"
    )
}

fn cgroup_exists() -> bool {
    ["memory", "."].iter().any(|dir| Path::new("/sys/fs/cgroup").join(dir).join(CGROUP).exists())
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.clear().unwrap_or_else(|error| eprintln!("{error}"));
        let [locks, cgroup, networks] = self.found;
        if !locks {
            fs::remove_file(LOCKS).unwrap_or_default();
        }
        if !cgroup {
            remove_cgroups(CGROUP);
        }
        if !networks {
            fs::remove_dir_all(NETWORKS).unwrap_or_default();
        }
    }
}
