//! What programs write: a gigabyte through exec, a gigabyte of log, and execs side by side.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use crate::Outcome;
use crate::machine::processes;
use crate::report::{Report, Value};

/// How much is written: 1 GiB.
pub(crate) const GIGABYTE: u64 = 1 << 30;

/// What writes it.
pub(crate) const ZEROS: [&str; 3] = ["sh", "-c", "head -c 1073741824 /dev/zero"];

/// How many execs run side by side.
const SIDE_BY_SIDE: usize = 8;

/// How a program that logs ends its part: it has written this much, in lines of 100 bytes.
const LOGGED: &str = "1000000000";

/// How long a program may take until it runs.
const START: Duration = Duration::from_secs(5);

/// Runs a command whose output goes through a pipe, and counts it.
pub(crate) fn through_pipe(command: &mut Command) -> Outcome<Duration> {
    let (reader, writer) = std::io::pipe().map_err(|error| error.to_string())?;
    command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::null());
    count(command, OwnedFd::from(reader))
}

/// Runs a command on a terminal, and counts what is shown.
pub(crate) fn through_terminal(command: &mut Command) -> Outcome<Duration> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let failed = |errno: rustix::io::Errno| errno.to_string();
    let master = openpt(flags).map_err(failed)?;
    grantpt(&master).map_err(failed)?;
    unlockpt(&master).map_err(failed)?;
    let slave = ioctl_tiocgptpeer(&master, flags).map_err(failed)?;
    let stream = || slave.try_clone().map_err(|error| error.to_string());
    command.stdin(stream()?).stdout(stream()?).stderr(Stdio::null());
    drop(slave);
    count(command, master)
}

/// How long it takes until the output has ended, if it is a gigabyte.
fn count(command: &mut Command, output: OwnedFd) -> Outcome<Duration> {
    let begin = Instant::now();
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    // The command's own copies of the other end.
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut output = fs::File::from(output);
    let (mut total, mut piece) = (0, vec![0; 1 << 16]);
    // The end of a terminal that nobody has open is an error.
    while let Ok(count @ 1..) = output.read(&mut piece) {
        total += count as u64;
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match total {
        GIGABYTE if status.success() => Ok(begin.elapsed()),
        _ => Err(format!("{total} bytes, {status}")),
    }
}

/// Runs a command eight times at once, and waits for all.
pub(crate) fn side_by_side(command: impl Fn() -> Command) -> Outcome<Duration> {
    let begin = Instant::now();
    let start = |_| {
        let mut command = command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map_err(|error| error.to_string())
    };
    let all = (0..SIDE_BY_SIDE).map(start).collect::<Vec<Outcome<Child>>>();
    for child in all {
        let status = child?.wait().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(status.to_string());
        }
    }
    Ok(begin.elapsed())
}

/// A shell script that logs a gigabyte, and then stays.
pub(crate) fn log_script() -> String {
    let line = "x".repeat(99);
    format!("yes {line} | head -c {LOGGED}; exec sleep 1000000")
}

/// Waits until a program of [`log_script`] that was just started has written all, and adds what it
/// took `monitor` to the report.
pub(crate) fn measure_log(
    name: &str,
    begin: Instant,
    monitor: impl Fn(&str) -> bool,
    report: &mut Report,
) {
    // The shell of the script becomes the program that stays.
    let runs =
        || !processes(|line| line.contains(LOGGED) && line.starts_with("/bin/sh")).is_empty();
    while !runs() && begin.elapsed() < START {
        thread::sleep(Duration::from_millis(1));
    }
    while runs() {
        thread::sleep(Duration::from_millis(5));
    }
    report.add("log of 1 GB, time", name, Ok(Value::Time(begin.elapsed())));
    let costs = match processes(monitor).as_slice() {
        [pid] => costs_of(*pid),
        others => Err(format!("{} monitors", others.len())),
    };
    let (time, memory) = match costs {
        Ok((time, memory)) => (Ok(Value::Time(time)), Ok(Value::Memory(memory))),
        Err(why) => (Err(why.clone()), Err(why)),
    };
    report.add("log of 1 GB, processor time of the monitor", name, time);
    report.add("log of 1 GB, most memory of the monitor", name, memory);
}

/// The processor time that a process has used, and the most memory it had, in bytes.
fn costs_of(pid: u32) -> Outcome<(Duration, u64)> {
    let read = |name: &str| {
        fs::read_to_string(format!("/proc/{pid}/{name}")).map_err(|error| error.to_string())
    };
    let stat = read("stat")?;
    let fields = stat.rsplit_once(") ").ok_or("no stat")?.1;
    let ticks = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    let status = read("status")?;
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let most = most.and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    let ticks: u64 = ticks.sum();
    Ok((
        Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()),
        most.ok_or("no VmHWM")? * 1024,
    ))
}
