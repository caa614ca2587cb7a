//! The OCI runtime specification of an instance: a pure function of the pod file and the image.
//!
//! <https://github.com/opencontainers/runtime-spec/blob/main/config.md>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use oci_spec::OciSpecError;
use oci_spec::runtime::{
    LinuxBuilder, LinuxCapabilities, LinuxCpuBuilder, LinuxDevice, LinuxMemoryBuilder,
    LinuxNamespace, LinuxNamespaceBuilder, LinuxNamespaceType, LinuxPidsBuilder,
    LinuxResourcesBuilder, LinuxSeccomp, Mount, MountBuilder, PosixRlimit, ProcessBuilder,
    RootBuilder, Spec, SpecBuilder,
};

use super::volume;
use crate::model::pod::MountSource;
use crate::model::{Container, Pod};

/// The period over which a CPU limit is counted, in microseconds: the kernel's default.
const CPU_PERIOD: u64 = 100_000;

/// The search path of a program whose image names none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What every container can read but must not: the union of Docker's and Podman's lists.
const MASKED: [&str; 13] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
];

/// What every container may read but not write: the union of Docker's and Podman's lists.
const READ_ONLY: [&str; 5] =
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// What an image says about the program it holds. Nothing in it steers the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageDefaults {
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// Arguments after the entrypoint, or the whole command if there is none.
    pub cmd: Vec<String>,
    /// `KEY=value` each.
    pub env: Vec<String>,
    /// Where the program starts.
    pub working_dir: Option<String>,
    /// `user[:group]`
    pub user: Option<String>,
    /// The signal that asks it to end, as a name or number.
    pub stop_signal: Option<String>,
}

/// What the builder needs to know of the instance beside the pod file and the image.
#[derive(Debug)]
pub struct Context {
    /// The host directory that becomes the root file system.
    pub root: PathBuf,
    /// The host directory with the files `hosts`, `hostname` and `resolv.conf`, and those that
    /// mounts show ([`mounted_file`]).
    pub files: PathBuf,
    /// The host directory of the named volumes.
    pub volumes: PathBuf,
    /// The files that pin the pod's namespaces.
    pub net: Option<PathBuf>,
    /// As `net`.
    pub ipc: PathBuf,
    /// As `net`.
    pub uts: PathBuf,
    /// The pid namespace, if the pod's containers share one.
    pub pids: Option<SharedPids>,
    /// The cgroup, relative to the hierarchies' roots.
    pub cgroup: String,
    /// The capabilities of its processes.
    pub capabilities: LinuxCapabilities,
    /// The system call filter.
    pub seccomp: Option<LinuxSeccomp>,
    /// Resource limits.
    pub rlimits: Vec<PosixRlimit>,
    /// Host devices to pass in.
    pub devices: Vec<LinuxDevice>,
    /// Paths to mask beside the fixed list: one a CPU of this host.
    pub masked: Vec<String>,
}

/// A pid namespace that others live in too.
#[derive(Debug)]
pub struct SharedPids {
    /// The file that pins it.
    pub namespace: PathBuf,
    /// A procfs that shows it.
    pub proc: PathBuf,
}

/// Why a container has no specification.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Neither the pod file nor the image says what to run.
    #[error("container {0} has no command: neither the pod file nor the image names one")]
    NoCommand(String),
    /// The specification library refused a part.
    #[error("cannot build the specification of container {container}")]
    Build {
        /// The container.
        container: String,
        /// What it refused.
        source: OciSpecError,
    },
}

/// Builds the specification of one instance of `container`.
pub fn build(
    pod: &Pod,
    container: &Container,
    image: &ImageDefaults,
    context: Context,
) -> Result<Spec, SpecError> {
    let arguments = arguments(container, image);
    if arguments.is_empty() {
        return Err(SpecError::NoCommand(container.name.to_string()));
    }
    assemble(pod, container, image, context, arguments)
        .map_err(|source| SpecError::Build { container: container.name.to_string(), source })
}

fn assemble(
    pod: &Pod,
    container: &Container,
    image: &ImageDefaults,
    context: Context,
    arguments: Vec<String>,
) -> Result<Spec, OciSpecError> {
    let (mounts, namespaces) = (mounts(container, &context)?, namespaces(&context)?);
    let process = ProcessBuilder::default()
        .terminal(container.tty)
        .args(arguments)
        .env(environment(pod, container, image))
        .cwd(working_dir(container, image))
        .capabilities(context.capabilities)
        .rlimits(context.rlimits)
        .no_new_privileges(container.no_new_privileges)
        .oom_score_adj(0)
        .build()?;
    let mut linux = LinuxBuilder::default()
        .namespaces(namespaces)
        .cgroups_path(context.cgroup)
        .resources(resources(container)?)
        .devices(context.devices)
        .sysctl(container.sysctls.clone().into_iter().collect::<std::collections::HashMap<_, _>>())
        .masked_paths(strings(&MASKED).into_iter().chain(context.masked).collect::<Vec<_>>())
        .readonly_paths(strings(&READ_ONLY))
        .build()?;
    linux.set_seccomp(context.seccomp);
    SpecBuilder::default()
        .version("1.2.0")
        .hostname(pod.hostname.clone())
        .process(process)
        .root(RootBuilder::default().path(context.root).readonly(container.read_only).build()?)
        .mounts(mounts)
        .linux(linux)
        .build()
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// `command` replaces the image's Entrypoint and drops its Cmd; `args` replaces its Cmd.
fn arguments(container: &Container, image: &ImageDefaults) -> Vec<String> {
    let (first, rest) = match (&container.command, &container.args) {
        (Some(command), args) => (command.clone(), args.clone().unwrap_or_default()),
        (None, Some(args)) => (image.entrypoint.clone(), args.clone()),
        (None, None) => (image.entrypoint.clone(), image.cmd.clone()),
    };
    first.into_iter().chain(rest).collect()
}

/// The image's variables, the pod file's over them, and what programs expect to find anyway.
fn environment(pod: &Pod, container: &Container, image: &ImageDefaults) -> Vec<String> {
    let mut variables = BTreeMap::from([
        ("PATH".to_owned(), DEFAULT_PATH.to_owned()),
        ("HOSTNAME".to_owned(), pod.hostname.clone()),
    ]);
    if container.tty {
        variables.insert("TERM".to_owned(), "xterm".to_owned());
    }
    for variable in &image.env {
        if let Some((key, value)) = variable.split_once('=') {
            variables.insert(key.to_owned(), value.to_owned());
        }
    }
    variables.extend(container.env.clone());
    variables.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
}

fn working_dir(container: &Container, image: &ImageDefaults) -> PathBuf {
    let named = container.working_dir.as_deref().or(image.working_dir.as_deref());
    match named {
        None | Some("") => PathBuf::from("/"),
        Some(path) => Path::new("/").join(path),
    }
}

fn namespaces(context: &Context) -> Result<Vec<LinuxNamespace>, OciSpecError> {
    use LinuxNamespaceType::{Cgroup, Ipc, Mount, Network, Pid, Uts};
    let pid = context.pids.as_ref().map(|pids| pids.namespace.as_path());
    let joined = [
        (Network, context.net.as_deref()),
        (Ipc, Some(context.ipc.as_path())),
        (Uts, Some(context.uts.as_path())),
        (Pid, pid),
    ];
    let mut namespaces = Vec::new();
    for (kind, path) in joined {
        if let Some(path) = path {
            let builder = LinuxNamespaceBuilder::default().typ(kind).path(path);
            namespaces.push(builder.build()?);
        }
    }
    let own = if pid.is_none() { &[Pid, Mount, Cgroup][..] } else { &[Mount, Cgroup] };
    for &kind in own {
        namespaces.push(LinuxNamespaceBuilder::default().typ(kind).build()?);
    }
    Ok(namespaces)
}

fn resources(container: &Container) -> Result<oci_spec::runtime::LinuxResources, OciSpecError> {
    let mut resources = LinuxResourcesBuilder::default();
    if let Some(memory) = container.memory {
        let limit = i64::try_from(memory.0).unwrap_or(i64::MAX);
        resources = resources.memory(LinuxMemoryBuilder::default().limit(limit).build()?);
    }
    if let Some(cpus) = container.cpus {
        let quota = i64::from(cpus.0) * i64::try_from(CPU_PERIOD).unwrap_or(i64::MAX) / 1000;
        let cpu = LinuxCpuBuilder::default().quota(quota).period(CPU_PERIOD).build()?;
        resources = resources.cpu(cpu);
    }
    if let Some(pids) = container.pids {
        let limit = i64::try_from(pids).unwrap_or(i64::MAX);
        resources = resources.pids(LinuxPidsBuilder::default().limit(limit).build()?);
    }
    resources.build()
}

/// The name of the file that the mount in this place of a container's list shows, where it shows
/// one that tank writes.
pub fn mounted_file(place: usize) -> String {
    format!("mount-{place}")
}

fn mounts(container: &Container, context: &Context) -> Result<Vec<Mount>, OciSpecError> {
    let mut proc = file_system("proc", "/proc", &["nosuid", "noexec", "nodev"])?;
    if let Some(pids) = &context.pids {
        proc.set_source(Some(pids.proc.clone()));
    }
    let files = &context.files;
    let mut mounts = vec![
        proc,
        file_system("tmpfs", "/dev", &["nosuid", "strictatime", "mode=755", "size=65536k"])?,
        file_system(
            "devpts",
            "/dev/pts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        )?,
        file_system("tmpfs", "/dev/shm", &["nosuid", "noexec", "nodev", "mode=1777", "size=64m"])?,
        file_system("mqueue", "/dev/mqueue", &["nosuid", "noexec", "nodev"])?,
        file_system("sysfs", "/sys", &["nosuid", "noexec", "nodev", "ro"])?,
        file_system("cgroup", "/sys/fs/cgroup", &["nosuid", "noexec", "nodev", "ro"])?,
    ];
    for name in ["hosts", "hostname", "resolv.conf"] {
        mounts.push(bind(&files.join(name), &Path::new("/etc").join(name), false, false)?);
    }
    for (place, mount) in container.mounts.iter().enumerate() {
        let mode = if mount.read_only { "ro" } else { "rw" };
        mounts.push(match &mount.source {
            MountSource::Host(path) => bind(path, &mount.target, mount.read_only, true)?,
            MountSource::Tmpfs(size) => {
                let size = format!("size={}", size.0);
                let options = ["nosuid", "nodev", "mode=1777", mode, &size];
                file_system("tmpfs", mount.target.to_string_lossy().as_ref(), &options)?
            }
            MountSource::Volume(name) => {
                let data = context.volumes.join(name).join(volume::DATA);
                bind(&data, &mount.target, mount.read_only, false)?
            }
            MountSource::Content(_) | MountSource::File(_) => {
                bind(&files.join(mounted_file(place)), &mount.target, mount.read_only, false)?
            }
        });
    }
    Ok(mounts)
}

fn file_system(kind: &str, target: &str, options: &[&str]) -> Result<Mount, OciSpecError> {
    MountBuilder::default()
        .destination(target)
        .typ(kind)
        .source(kind)
        .options(strings(options))
        .build()
}

fn bind(
    source: &Path,
    target: &Path,
    read_only: bool,
    recursive: bool,
) -> Result<Mount, OciSpecError> {
    let kind = if recursive { "rbind" } else { "bind" };
    let mode = if read_only { "ro" } else { "rw" };
    MountBuilder::default()
        .destination(target)
        .typ("bind")
        .source(source)
        .options(strings(&[kind, "private", mode]))
        .build()
}
