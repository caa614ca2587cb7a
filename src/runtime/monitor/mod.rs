//! The small process beside each instance.
//!
//! It starts the instance's init, owns its terminal or streams, writes its log, serves those who
//! attach, has it probed, notices when the kernel killed something of it for want of memory, reaps
//! it, and writes the exit record. It holds a lock for as long as it lives, which is how everybody
//! else knows that the instance runs. It never opens the database and never waits for anybody but
//! the container. When the program ended by itself, the monitor turns itself into
//! `tank reconcile POD`: convergence is prompt without a daemon.
//!
//! It is `tank` itself, executed as `tank-monitor POD/CONTAINER` from a read-only copy, in a
//! session and cgroup of its own. Its descriptors are 3, its [`Launch`], 4, the socket on which it
//! reports, and 5, the mount that the copy is seen through.

mod audience;
mod client;
mod history;
mod input;
mod output;
mod probes;
mod run;
mod shutdown;
mod watch;

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;

use jiff::Timestamp;
use nix::sys::signal::Signal;
use oci_spec::runtime::Spec;
use serde::{Deserialize, Serialize};

use super::cgroup::{Group, GroupPath, Hierarchies};
use super::directories::InstanceFiles;
use super::failure::{Doing, Failure};
use super::launch::{self, Launch, PROTOCOL};
use super::record::{ExitRecord, Status};
use super::{observe, order};
use crate::model::{Exit, ExitReason, ProcessIdentity};
use crate::sys::{self, file, lock, memory, pidfd, process, signal, socket};

/// The name it is executed under, which is also how `main` recognises the role.
pub const NAME: &str = "tank-monitor";

/// The descriptor it reads its [`Launch`] from.
const LAUNCH: i32 = 3;
/// The descriptor it reports on.
const REPORT: i32 = 4;

/// The mount that the program is seen through.
const MOUNT: i32 = 5;

/// What a monitor reports to the command that started it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The program was executed.
    Started(Status),
    /// It was not.
    Failed(Failure),
}

/// Runs the monitor; the return value is that of the process.
pub fn main() -> ExitCode {
    let (Ok(launch), Ok(report)) = (process::inherited(LAUNCH), process::inherited(REPORT)) else {
        return ExitCode::from(2);
    };
    let Ok(launch) = order::read(launch) else { return ExitCode::from(2) };
    // Where the program is seen through a mount, the mount comes along to be closed here.
    let _mount = process::inherited(MOUNT);
    let mut monitor = Monitor { launch, report: Some(report), lock: None };
    let (record, running) = monitor.supervise();
    monitor.finish(&record, running)
}

struct Monitor {
    launch: Launch,
    /// Where to report; closed once that was done.
    report: Option<OwnedFd>,
    /// The lock file, locked.
    lock: Option<File>,
}

impl Monitor {
    /// Runs the instance from its beginning to its end.
    fn supervise(&mut self) -> (ExitRecord, Option<run::Running>) {
        match self.start() {
            Ok(mut running) => {
                let mut exit = running.wait();
                if self.is_asked_to_stop() {
                    exit.reason = ExitReason::Stopped;
                } else if running.is_shut_down() {
                    exit.reason = ExitReason::HostReboot;
                }
                (self.record(Some(running.status.started_at), exit), Some(running))
            }
            Err(failure) => {
                let exit = Exit {
                    code: failure.exit_code(),
                    signal: None,
                    oom: false,
                    reason: ExitReason::StartFailed(failure.to_string()),
                    finished_at: Some(sys::clock::moment()),
                };
                let record = self.record(None, exit);
                // The record first: whoever reads the report may look for it.
                self.write_record(&record);
                self.tell(&Report::Failed(failure));
                (record, None)
            }
        }
    }

    fn start(&mut self) -> Result<run::Running, Failure> {
        let hierarchies = Hierarchies::detect().doing("find the cgroups")?;
        self.settle(&hierarchies)?;
        let spec: Spec =
            launch::read(&self.launch.files().spec()).doing("read the specification")?;
        let group = group(&hierarchies, &self.launch.container_cgroup)?;
        let mut running = run::Running::start(&self.launch, &spec, group)?;
        running.status.write(&self.launch.files().status()).doing("write the status file")?;
        running.keep();
        self.tell(&Report::Started(running.status.clone()));
        Ok(running)
    }

    /// Leaves the caller's world and takes the lock.
    fn settle(&mut self, hierarchies: &Hierarchies) -> Result<(), Failure> {
        signal::block_all().doing("block signals")?;
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        rustix::thread::set_name(c"tank-monitor").ok();
        rustix::process::chdir("/")
            .map_err(|errno| sys::Error::new("chdir", "/", errno))
            .doing("leave the working directory")?;
        memory::outlive_others();
        let lock =
            file::open_or_create(&self.launch.files().lock(), 0o600).doing("open the lock")?;
        if !lock::hold_record(&lock).doing("take the lock")? {
            let cause = sys::Error::new("fcntl", "monitor.lock", rustix::io::Errno::AGAIN);
            return Err(Failure::new("take the lock", &cause));
        }
        self.lock = Some(lock);
        let own = group(hierarchies, &self.launch.monitor_cgroup)?;
        own.ensure().doing("make the monitors' cgroup")?;
        own.join().doing("join the monitors' cgroup")
    }

    /// Reports once. The command that asked may be gone; that changes nothing here.
    fn tell(&mut self, report: &Report) {
        if let Some(fd) = self.report.take() {
            let bytes = serde_json::to_vec(report).unwrap_or_default();
            socket::send(fd.as_fd(), &bytes, &[]).ok();
        }
    }

    fn record(&self, started_at: Option<Timestamp>, exit: Exit) -> ExitRecord {
        ExitRecord { version: PROTOCOL, id: self.launch.id.clone(), started_at, exit }
    }

    fn is_asked_to_stop(&self) -> bool {
        observe::is_stopping(self.launch.files())
    }

    /// A full disk must not lose the exit: the run directory is the second choice.
    fn write_record(&self, record: &ExitRecord) {
        let files = self.launch.files();
        if record.write(&files.exit()).is_err() {
            record.write(&files.exit_fallback()).ok();
        }
    }

    /// Writes the record, lets go of the lock and of those who are attached, and becomes the pass
    /// that decides what is next.
    fn finish(mut self, record: &ExitRecord, running: Option<run::Running>) -> ExitCode {
        if record.started_at.is_some() {
            self.write_record(record);
        }
        // Whoever asked may take everything away, the note with it, once the lock is free.
        let was_asked = self.is_asked_to_stop();
        drop(self.lock.take());
        if let Some(running) = running {
            // Only now: whoever is told that it ended may look for the record.
            running.dismiss(&record.exit);
        }
        // What a shutdown ends must not come up again in the midst of it.
        let is_shut_down = record.exit.reason == ExitReason::HostReboot;
        if was_asked || is_shut_down || self.is_asked_to_stop() {
            return ExitCode::SUCCESS;
        }
        self.become_pass();
        ExitCode::FAILURE
    }

    /// Executes tank as it is installed now, which may be newer than this monitor; failing that,
    /// the copy that this monitor runs from. Returns only if neither can be executed.
    fn become_pass(&self) {
        // A write that went over RLIMIT_FSIZE left its signal pending, and who changes a probe just
        // now sends one; either would end the pass.
        for pending in [Signal::SIGXFSZ, probes::LOOK] {
            signal::discard(pending).ok();
        }
        sys::credentials::reset_signals().ok();
        let words = self.launch.afterwards.iter();
        let Ok(arguments) =
            words.map(|word| CString::new(word.as_str())).collect::<Result<Vec<_>, _>>()
        else {
            return;
        };
        if let Some(path) = arguments.first() {
            let Err(_) = process::execute(path, &arguments, &[]);
            let Err(_) = process::execute(c"/proc/self/exe", &arguments, &[]);
        }
    }
}

fn group(hierarchies: &Hierarchies, path: &str) -> Result<Group, Failure> {
    let path: GroupPath = path.parse().doing("name the cgroup")?;
    Ok(hierarchies.group(&path))
}

/// The arguments that `ps` shows.
pub(super) fn arguments(launch: &Launch) -> Vec<CString> {
    let name = format!("{}/{}", launch.pod, launch.container);
    [NAME.to_owned(), name].into_iter().filter_map(|word| CString::new(word).ok()).collect()
}

/// Tells the running monitor of an instance to look at what it was told anew.
///
/// One that let go of its lock is about to become a pass, which the signal would end, and is told
/// nothing: the process stays the same.
pub fn tell_to_look(files: InstanceFiles<'_>, monitor: ProcessIdentity) -> sys::Result<()> {
    match pidfd::open_started(monitor.pid, monitor.start_time) {
        Ok(pidfd) if observe::monitor(files)? == Some(monitor.pid) => {
            pidfd::send(pidfd, probes::LOOK as i32)
        }
        // It is about to be noticed that it is gone.
        Ok(_) => Ok(()),
        Err(error) if error.is(libc::ESRCH) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What a monitor reported; `None` if it died without a word.
pub(super) fn receive_report(socket: BorrowedFd<'_>) -> sys::Result<Option<Report>> {
    let (bytes, _) = socket::receive(socket)?;
    Ok(serde_json::from_slice(&bytes).ok())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_process_that_let_go_of_the_lock_is_not_told() {
        let directory = tempfile::tempdir().unwrap();
        let files = InstanceFiles { directory: directory.path(), run: directory.path() };
        file::open_or_create(&files.lock(), 0o600).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a process to tell, which ends by SIGHUP")]
        let mut child = std::process::Command::new("/bin/sleep").arg("1000").spawn().unwrap();
        let monitor = observe::identity(child.id().cast_signed()).unwrap();
        let pidfd = pidfd::open(monitor.pid).unwrap();
        tell_to_look(files, monitor).unwrap();
        let ended = pidfd::await_end(pidfd.as_fd(), Some(Duration::from_millis(200))).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!ended);
    }
}
