//! Networks to try things in: a machine of its own for each contestant, whose bridges, packet
//! filter and kernel parameters are nobody else's and go with it.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use nix::sched::{CloneFlags, setns, unshare};

use crate::Outcome;
use crate::program::{Runner, is_installed};

/// A network namespace. It lasts as long as this and the processes and interfaces in it.
#[derive(Debug)]
pub(crate) struct Namespace {
    file: File,
    home: File,
}

/// This process is in another network until this is dropped.
#[derive(Debug)]
pub(crate) struct Entered<'a>(&'a Namespace);

impl Namespace {
    fn new() -> Outcome<Self> {
        let current = || File::open("/proc/thread-self/ns/net").map_err(|e| e.to_string());
        let home = current()?;
        unshare(CloneFlags::CLONE_NEWNET).map_err(|e| format!("cannot make a network: {e}"))?;
        let file = current();
        join(&home)?;
        Ok(Self { file: file?, home })
    }

    /// Enters it: programs that are started now are in it.
    pub(crate) fn enter(&self) -> Outcome<Entered<'_>> {
        join(&self.file)?;
        Ok(Entered(self))
    }

    /// A name of it for other programs.
    fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }
}

fn join(namespace: &File) -> Outcome<()> {
    setns(namespace, CloneFlags::CLONE_NEWNET).map_err(|e| format!("cannot enter a network: {e}"))
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        join(&self.0.home).unwrap_or_else(|error| eprintln!("{error}"));
    }
}

/// A machine, and another one that a cable connects it with: its router, and the world outside.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) machine: Rc<Namespace>,
    pub(crate) outside: Rc<Namespace>,
}

impl Network {
    /// The machine's address for the world outside.
    pub(crate) const ADDRESS: &str = "198.18.0.1";

    /// Makes both, with `dir` for the output of programs.
    pub(crate) fn new(dir: &Path) -> Outcome<Self> {
        if !is_installed("ip") {
            return Err("ip (iproute2) is not installed".to_owned());
        }
        let [machine, outside] = [Namespace::new()?, Namespace::new()?].map(Rc::new);
        let ip = |namespace: &Rc<Namespace>, line: &str| {
            let runner = Runner::new(dir).within(Rc::clone(namespace));
            runner.time(Command::new("ip").args(line.split(' '))).map(drop)
        };
        let cable = format!("link add uplink type veth peer name cable netns {}", outside.path());
        let address = format!("address add {}/30 dev uplink", Self::ADDRESS);
        for line in ["link set lo up", &cable, &address, "link set uplink up"] {
            ip(&machine, line)?;
        }
        for line in ["link set lo up", "address add 198.18.0.2/30 dev cable", "link set cable up"] {
            ip(&outside, line)?;
        }
        ip(&machine, "route add default via 198.18.0.2")?;
        Ok(Self { machine, outside })
    }
}
