//! Use cases: open the state, change what is desired, run a pass, report.
//!
//! Nothing here prints, parses a command line, or looks at the environment.

pub mod attach;
pub mod error;
pub mod install;
pub mod report;

mod change;
mod doctor;
mod events;
mod exec;
mod host_files;
mod image;
mod image_save;
mod image_store;
mod login;
mod logs;
mod network;
mod pull;
mod query;
mod revisions;
mod session;
mod settings;
mod target;
mod volume;
mod wait;

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::{Busy, Engine, Roots};
use crate::model::{ContainerName, DetachKeys, PodName};
use crate::store::{self, Snapshot};

pub use crate::engine::{CREATE, Resolved, RunChange, Stated};
pub use crate::image::registry::Secret;
pub use crate::image::save::{Format as SaveFormat, Target as SaveTarget};
pub use crate::image::{Platform, progress};
pub use crate::runtime::log::{Gap as LogGap, Line as LogLine, Stream as LogStream};
pub use error::{Error, ExecFailure, InvalidFile, Kind};
pub use host_files::HostFiles;
use report::Progress;
pub use target::Target;

/// How long to wait for the database at most, which nobody holds for longer than a moment; a pod may
/// be held for hours.
const STORE_PATIENCE: Duration = Duration::from_secs(60);

/// Where the state is and how long to wait for it.
#[derive(Debug, Clone)]
pub struct Options {
    /// What must survive a reboot.
    pub root: PathBuf,
    /// What a reboot discards.
    pub run_root: PathBuf,
    /// How long to wait for another command that holds a lock.
    pub lock_timeout: Duration,
    /// Where other programs keep credentials for registries; looked at in this order, after the
    /// root's own.
    pub credential_files: Vec<PathBuf>,
}

/// How to apply.
#[derive(Debug, Clone, Default)]
pub struct ApplyRequest {
    /// Wait this long until the pods are ready.
    pub wait: Option<Duration>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Where a pod that was changed is not ready in time, make it what it was before.
    pub rollback_on_failure: bool,
    /// Delete the pods with this label that are not among those that are applied.
    pub prune: Option<Label>,
}

/// The name of a label, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How to delete.
#[derive(Debug, Clone, Default)]
pub struct DeleteRequest {
    /// Wait this long until the last resource of the pods is gone.
    pub wait: Option<Duration>,
    /// A pod that is not there is fine.
    pub ignore_not_found: bool,
}

/// How to run a pass.
#[derive(Debug, Clone, Default)]
pub struct ReconcileRequest {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Wait out the restart delays of the pods first.
    pub wait_backoff: bool,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// What was applied is in effect: ready, or stopped if it should not run.
    Applied,
    /// It is ready: it runs, or has done what it was there for.
    Ready,
    /// Nothing of it runs.
    Stopped,
    /// It is no more.
    Deleted,
}

/// A container whose log is read. It displays as `pod/container`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    /// Its pod.
    pub pod: PodName,
    /// Its name.
    pub container: ContainerName,
}

/// Which part of logs to read.
#[derive(Debug, Clone, Default)]
pub struct LogsRequest {
    /// Wait for more until the containers have ended.
    pub follow: bool,
    /// Start with the last so many lines of each container; `None` is all of them.
    pub lines: Option<usize>,
    /// Only lines from this time on.
    pub since: Option<Timestamp>,
    /// Only lines before this time.
    pub until: Option<Timestamp>,
    /// Only what was written to this stream.
    pub stream: Option<LogStream>,
    /// Only the life before the last one; otherwise all that are on record.
    pub previous: bool,
    /// When following, hand on the beginning of a line without waiting for its end.
    pub at_once: bool,
}

/// Which events to tell of.
#[derive(Debug, Clone, Default)]
pub struct EventsRequest {
    /// Those of these pods; of all, if there are none.
    pub pods: Vec<PodName>,
    /// Those from this time on.
    pub since: Option<Timestamp>,
    /// Only the last so many of those on record.
    pub last: Option<usize>,
    /// Those that come, too.
    pub follow: bool,
}

/// What reading logs comes upon.
#[derive(Debug)]
pub enum LogEvent<'a> {
    /// A line of a container, or a part of one.
    Line(&'a LogSource, &'a LogLine),
    /// Part of a container's log could not be read.
    Gap(&'a LogSource, &'a LogGap),
    /// There is nothing more for now.
    Pause,
}

/// What to execute in a running container, and what it is connected to.
#[derive(Debug)]
pub struct ExecRequest<'a> {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Environment, over the container's own.
    pub env: Vec<(String, String)>,
    /// The working directory; `None` is the container's.
    pub working_dir: Option<String>,
    /// `user[:group]`; `None` is the container's.
    pub user: Option<String>,
    /// Whether its streams are a terminal.
    pub tty: bool,
    /// The kind of terminal, where there is one and the container's environment names none.
    pub term: Option<OsString>,
    /// Whether its standard input is connected.
    pub stdin: bool,
    /// Leave it running and return at once.
    pub detach: bool,
    /// Give it every capability that tank has, and no filter of system calls.
    pub privileged: bool,
    /// The keys that leave it running, on a terminal.
    pub detach_keys: DetachKeys,
    /// The caller's standard input, output and error.
    pub streams: [BorrowedFd<'a>; 3],
}

/// How an executed program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecOutcome {
    /// Its exit code, or 128 and the number of the signal that ended it; 0 when it was detached.
    pub code: u8,
}

/// What to attach to a running container.
#[derive(Debug)]
pub struct AttachRequest<'a> {
    /// It must have a terminal.
    pub tty: bool,
    /// The keys that leave it; `None` is what the settings say.
    pub detach_keys: Option<DetachKeys>,
    /// Whether the caller's standard input is connected.
    pub stdin: bool,
    /// The caller's standard input, output and error.
    pub streams: [BorrowedFd<'a>; 3],
}

/// How the caller and an attached container parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachOutcome {
    /// The program ended with this exit code, or 128 and the number of the signal that ended it.
    Ended(u8),
    /// The caller left it running.
    Detached,
    /// A signal asked the caller to end, which it outlived. The program goes on.
    Signaled(i32),
}

/// Which images to save, as what, and where to.
#[derive(Debug)]
pub struct SaveRequest<'a> {
    /// The images, by name or digest.
    pub names: &'a [String],
    /// What to write them as.
    pub format: SaveFormat,
    /// Where to write them.
    pub target: SaveTarget<'a>,
}

/// Which image to pull, and who may be asked for credentials.
#[derive(Debug, Clone, Default)]
pub struct PullRequest {
    /// The platform; `None` is this machine's.
    pub platform: Option<Platform>,
}

/// Somebody who watches.
pub type Watcher<'a> = &'a mut dyn FnMut(&Progress<'_>);

/// The state of one root, opened.
#[derive(Debug)]
pub struct App {
    options: Options,
    /// `None` in a root that has no state yet.
    engine: Option<Engine>,
}

impl Options {
    fn roots(&self, command: &str) -> Roots {
        Roots { root: self.root.clone(), run: self.run_root.clone(), command: command.to_owned() }
    }
}

impl App {
    /// Opens the state for reading and writing, and creates it if it is missing. `command` is what
    /// others are told who have to wait.
    pub fn open(options: Options, command: &str) -> Result<App, Error> {
        let mut engine = Engine::open(&options.roots(command))
            .map_err(|e| Error::of_engine("cannot open the state", e))?;
        engine
            .store
            .set_lock_timeout(options.lock_timeout.min(STORE_PATIENCE))
            .map_err(|e| Error::of_engine("cannot open the state", e.into()))?;
        Ok(App { options, engine: Some(engine) })
    }

    /// Opens the state for reading; `None` when there is none yet.
    pub fn open_existing(options: Options, command: &str) -> Result<Option<App>, Error> {
        match Engine::open_existing(&options.roots(command)) {
            Ok(engine) => Ok(Some(App { options, engine: Some(engine) })),
            Err(e) if e.is_no_state() => Ok(None),
            Err(e) => Err(Error::of_engine("cannot open the state", e)),
        }
    }

    /// A root that has no state yet, for planning what a first apply would do: nothing is desired
    /// in it and nothing is observed. Creates nothing on disk.
    pub fn without_state(options: Options) -> App {
        App { options, engine: None }
    }

    fn engine(&self) -> Result<&Engine, Error> {
        self.engine.as_ref().ok_or_else(no_state)
    }

    fn engine_mut(&mut self) -> Result<&mut Engine, Error> {
        self.engine.as_mut().ok_or_else(no_state)
    }

    /// Reads from the state; `what` names it should that fail.
    fn read<T>(
        &self,
        what: &str,
        f: impl FnMut(&Snapshot<'_>) -> store::Result<T>,
    ) -> Result<T, Error> {
        let read = self.engine()?.store.read(f);
        read.map_err(|e| Error::of_engine(format!("cannot read the {what}"), e.into()))
    }

    fn wait_for_locks(&self) -> Busy {
        Busy::Fail(self.options.lock_timeout)
    }
}

fn no_state() -> Error {
    Error::new(Kind::NotFound, "there is no state yet").hint("tank apply -f FILE creates it")
}

/// A pod that is not there.
fn no_pod(name: &PodName) -> Error {
    Error::new(Kind::NotFound, format!("cannot find pod {name}")).hint("tank list shows the pods")
}

/// The JSON Schema of the pod file.
pub fn schema() -> serde_json::Value {
    crate::model::schema::json_schema()
}

/// The JSON Schema of `config.toml`.
pub fn settings_schema() -> serde_json::Value {
    crate::model::schema::settings_schema()
}
