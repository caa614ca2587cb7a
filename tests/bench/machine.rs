//! The machine the benchmark runs on, and the place it works in.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::mount::UnmountFlags;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::Outcome;
use crate::race::median;
use crate::rootfs;

/// A directory that goes with everything that was mounted and started in it.
#[derive(Debug)]
pub(crate) struct Workplace {
    dir: tempfile::TempDir,
}

impl Workplace {
    pub(crate) fn new() -> Outcome<Self> {
        let dir = tempfile::Builder::new().prefix("tank-bench-").tempdir();
        let workplace = Self { dir: dir.map_err(|error| error.to_string())? };
        rootfs::make(&workplace.rootfs()).map_err(|error| {
            format!("cannot make a root from /bin/busybox (busybox-static): {error}")
        })?;
        Ok(workplace)
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The root file system that all contestants start from.
    pub(crate) fn rootfs(&self) -> PathBuf {
        self.dir.path().join("rootfs")
    }

    /// What to say of the machine above the results.
    pub(crate) fn description(&self) -> String {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpus = read("/proc/cpuinfo");
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let model = model.map_or("unknown CPU", |(_, name)| name);
        let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
        let kernel = read("/proc/sys/kernel/osrelease");
        let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let sync =
            self.sync_time().map_or_else(String::new, |ms| format!(", fdatasync {ms:.1} ms"));
        format!("{date}, Linux {}, {count} × {model}{sync}", kernel.trim())
    }

    /// How long the disk takes to keep a small write, in milliseconds.
    fn sync_time(&self) -> Option<f64> {
        let mut file = fs::File::create(self.dir.path().join("sync")).ok()?;
        let mut times = Vec::new();
        for _ in 0..21 {
            let started = Instant::now();
            file.write_all(&[0; 512]).and_then(|()| file.sync_data()).ok()?;
            times.push(started.elapsed());
        }
        median(times).map(|time| time.as_secs_f64() * 1e3)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        for pid in processes(|command| command.contains(&self.dir.path().display().to_string())) {
            kill(pid);
        }
        unmount_below(self.dir.path());
    }
}

/// Unmounts everything under a directory, the newest first.
pub(crate) fn unmount_below(dir: &Path) {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for target in table.lines().rev().filter_map(|line| line.split(' ').nth(4)) {
        if Path::new(target).starts_with(dir) {
            rustix::mount::unmount(target, UnmountFlags::DETACH).unwrap_or_default();
        }
    }
}

/// The processes whose command line (with spaces between its words) is accepted, but this one.
pub(crate) fn processes(accept: impl Fn(&str) -> bool) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id())
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            accept(&String::from_utf8_lossy(&line).replace('\0', " "))
        })
        .collect()
}

fn kill(pid: u32) {
    let pidfd =
        Pid::from_raw(pid.cast_signed()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    if let Some(pidfd) = pidfd {
        pidfd_send_signal(&pidfd, Signal::KILL).unwrap_or_default();
    }
}

/// The average of [`proportional_set_size`] over these processes.
pub(crate) fn average_memory(pids: Vec<u32>) -> Outcome<u64> {
    let count = u64::try_from(pids.len()).map_err(|error| error.to_string())?;
    let sum = pids.into_iter().map(proportional_set_size).sum::<Outcome<u64>>()?;
    sum.checked_div(count).ok_or_else(|| "no monitor runs".to_owned())
}

/// The memory a process has for itself, plus its share of what it shares: `Pss` of
/// proc_pid_smaps(5), in bytes.
fn proportional_set_size(pid: u32) -> Outcome<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let rollup = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB"));
    let kib = pss.and_then(|kib| kib.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| format!("{path} has no Pss"))
}
