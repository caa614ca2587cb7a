//! Compares tank with the programs people use today, in one run on one machine:
//! `cargo bench -- [--install] [--runs N] [--pods 10,100,1000] [--running] [--only start,bridged]`.
//!
//! Every measure runs its contestants in turn, so that a machine that grows slower slows all of
//! them alike, and takes the median. What cannot run is left out of the tables and named below
//! them. It needs root, and removes everything it made; `--install` installs the peers.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark starts programs, prepares files, and prints"
)]

mod bridged;
mod cgroup;
mod floor;
mod machine;
mod measures;
mod namespace;
mod oci;
mod podman;
mod program;
mod pull;
mod race;
mod report;
mod rootfs;
mod scale;
mod streams;
mod tank;
mod throughput;
mod trace;

use std::process::{Command, ExitCode};

use machine::Workplace;
use measures::Bench;
use report::Report;

/// What may fail, as the text to show: nobody decides anything by it.
type Outcome<T> = Result<T, String>;

/// What the command line asks for.
#[derive(Debug)]
struct Options {
    install: bool,
    runs: usize,
    /// How many pods the pass with nothing to do is measured with.
    pods: Vec<usize>,
    /// Whether these pods run, or have run and ended.
    running: bool,
    /// The measures to take; all when empty.
    only: Vec<String>,
}

impl Options {
    fn parse(args: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut options = Self {
            install: false,
            runs: 20,
            pods: vec![10, 100, 1000],
            running: false,
            only: vec![],
        };
        let mut args = args;
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            let number =
                |text: &str| text.parse().map_err(|error| format!("{arg} {text}: {error}"));
            match arg.as_str() {
                // cargo bench adds it.
                "--bench" => {}
                "--install" => options.install = true,
                "--running" => options.running = true,
                "--runs" => options.runs = number(&value()?)?,
                "--pods" => {
                    options.pods = value()?.split(',').map(number).collect::<Outcome<_>>()?
                }
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                _ => return Err(format!("unknown argument {arg}")),
            }
        }
        Ok(options)
    }

    fn wants(&self, measure: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == measure)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    if options.install {
        install()?;
    }
    let workplace = Workplace::new()?;
    let mut report = Report::new(&workplace, options.runs);
    let bench = Bench::new(&workplace, &options, &mut report);
    bench.measure(&mut report);
    drop(bench);
    println!("{report}");
    Ok(())
}

/// Installs the peers, and busybox for the root file system.
fn install() -> Outcome<()> {
    let packages = [
        "aardvark-dns",
        "bubblewrap",
        "busybox-static",
        "catatonit",
        "conmon",
        "crun",
        "docker-registry",
        "iperf3",
        "iproute2",
        "iptables",
        "netavark",
        "podman",
        "runc",
        "skopeo",
        "strace",
        "umoci",
    ];
    for args in [&["update"][..], &["install", "--yes", "--no-install-recommends"]] {
        let packages = if args == ["update"] { &[][..] } else { &packages };
        let status = Command::new("apt-get")
            .args(args)
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()
            .map_err(|error| format!("cannot start apt-get: {error}"))?;
        if !status.success() {
            return Err(format!("apt-get {args:?}: {status}"));
        }
    }
    Ok(())
}
