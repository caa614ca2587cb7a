//! The engine: looks at the world, carries out plans, writes down what it does, and puts right
//! what a pass that died left behind.
//!
//! # Expected flow of a pass
//!
//! 1. lock the pods it is about, or skip those somebody else works on
//! 2. [`snapshot`](Engine::snapshot): one look at the world; [`crate::plan::plan`] compares
//! 3. one transaction: the change that was asked for, new instances, the journal
//! 4. the steps, lanes side by side
//! 5. a transaction whenever lanes are over: what became of them; then their pods are unlocked
//!
//! # Guarantees
//!
//! A pass with nothing to do writes nothing. Whatever a pass makes outside the database has its
//! row there first, so a pass that dies leaves nothing that the next one does not know of. Every
//! step may be repeated. A failed step ends its own lane only.

mod backoff;
mod candidate;
mod claims;
mod dependencies;
mod ending;
pub mod error;
mod events;
mod execute;
mod fault;
mod image_store;
mod images;
mod journal;
mod lock;
mod names;
mod network;
mod observe;
mod pass;
mod place;
mod prepare;
mod pull;
mod steps;
mod strays;
mod volumes;
mod work;

use std::cell::OnceCell;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

pub use candidate::{CREATE, Desire, Put, PutKind, RunChange, Stated};
pub use error::{Error, Result};
pub use execute::chain;
pub use image_store::Pruned;
pub use images::Removal;
pub use observe::Snapshot;
pub use pass::{Busy, Change, Event, Pass, PassResult, StepFailure};
pub use place::{InstancePlace, base_name};
pub use pull::{Network, Resolved};
pub use volumes::VolumeUse;

use crate::image::ImageDirs;
use crate::model::settings::{LogSettings, NetworkSettings};
use crate::model::{Instance, Pod, PodName};
use crate::runtime::cgroup::Group;
use crate::runtime::directories::Directories;
use crate::store::{Access, Owner, Store};
use crate::sys::exe::{self, Sealed};
use crate::sys::{self, file, process};
use place::Cgroups;

/// The identity of the running kernel: random(4).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Where the state of one root is, and who works on it.
#[derive(Debug, Clone)]
pub struct Roots {
    /// What survives a reboot.
    pub root: PathBuf,
    /// What a reboot discards.
    pub run: PathBuf,
    /// The command on whose behalf the engine works, for the journal and for others who wait.
    pub command: String,
}

/// One root, opened.
#[derive(Debug)]
pub struct Engine {
    /// The database.
    pub store: Store,
    /// The directories.
    pub directories: Directories,
    /// The images on disk.
    pub images: ImageDirs,
    cgroups: Cgroups,
    command: String,
    boot: String,
    executable: OnceCell<Sealed>,
    network: OnceCell<NetworkSettings>,
    unsettled: OnceCell<String>,
    logs: OnceCell<LogSettings>,
}

impl Engine {
    /// Opens a root for changes, making it if it is missing.
    pub fn open(roots: &Roots) -> Result<Self> {
        for path in [&roots.root, &roots.run] {
            if !path.is_dir() {
                file::make_dirs(path, 0o700)?;
            }
        }
        let store = Store::open(&roots.root, Access::ReadWrite)?;
        Self::with(store, roots)
    }

    /// Opens a root that is there, to look at it.
    pub fn open_existing(roots: &Roots) -> Result<Self> {
        let store = Store::open(&roots.root, Access::ReadOnly)?;
        Self::with(store, roots)
    }

    fn with(store: Store, roots: &Roots) -> Result<Self> {
        let root = canonical(&roots.root)?;
        let run = canonical(&roots.run).unwrap_or_else(|_| roots.run.clone());
        let boot = file::read_proc(BOOT_ID)?.trim().to_owned();
        Ok(Self {
            store,
            images: ImageDirs::below(&root),
            cgroups: Cgroups::of(&root)?,
            directories: Directories { root, run },
            command: roots.command.clone(),
            boot,
            executable: OnceCell::new(),
            network: OnceCell::new(),
            unsettled: OnceCell::new(),
            logs: OnceCell::new(),
        })
    }

    /// The program that monitors and exec helpers run from.
    pub fn executable(&self) -> Result<&Sealed> {
        if let Some(sealed) = self.executable.get() {
            return Ok(sealed);
        }
        let sealed = exe::open_sealed(&self.directories.binaries())?;
        Ok(self.executable.get_or_init(|| sealed))
    }

    /// The cgroup of an instance.
    pub fn instance_group(&self, instance: &Instance) -> Result<Group> {
        self.cgroups.group(&self.cgroups.instance(&instance.pod, &instance.id))
    }

    /// The cgroup2 directory that monitors are born in, where the host has that hierarchy.
    pub fn monitors_directory(&self) -> Result<Option<OwnedFd>> {
        Ok(self.monitors()?.open_for_clone()?)
    }

    /// The cgroup of all monitors, made if it is missing.
    fn monitors(&self) -> Result<Group> {
        let group = self.cgroups.group(&self.cgroups.monitors())?;
        group.ensure()?;
        Ok(group)
    }

    /// The words of a pass over one pod, for its monitors to run.
    fn pass_over(&self, pod: &PodName, flags: &[&str]) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let mut words = vec![
            installed().display().to_string(),
            "--root".to_owned(),
            path(&self.directories.root),
            "--run-root".to_owned(),
            path(&self.directories.run),
            "reconcile".to_owned(),
        ];
        words.extend(flags.iter().map(ToString::to_string));
        // Nobody would try again after it: whoever has the pod may give it a long time to end.
        words.push("--lock-timeout=24h".to_owned());
        words.push(pod.to_string());
        words
    }

    /// This process, as the journal names it.
    fn owner(&self) -> Owner {
        let pid = rustix::process::getpid().as_raw_pid();
        let start_time = process::start_time(pid).unwrap_or_default();
        let process = crate::model::ProcessIdentity { pid, start_time };
        Owner { process, boot: self.boot.clone() }
    }

    /// The number of the signal that asks the instance to end.
    fn stop_signal(&self, pod: &Pod, instance: &Instance) -> i32 {
        let named = prepare::container(pod, instance).ok().and_then(|c| c.stop_signal.clone());
        let from_image = || {
            let digest = instance.image.as_ref()?;
            let image = self.store.read(|state| state.image_by_digest(digest)).ok()??;
            images::config(&image).ok()?.stop_signal
        };
        let name = named.or_else(from_image);
        let signal = name.and_then(|name| name.parse::<crate::model::Signal>().ok());
        signal.map_or(libc::SIGTERM, crate::model::Signal::number)
    }
}

fn canonical(path: &Path) -> Result<PathBuf> {
    let canonical = path.canonicalize();
    Ok(canonical.map_err(|e| sys::Error::new("realpath", path.display().to_string(), e))?)
}

/// The path of the installed program. A process that runs from the read-only copy has no path; it
/// was told the installed one by its name.
pub fn installed() -> PathBuf {
    let own = std::fs::read_link("/proc/self/exe").unwrap_or_default();
    if own.exists() {
        return own;
    }
    std::env::args_os().next().map(PathBuf::from).unwrap_or_default()
}
