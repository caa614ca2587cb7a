//! From a pod's spec to what the runtime needs to start one of its containers.

use std::collections::BTreeSet;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxDevice, LinuxDeviceBuilder, LinuxDeviceType, LinuxSeccomp, Spec};

use super::error::{Error, Result};
use super::{Engine, place::InstancePlace};
use crate::image::ImageConfig;
use crate::model::pod::{HostFile, Mount, MountSource, Network, Seccomp, Source};
use crate::model::settings::LogSettings;
use crate::model::{Container, DesiredPod, Digest, Instance, Pod};
use crate::runtime::capabilities::{self, Capability};
use crate::runtime::launch::{Care, Launch, LogFile, PROTOCOL, VolumeMount};
use crate::runtime::rlimit::{self, HostLimits};
use crate::runtime::seccomp;
use crate::runtime::spec::{self, Context, ImageDefaults, SharedPids};
use crate::runtime::start::{ManagedFiles, MountedFile};
use crate::runtime::volume::Turn;
use crate::sys;

/// Everything that starting an instance takes.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) launch: Launch,
    pub(super) spec: Spec,
    pub(super) files: ManagedFiles,
    pub(super) notes: Vec<String>,
}

/// Where a root file system comes from, and what it says about its program.
struct Base {
    layers: Vec<PathBuf>,
    root_like: Option<PathBuf>,
    defaults: ImageDefaults,
    from_image: bool,
}

impl Engine {
    /// Prepares the start of `instance`.
    pub(super) fn prepare(&self, desired: &DesiredPod, instance: &Instance) -> Result<Prepared> {
        let pod = &desired.pod;
        let container = container(pod, instance)?;
        let base = self.base(container, instance.image.as_ref())?;
        let place = InstancePlace::of(&self.directories, &instance.id);
        let mut notes = Vec::new();
        let asked = &container.capabilities;
        let (add, drop) = (asked.add.iter(), asked.drop.iter());
        let available = sys::credentials::bounding_set();
        let (add, drop) = (add.map(String::as_str), drop.map(String::as_str));
        let resolved = capabilities::resolve(add, drop, available)
            .map_err(|e| unusable(container, "its capabilities", e))?;
        notes.extend(resolved.notes);
        let context = Context {
            root: place.directory.join("root"),
            files: place.directory.join("files"),
            volumes: self.directories.volumes(),
            net: (pod.network != Network::Host).then(|| self.namespace(pod, "net")),
            ipc: self.namespace(pod, "ipc"),
            uts: self.namespace(pod, "uts"),
            pids: pod.share_pids.then(|| SharedPids {
                namespace: self.namespace(pod, "pid"),
                proc: self.directories.pod_proc(&pod.name),
            }),
            cgroup: self.cgroups.instance(&pod.name, &instance.id),
            seccomp: filter(container, &resolved.capabilities)?,
            capabilities: capabilities::to_oci(&resolved.capabilities),
            rlimits: rlimit::limits(&container.ulimits, HostLimits::read())
                .map_err(|e| unusable(container, "its limits", e))?,
            devices: devices(container)?,
            masked: thermal_throttle_paths(),
        };
        let spec = spec::build(pod, container, &base.defaults, context)
            .map_err(crate::runtime::Error::from)?;
        let named = container.user.clone().or_else(|| base.defaults.user.clone());
        let logs = self.log_limits(container);
        let launch = Launch {
            version: PROTOCOL,
            id: instance.id.clone(),
            pod: pod.name.clone(),
            container: container.name.clone(),
            directory: place.directory,
            run: place.run,
            layers: base.layers,
            root_like: base.root_like,
            user: named.filter(|user| !user.is_empty()),
            make_working_dir: base.from_image && container.working_dir.is_none(),
            init: container.init,
            stdin: container.stdin,
            volumes: self.mount_volumes(container)?,
            container_cgroup: self.cgroups.instance(&pod.name, &instance.id),
            monitor_cgroup: self.cgroups.monitors(),
            log: LogFile {
                path: self.directories.log(&pod.name, &container.name, instance.attempt),
                max_size: logs.max_size,
                max_files: logs.max_files,
            },
            care: self.care(desired, container, instance),
            afterwards: self.pass_over(&pod.name, &["--wait-backoff"]),
            when_ready: self.pass_over(&pod.name, &[]),
        };
        let files = ManagedFiles { etc: self.etc_files(pod)?, mounted: self.mounted(container)? };
        Ok(Prepared { launch, spec, files, notes })
    }

    /// The named volumes of a container. Those that are not there are made: they outlive it.
    fn mount_volumes(&self, container: &Container) -> Result<Vec<VolumeMount>> {
        let named = |mount: &Mount| match &mount.source {
            MountSource::Volume(name) => Some((name.clone(), mount.target.clone())),
            _ => None,
        };
        let named: Vec<_> = container.mounts.iter().filter_map(named).collect();
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let turn = Turn::to_make(&self.directories)?;
        for (name, _) in &named {
            turn.make(&self.directories, name)?;
        }
        let mount =
            |(name, target)| VolumeMount { directory: self.directories.volume(&name), target };
        Ok(named.into_iter().map(mount).collect())
    }

    /// The files that the mounts of a container show.
    fn mounted(&self, container: &Container) -> Result<Vec<MountedFile>> {
        let mut files = Vec::new();
        for (place, mount) in container.mounts.iter().enumerate() {
            let (content, executable) = match &mount.source {
                MountSource::Content(text) => (text.clone().into_bytes(), false),
                MountSource::File(file) => (self.content(container, file)?, file.executable),
                _ => continue,
            };
            // Whoever the program runs as has to read it; the container keeps all others out.
            let mode = match (mount.secret, executable) {
                (false, false) => 0o644,
                (false, true) => 0o755,
                (true, false) => 0o444,
                (true, true) => 0o555,
            };
            files.push(MountedFile { name: spec::mounted_file(place), content, mode });
        }
        Ok(files)
    }

    fn content(&self, container: &Container, file: &HostFile) -> Result<Vec<u8>> {
        let content = self.store.read(|state| state.content(&file.content))?;
        content.ok_or_else(|| Error::NoContent {
            container: container.name.clone(),
            path: file.path.display().to_string(),
        })
    }

    /// What the monitor of an instance does for it while it runs.
    pub(super) fn care(
        &self,
        desired: &DesiredPod,
        container: &Container,
        instance: &Instance,
    ) -> Care {
        Care {
            generation: desired.generation,
            startup: container.startup.clone(),
            readiness: container.readiness.clone(),
            liveness: container.liveness.clone(),
            stop_signal: self.stop_signal(&desired.pod, instance),
            stop_timeout: desired.pod.stop_timeout,
        }
    }

    /// How much of a container's log is kept.
    pub(super) fn log_limits(&self, container: &Container) -> LogSettings {
        let LogSettings { max_size, max_files } = self.logs.get().copied().unwrap_or_default();
        LogSettings {
            max_size: container.log.max_size.map_or(max_size, |size| size.0),
            max_files: container.log.max_files.unwrap_or(max_files),
        }
    }

    /// Says how much of logs is kept where pods do not say it, when nobody has said so yet.
    pub fn set_logs(&self, settings: LogSettings) {
        self.logs.get_or_init(|| settings);
    }

    fn namespace(&self, pod: &Pod, name: &str) -> PathBuf {
        self.directories.namespace(&pod.name, name)
    }

    fn base(&self, container: &Container, image: Option<&Digest>) -> Result<Base> {
        match &container.source {
            Source::Rootfs(path) => {
                if !path.is_dir() {
                    let path = path.display().to_string();
                    return Err(Error::NoRootfs { container: container.name.clone(), path });
                }
                Ok(Base {
                    layers: vec![path.clone()],
                    root_like: Some(path.clone()),
                    defaults: ImageDefaults::default(),
                    from_image: false,
                })
            }
            Source::Image(name) => {
                let missing = || Error::NoImage {
                    container: container.name.clone(),
                    image: image.map_or_else(|| name.clone(), ToString::to_string),
                };
                let digest = image.ok_or_else(missing)?;
                let stored = self.store.read(|state| state.image_by_digest(digest))?;
                let stored = stored.ok_or_else(missing)?;
                let config = super::images::config(&stored)?;
                let ids: Vec<_> = stored.layers.into_iter().map(|layer| layer.id).collect();
                let layers = self.images.stack(&ids)?;
                Ok(Base {
                    root_like: self.images.root_of(&layers).cloned(),
                    layers,
                    defaults: defaults(config),
                    from_image: true,
                })
            }
        }
    }
}

/// The container of a pod that an instance is a life of.
pub(super) fn container<'a>(pod: &'a Pod, instance: &Instance) -> Result<&'a Container> {
    pod.container(&instance.container).ok_or_else(|| Error::Stuck {
        container: instance.container.clone(),
        detail: "it is not in the spec".into(),
    })
}

fn unusable(
    container: &Container,
    what: &str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::Unusable {
        container: container.name.clone(),
        what: what.to_owned(),
        source: Box::new(source),
    }
}

fn defaults(config: ImageConfig) -> ImageDefaults {
    ImageDefaults {
        entrypoint: config.entrypoint,
        cmd: config.cmd,
        env: config.env,
        working_dir: config.working_dir,
        user: config.user,
        stop_signal: config.stop_signal,
    }
}

fn filter(
    container: &Container,
    capabilities: &BTreeSet<Capability>,
) -> Result<Option<LinuxSeccomp>> {
    match &container.seccomp {
        Seccomp::Unconfined => Ok(None),
        Seccomp::Default => Ok(Some(seccomp::default_profile(capabilities))),
        Seccomp::Profile(path) => {
            let what = format!("the seccomp profile {}", path.display());
            seccomp::read_profile(path, capabilities)
                .map(Some)
                .map_err(|e| unusable(container, &what, e))
        }
    }
}

fn devices(container: &Container) -> Result<Vec<LinuxDevice>> {
    container.devices.iter().map(|path| device(container, path)).collect()
}

fn device(container: &Container, path: &Path) -> Result<LinuxDevice> {
    let what = || format!("the device {}", path.display());
    let metadata = std::fs::metadata(path).map_err(|e| unusable(container, &what(), e))?;
    let kind = metadata.file_type();
    let typ = if kind.is_block_device() {
        LinuxDeviceType::B
    } else if kind.is_char_device() {
        LinuxDeviceType::C
    } else {
        let path = path.display().to_string();
        return Err(Error::NotADevice { container: container.name.clone(), path });
    };
    let number = metadata.rdev();
    LinuxDeviceBuilder::default()
        .path(path)
        .typ(typ)
        .major(i64::from(rustix::fs::major(number)))
        .minor(i64::from(rustix::fs::minor(number)))
        .file_mode(metadata.mode() & 0o7777)
        .uid(metadata.uid())
        .gid(metadata.gid())
        .build()
        .map_err(|e| unusable(container, &what(), e))
}

/// One directory a CPU tells containers of the others' heat (GHSA-6fw5-f8r9-fgfm).
fn thermal_throttle_paths() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/sys/devices/system/cpu") else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path().join("thermal_throttle"));
    paths
        .filter(|path| path.is_dir())
        .filter_map(|path| path.into_os_string().into_string().ok())
        .collect()
}
