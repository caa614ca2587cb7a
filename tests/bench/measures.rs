//! What is measured: each measure sets its contestants up, races them, and takes them down.

use std::cell::RefCell;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::bridged;
use crate::cgroup::Hugetlb;
use crate::floor;
use crate::machine::Workplace;
use crate::oci::OciRuntime;
use crate::podman::Podman;
use crate::program::{Runner, is_installed};
use crate::pull::Registry;
use crate::race::{Contestant, race};
use crate::report::{Report, Value};
use crate::scale;
use crate::streams::{
    ZEROS, log_script, measure_log, side_by_side, through_pipe, through_terminal,
};
use crate::tank::{Program, Tank};
use crate::throughput;
use crate::{Options, Outcome};

/// How many pods `tank ps` lists.
const PS_PODS: usize = 100;

/// How many monitors' memory is averaged.
const MONITORS: usize = 10;

/// How many runs of a gigabyte there are at most.
const GIGABYTES: usize = 5;

/// Those that could be set up. The order is that in which they are taken down.
pub(crate) struct Bench<'a> {
    workplace: &'a Workplace,
    options: &'a Options,
    runner: Runner,
    runtimes: Vec<(&'static str, RefCell<OciRuntime>)>,
    podman: Option<RefCell<Podman>>,
    _hugetlb: Option<Hugetlb>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(workplace: &'a Workplace, options: &'a Options, report: &mut Report) -> Self {
        let mut present = |what: &str, why: String| report.leave_out(what, &why);
        let hugetlb = Hugetlb::ensure().map_err(|why| present("hugetlb for crun", why)).ok();
        let mut runtimes = Vec::new();
        for name in ["crun", "runc"] {
            match OciRuntime::new(name, workplace) {
                Ok(runtime) => runtimes.push((name, RefCell::new(runtime))),
                Err(why) => present(name, why),
            }
        }
        let podman = Podman::new("podman", workplace, Runner::new(workplace.path()))
            .map_err(|why| present("podman", why))
            .ok();
        if !is_installed("bwrap") {
            present("bubblewrap", "not installed".to_owned());
        }
        Self {
            workplace,
            options,
            runner: Runner::new(workplace.path()),
            runtimes,
            podman: podman.map(RefCell::new),
            _hugetlb: hugetlb,
        }
    }

    /// Takes the measures that were asked for.
    pub(crate) fn measure(&self, report: &mut Report) {
        let wanted = |measure| {
            let wanted = self.options.wants(measure);
            if wanted {
                eprintln!("measuring {measure}");
            }
            wanted
        };
        if wanted("start") {
            self.start(report);
        }
        if wanted("bridged") {
            bridged::measure(self.workplace, self.options.runs, report);
        }
        if wanted("throughput") {
            throughput::measure(self.workplace, self.options.runs, report);
        }
        if wanted("exec") {
            self.exec(report);
        }
        if wanted("gigabyte") {
            self.gigabyte(report);
        }
        if wanted("side") {
            self.side_by_side(report);
        }
        if wanted("log") {
            self.log(report);
        }
        if wanted("ps") {
            self.ps(report);
        }
        if wanted("apply") {
            self.apply_unchanged(report);
        }
        if wanted("reconcile") {
            self.reconcile(report);
        }
        if wanted("scale") {
            scale::measure(self.workplace, self.options.runs, report);
        }
        if wanted("monitor") {
            self.monitor(report);
        }
        if wanted("pull") {
            self.pull(report);
        }
    }

    /// Races the contestants and reports their medians.
    fn race(&self, measure: &str, contestants: Vec<Contestant>, report: &mut Report) {
        for (contestant, time) in race(contestants, self.options.runs) {
            report.add(measure, &contestant, time.map(Value::Time));
        }
    }

    /// A new container from nothing to its program, network `none`.
    fn start(&self, report: &mut Report) {
        let mut all = Vec::new();
        let tank = Tank::new("start", self.workplace)
            .and_then(|tank| tank.have("works", 1, Program::True).map(|()| tank));
        match tank {
            Ok(mut tank) => all.push(Contestant::new("tank apply", move || tank.start())),
            Err(why) => report.leave_out("tank apply", &why),
        }
        let (lower, scratch) = (self.workplace.rootfs(), self.workplace.path().join("floor"));
        let floor = move || floor::start(&lower, &scratch);
        all.push(Contestant::new("clone, pivot_root, execve", floor));
        if is_installed("bwrap") {
            all.push(Contestant::new("bwrap, no overlay", || self.bubblewrap()));
        }
        for (name, runtime) in &self.runtimes {
            let turn = || runtime.borrow_mut().start();
            all.push(Contestant::new(format!("{name} run"), turn));
        }
        if let Some(podman) = &self.podman {
            all.push(Contestant::new("podman run -d", || podman.borrow_mut().start()));
            all.push(Contestant::new("podman kube play", || podman.borrow_mut().kube_play()));
        }
        self.race("start", all, report);
    }

    fn bubblewrap(&self) -> Outcome<Duration> {
        let mut command = Command::new("bwrap");
        command.arg("--bind").arg(self.workplace.rootfs()).arg("/");
        command.args(["--proc", "/proc", "--dev", "/dev", "--unshare-all", "/bin/true"]);
        self.runner.time(&mut command)
    }

    /// `/bin/true` in a container that runs.
    fn exec(&self, report: &mut Report) {
        let mut all = Vec::new();
        let tank = Tank::new("exec", self.workplace)
            .and_then(|tank| tank.have("exec", 1, Program::Sleep).map(|()| tank));
        match tank {
            Ok(tank) => all.push(Contestant::new("tank exec", move || tank.exec("exec0"))),
            Err(why) => report.leave_out("tank exec", &why),
        }
        let mut target = None;
        for (name, runtime) in &self.runtimes {
            let sleeper = runtime.borrow_mut().sleeper();
            match sleeper {
                Ok(sleeper) => {
                    target = target.or(runtime.borrow().pid(&sleeper).ok());
                    let turn = move || runtime.borrow().exec(&sleeper);
                    all.push(Contestant::new(format!("{name} exec"), turn));
                }
                Err(why) => report.leave_out(&format!("{name} exec"), &why),
            }
        }
        if let Some(pid) = target {
            all.push(Contestant::new("nsenter", move || self.nsenter(pid)));
        } else {
            report.leave_out("nsenter", "no container of an OCI runtime to enter");
        }
        if let Some(podman) = &self.podman {
            let sleeper = podman.borrow_mut().sleeper();
            match sleeper {
                Ok(name) => {
                    let turn = move || podman.borrow().exec(&name);
                    all.push(Contestant::new("podman exec", turn));
                }
                Err(why) => report.leave_out("podman exec", &why),
            }
        }
        self.race("exec", all, report);
        self.clear_podman(report);
    }

    /// A gigabyte from a program in a container, through a pipe and through a terminal.
    fn gigabyte(&self, report: &mut Report) {
        let runs = self.options.runs.min(GIGABYTES);
        let tank = Tank::new("gigabyte", self.workplace)
            .and_then(|tank| tank.have("giga", 1, Program::Sleep).map(|()| tank));
        let sleeper = self.podman.as_ref().map(|podman| podman.borrow_mut().sleeper());
        for (measure, option, turn) in [
            ("1 GiB through exec", "-T", through_pipe as fn(&mut Command) -> Outcome<Duration>),
            ("1 GiB through exec -t", "-t", through_terminal),
        ] {
            let mut all = Vec::new();
            match &tank {
                Ok(tank) => all.push(Contestant::new("tank exec", move || {
                    turn(&mut tank.exec_command("giga0", option, &ZEROS))
                })),
                Err(why) => report.leave_out("tank exec, 1 GiB", why),
            }
            match self.podman.as_ref().zip(sleeper.as_ref()) {
                Some((podman, Ok(name))) => {
                    let option = if option == "-t" { "-it" } else { "-i" };
                    all.push(Contestant::new("podman exec", move || {
                        turn(&mut podman.borrow().exec_command(name, option, &ZEROS))
                    }));
                }
                Some((_, Err(why))) => report.leave_out("podman exec, 1 GiB", why),
                None => {}
            }
            for (contestant, time) in race(all, runs) {
                report.add(measure, &contestant, time.map(Value::Time));
            }
        }
        self.clear_podman(report);
    }

    /// Eight times `/bin/true` at once, in a container that runs.
    fn side_by_side(&self, report: &mut Report) {
        let tank = Tank::new("side", self.workplace)
            .and_then(|tank| tank.have("side", 1, Program::Sleep).map(|()| tank));
        let mut sleepers = Vec::new();
        for (name, runtime) in &self.runtimes {
            let sleeper = runtime.borrow_mut().sleeper();
            match sleeper {
                Ok(sleeper) => sleepers.push((*name, runtime, sleeper)),
                Err(why) => report.leave_out(&format!("{name} exec, side by side"), &why),
            }
        }
        let mut all = Vec::new();
        match &tank {
            Ok(tank) => all.push(Contestant::new("tank exec", || {
                side_by_side(|| tank.exec_command("side0", "-T", &["/bin/true"]))
            })),
            Err(why) => report.leave_out("tank exec, side by side", why),
        }
        let mut target = None;
        for (name, runtime, sleeper) in &sleepers {
            target = target.or(runtime.borrow().pid(sleeper).ok());
            all.push(Contestant::new(format!("{name} exec"), move || {
                side_by_side(|| runtime.borrow().exec_command(sleeper, &["/bin/true"]))
            }));
        }
        if let Some(pid) = target {
            all.push(Contestant::new("nsenter", move || side_by_side(|| nsenter(pid))));
        }
        self.race("exec, eight at a time", all, report);
    }

    /// A container that logs as fast as it can, and what that takes its monitor.
    fn log(&self, report: &mut Report) {
        let script = log_script();
        let tank = Tank::new("log", self.workplace);
        let begin = Instant::now();
        match tank.and_then(|tank| tank.run_script("logging", &script).map(|()| tank)) {
            Ok(tank) => {
                measure_log("tank", begin, |line| line.starts_with("tank-monitor logging"), report);
                tank.delete("logging").unwrap_or_else(|why| report.leave_out("tank, log", &why));
            }
            Err(why) => report.leave_out("tank, log", &why),
        }
        let Some(podman) = &self.podman else { return };
        let begin = Instant::now();
        match podman.borrow_mut().run_script(&script) {
            Ok(()) => {}
            Err(why) => return report.leave_out("conmon, log", &why),
        }
        measure_log("conmon", begin, |line| podman.borrow().is_monitor(line), report);
        self.clear_podman(report);
    }

    fn nsenter(&self, pid: u64) -> Outcome<Duration> {
        self.runner.time(&mut nsenter(pid))
    }

    /// What runs: a hundred pods of tank, one container of podman.
    fn ps(&self, report: &mut Report) {
        let mut all = Vec::new();
        let tank = Tank::new("ps", self.workplace)
            .and_then(|tank| tank.have("ps", PS_PODS, Program::Sleep).map(|()| tank));
        match tank {
            Ok(tank) => {
                all.push(Contestant::new(format!("tank ps, {PS_PODS} pods"), move || tank.ps()));
            }
            Err(why) => report.leave_out("tank ps", &why),
        }
        if let Some(podman) = &self.podman {
            let sleeper = podman.borrow_mut().sleeper();
            match sleeper {
                Ok(_) => {
                    all.push(Contestant::new("podman ps, 1 container", || podman.borrow().ps()))
                }
                Err(why) => report.leave_out("podman ps", &why),
            }
        }
        self.race("ps", all, report);
        self.clear_podman(report);
    }

    /// A file that was applied before, of a pod that runs.
    fn apply_unchanged(&self, report: &mut Report) {
        let tank = Tank::new("unchanged", self.workplace)
            .and_then(|tank| tank.have("unchanged", 1, Program::Sleep).map(|()| tank));
        match tank {
            Ok(tank) => {
                let turn = move || tank.apply_unchanged("unchanged");
                let all = vec![Contestant::new("tank apply", turn)];
                self.race("apply unchanged", all, report);
            }
            Err(why) => report.leave_out("tank apply, unchanged", &why),
        }
    }

    /// A pass with nothing to do.
    fn reconcile(&self, report: &mut Report) {
        let program = if self.options.running { Program::Sleep } else { Program::True };
        for count in &self.options.pods {
            let measure = format!("reconcile, {count} pods");
            let tank = Tank::new(&format!("pods{count}"), self.workplace)
                .and_then(|tank| tank.have("pod", *count, program).map(|()| tank));
            match tank {
                Ok(tank) => {
                    let name = if self.options.running { "running" } else { "ended" };
                    let turn = move || tank.reconcile();
                    let all = vec![Contestant::new(format!("tank reconcile, {name}"), turn)];
                    self.race(&measure, all, report);
                }
                Err(why) => report.leave_out(&measure, &why),
            }
        }
    }

    /// The memory of the process that stays beside each container.
    fn monitor(&self, report: &mut Report) {
        let memory = Tank::new("monitor", self.workplace).and_then(|tank| {
            tank.have("monitored", MONITORS, Program::Sleep)?;
            tank.monitor_memory("monitored")
        });
        report.add("monitor", "tank", memory.map(Value::Memory));
        if let Some(podman) = &self.podman {
            let started = (0..MONITORS).try_for_each(|_| podman.borrow_mut().sleeper().map(drop));
            let memory = started.and_then(|()| podman.borrow().monitor_memory());
            report.add("monitor", "conmon", memory.map(Value::Memory));
            self.clear_podman(report);
        }
    }

    /// An image of many layers, from a registry on this machine into a store that holds nothing.
    fn pull(&self, report: &mut Report) {
        let registry = match Registry::new(self.workplace) {
            Ok(registry) => registry,
            Err(why) => return report.leave_out("pull", &why),
        };
        let (host, image) = (registry.host(), registry.image());
        let mut all = Vec::new();
        match Tank::new("pull", self.workplace) {
            Ok(tank) => {
                all.push(Contestant::new("tank image pull", move || tank.pull(host, image)));
            }
            Err(why) => report.leave_out("tank image pull", &why),
        }
        if let Some(podman) = &self.podman {
            all.push(Contestant::new("podman pull", move || podman.borrow().pull(image)));
        }
        all.push(Contestant::new("skopeo copy, to a layout", || registry.skopeo_copy()));
        self.race("pull", all, report);
    }

    fn clear_podman(&self, report: &mut Report) {
        if let Some(Err(why)) = self.podman.as_ref().map(|podman| podman.borrow().clear()) {
            report.leave_out("removing podman's containers", &why);
        }
    }
}

/// The command that runs `/bin/true` where a process is.
fn nsenter(pid: u64) -> Command {
    let target = pid.to_string();
    let mut command = Command::new("nsenter");
    command.args(["--all", "--root", "--wd", "--target", &target, "/bin/true"]);
    command
}
