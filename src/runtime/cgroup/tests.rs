//! Tests on the control groups of the kernel that runs them, as root, in groups of their own.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::sys::clock;

mod devices;
mod kill;
mod lifecycle;
mod limits;
mod oom;

fn soon() -> Instant {
    clock::monotonic() + Duration::from_secs(20)
}

/// What this machine has, and every simpler kind of host that can be made of it by looking away.
fn hosts() -> Vec<Hierarchies> {
    let host = Hierarchies::detect().unwrap();
    match host.version() {
        Version::Hybrid => vec![host, without(" - cgroup2 ")],
        Version::V1 | Version::V2 => vec![host],
    }
}

/// The host as if the mounts were not there whose lines in mountinfo contain `text`.
fn without(text: &str) -> Hierarchies {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let rest: Vec<&str> = mounts.lines().filter(|line| !line.contains(text)).collect();
    Hierarchies::from_mountinfo(&rest.join("\n")).unwrap()
}

/// A group in a parent of its own; both are removed at the end, with all that is in them.
struct TestGroup {
    group: Group,
    parent: Group,
}

impl TestGroup {
    fn new(host: &Hierarchies) -> Self {
        let mut random = [0; 8];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty()).unwrap();
        let parent = format!("tank-test-{:016x}", u64::from_ne_bytes(random));
        let parent: GroupPath = parent.parse().unwrap();
        let path = parent.child("pod").unwrap().child("instance").unwrap();
        Self { group: host.group(&path), parent: host.group(&parent) }
    }

    /// A group that exists.
    fn created(host: &Hierarchies, limits: &Limits) -> Self {
        let test = Self::new(host);
        test.group.create(limits, None).unwrap();
        test
    }

    /// Runs a shell script inside the group.
    fn run(&self, script: &str) -> Running {
        run_in(&self.group, script)
    }
}

impl Drop for TestGroup {
    fn drop(&mut self) {
        // Also what a test left behind that looked at fewer hierarchies than there are.
        drop(self.parent.remove(soon()));
    }
}

/// A child that is killed at the end of its test.
struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

#[expect(clippy::disallowed_methods, reason = "a test needs processes to put into groups")]
fn run_in(group: &Group, script: &str) -> Running {
    // The script starts when it is told to, inside the group.
    let mut child = Command::new("/bin/sh")
        .args(["-c", &format!("read go; {script}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut running = Running { child, output };
    for place in &group.places {
        file::write(&place.dir(), "cgroup.procs", running.pid()).unwrap();
    }
    running.tell("go");
    running
}

impl Running {
    fn pid(&self) -> i32 {
        self.child.id().try_into().unwrap()
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits for the next line of its output.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Waits for the rest of its output, and for its end.
    fn finish(mut self) -> (String, ExitStatus) {
        let mut text = String::new();
        self.output.read_to_string(&mut text).unwrap();
        (text, self.child.wait().unwrap())
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A script that says it is there and then waits.
const IDLE: &str = "echo ready; read more";
