//! Where the runtime keeps things, below the state root and the run root.
//!
//! ```text
//! ROOT/bin/                       copies of the program that monitors and inits run from
//! ROOT/containers/<id>/           spec.json, launch.json, exit.json, files/, upper/, work/, root/
//! ROOT/volumes/<name>/data        what a named volume holds
//! ROOT/logs/<pod>/<container>/    <attempt>.log and its complete files, see super::log
//! RUN/pods/<pod>/ns/              the pinned namespaces
//! RUN/pods/<pod>/proc/            the procfs of the pid namespace that its containers share
//! RUN/containers/<id>/            monitor.lock, attach.sock, status.json, health.json, stopping
//! RUN/locks/<pod>.lock            held while a pass works on the pod
//! ```

use std::path::{Path, PathBuf};

use crate::model::{ContainerName, InstanceId, PodName, VolumeName};

/// The two roots, and the paths below them.
#[derive(Debug, Clone)]
pub struct Directories {
    /// What survives a reboot.
    pub root: PathBuf,
    /// What a reboot discards.
    pub run: PathBuf,
}

impl Directories {
    /// The directory of the copies of the program.
    pub fn binaries(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// The directory of all instances' files.
    pub fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    /// The directory of one instance's files.
    pub fn container(&self, id: &InstanceId) -> PathBuf {
        self.containers().join(id)
    }

    /// The directory of all instances' run state.
    pub fn run_containers(&self) -> PathBuf {
        self.run.join("containers")
    }

    /// The directory of one instance's run state.
    pub fn run_container(&self, id: &InstanceId) -> PathBuf {
        self.run_containers().join(id)
    }

    /// The directory of all named volumes.
    pub fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// The directory of one named volume; what it holds is in [`super::volume::DATA`].
    pub fn volume(&self, name: &VolumeName) -> PathBuf {
        self.volumes().join(name)
    }

    /// The directory of one pod's logs.
    pub fn pod_logs(&self, pod: &PodName) -> PathBuf {
        self.root.join("logs").join(pod)
    }

    /// The log of one attempt of a container.
    pub fn log(&self, pod: &PodName, container: &ContainerName, attempt: u32) -> PathBuf {
        self.pod_logs(pod).join(container).join(format!("{attempt}.log"))
    }

    /// The directory of one pod's run state.
    pub fn run_pod(&self, pod: &PodName) -> PathBuf {
        self.run.join("pods").join(pod)
    }

    /// Where the procfs of the pid namespace is mounted that the pod's containers share.
    pub fn pod_proc(&self, pod: &PodName) -> PathBuf {
        self.run_pod(pod).join("proc")
    }

    /// The file that pins one of the pod's namespaces: `net`, `ipc`, `uts` or `pid`.
    pub fn namespace(&self, pod: &PodName, name: &str) -> PathBuf {
        self.run_pod(pod).join("ns").join(name)
    }

    /// The lock that a pass holds while it works on the pod.
    pub fn lock(&self, pod: &PodName) -> PathBuf {
        self.run.join("locks").join(format!("{pod}.lock"))
    }
}

/// The files of one instance, below its two directories.
#[derive(Debug, Clone, Copy)]
pub struct InstanceFiles<'a> {
    /// [`Directories::container`]
    pub directory: &'a Path,
    /// [`Directories::run_container`]
    pub run: &'a Path,
}

impl InstanceFiles<'_> {
    /// The OCI runtime specification it was started from.
    pub fn spec(&self) -> PathBuf {
        self.directory.join("spec.json")
    }

    /// What its monitor was told: [`super::launch::Launch`].
    pub fn launch(&self) -> PathBuf {
        self.directory.join("launch.json")
    }

    /// How it ended: [`super::record::ExitRecord`].
    pub fn exit(&self) -> PathBuf {
        self.directory.join("exit.json")
    }

    /// The same, where the monitor puts it when the disk of the state root is full.
    pub fn exit_fallback(&self) -> PathBuf {
        self.run.join("exit.json")
    }

    /// Locked by the monitor for as long as it lives.
    pub fn lock(&self) -> PathBuf {
        self.run.join("monitor.lock")
    }

    /// Who runs it: [`super::record::Status`].
    pub fn status(&self) -> PathBuf {
        self.run.join("status.json")
    }

    /// How its probes went: [`super::record::Health`].
    pub fn health(&self) -> PathBuf {
        self.run.join("health.json")
    }

    /// Where its monitor takes those who attach.
    pub fn attach(&self) -> PathBuf {
        self.run.join("attach.sock")
    }

    /// Who asks it to end, so that its monitor does not start a pass: [`super::record::Stopping`].
    pub fn stopping(&self) -> PathBuf {
        self.run.join("stopping")
    }
}
