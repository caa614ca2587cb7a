//! Profiles from files, in the form of the OCI runtime specification or in the one that Docker
//! and Podman share, where rules depend on capabilities, architecture and kernel.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompFilterFlag, LinuxSyscall,
};
use rustix::fs::{Mode, OFlags};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::architecture;
use crate::runtime::capabilities::{Capability, UnknownCapability};
use crate::sys;

/// The largest profile that is read, in bytes; Docker's has 14 thousand.
const MAX_FILE: u64 = 1 << 20;

/// Why a profile could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("cannot read seccomp profile {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: sys::Error,
    },
    /// The text is not a profile.
    #[error("cannot parse seccomp profile")]
    Parse(#[from] serde_json::Error),
    /// Two fields exclude one another.
    #[error("seccomp profile has both \"{0}\" and \"{1}\"")]
    Both(&'static str, &'static str),
    /// An error number is given by a name that is not known.
    #[error("unknown error name \"{}\" in seccomp profile", .0.escape_debug())]
    ErrorName(String),
    /// A rule depends on something that is not a capability.
    #[error("seccomp profile depends on an unknown capability")]
    Capability(#[from] UnknownCapability),
    /// A rule depends on something that is not a kernel version.
    #[error("\"{}\" in seccomp profile is not a kernel version", .0.escape_debug())]
    KernelVersion(String),
    /// The profile wants decisions made by another program.
    #[error("seccomp profile has a listener, which is not supported")]
    Listener,
}

/// What the rules of a profile may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Host<'a> {
    /// The capabilities of the process.
    pub capabilities: &'a BTreeSet<Capability>,
    /// Major and minor version of the kernel.
    pub kernel: (u32, u32),
}

/// Reads a profile for a process with these capabilities on the running kernel.
pub fn read_profile(
    path: &Path,
    capabilities: &BTreeSet<Capability>,
) -> Result<LinuxSeccomp, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|errno| failed(sys::Error::new("open", path.display().to_string(), errno)))?;
    let text = sys::file::read_open_bounded(file.into(), path, MAX_FILE).map_err(failed)?;
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    parse_profile(&text, Host { capabilities, kernel: version(&release)? })
}

/// Reads a profile from its text, leaving out the rules that do not apply.
pub fn parse_profile(text: &[u8], host: Host<'_>) -> Result<LinuxSeccomp, Error> {
    let file: File = serde_json::from_slice(text)?;
    if file.listener_path.is_some() || file.listener_metadata.is_some() {
        return Err(Error::Listener);
    }
    let mut rules = Vec::new();
    for rule in file.syscalls {
        if rule.applies(host)? {
            rules.push(rule.into_oci()?);
        }
    }
    let mut profile = LinuxSeccomp::default();
    profile
        .set_default_action(file.default_action)
        .set_default_errno_ret(errno(file.default_errno.as_deref(), file.default_errno_ret)?)
        .set_architectures(architectures(file.architectures, file.arch_map)?)
        .set_flags(file.flags)
        .set_syscalls(Some(rules));
    Ok(profile)
}

/// Unknown fields are errors: a condition that is misspelt would make a rule unconditional.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    default_action: LinuxSeccompAction,
    default_errno_ret: Option<u32>,
    default_errno: Option<String>,
    architectures: Option<Vec<String>>,
    arch_map: Option<Vec<ArchMap>>,
    flags: Option<Vec<LinuxSeccompFilterFlag>>,
    listener_path: Option<PathBuf>,
    listener_metadata: Option<String>,
    #[serde(default)]
    syscalls: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ArchMap {
    architecture: String,
    sub_architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule {
    name: Option<String>,
    names: Option<Vec<String>>,
    action: LinuxSeccompAction,
    errno_ret: Option<u32>,
    errno: Option<String>,
    args: Option<Vec<LinuxSeccompArg>>,
    #[serde(rename = "comment")]
    _comment: Option<IgnoredAny>,
    includes: Option<Conditions>,
    excludes: Option<Conditions>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Conditions {
    caps: Option<Vec<String>>,
    arches: Option<Vec<String>>,
    min_kernel: Option<String>,
}

impl Rule {
    /// Whether all that it includes is there, and nothing that it excludes.
    fn applies(&self, host: Host<'_>) -> Result<bool, Error> {
        let hold = |conditions: &Option<Conditions>| match conditions {
            Some(conditions) => conditions.hold(host),
            None => Ok(Vec::new()),
        };
        let (included, excluded) = (hold(&self.includes)?, hold(&self.excludes)?);
        Ok(!included.contains(&false) && !excluded.contains(&true))
    }

    fn into_oci(self) -> Result<LinuxSyscall, Error> {
        let names = match (self.name, self.names) {
            (Some(_), Some(_)) => return Err(Error::Both("name", "names")),
            (Some(name), None) => vec![name],
            (None, names) => names.unwrap_or_default(),
        };
        let mut rule = LinuxSyscall::default();
        rule.set_names(names)
            .set_action(self.action)
            .set_errno_ret(errno(self.errno.as_deref(), self.errno_ret)?)
            .set_args(self.args.filter(|conditions| !conditions.is_empty()));
        Ok(rule)
    }
}

impl Conditions {
    /// Whether each of them holds.
    fn hold(&self, host: Host<'_>) -> Result<Vec<bool>, Error> {
        let mut held = Vec::new();
        for name in self.caps.iter().flatten() {
            held.push(host.capabilities.contains(&name.parse()?));
        }
        if let Some(arches) = self.arches.as_ref().filter(|arches| !arches.is_empty()) {
            held.push(arches.iter().any(|arch| arch == architecture::GO_NAME));
        }
        if let Some(minimum) = &self.min_kernel {
            held.push(host.kernel >= version(minimum)?);
        }
        Ok(held)
    }
}

/// Reads major and minor of a kernel version, whatever comes after them.
fn version(text: &str) -> Result<(u32, u32), Error> {
    let mut parts = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => Err(Error::KernelVersion(text.chars().take(80).collect())),
    }
}

/// The interfaces to filter. Those of other machines are left out.
fn architectures(
    listed: Option<Vec<String>>,
    map: Option<Vec<ArchMap>>,
) -> Result<Option<Vec<Arch>>, Error> {
    let listed = listed.filter(|names| !names.is_empty());
    let map = map.filter(|entries| !entries.is_empty());
    let names = match (listed, map) {
        (Some(_), Some(_)) => return Err(Error::Both("architectures", "archMap")),
        (Some(names), None) => names,
        (None, Some(entries)) => {
            let native = architecture::NATIVE.name.to_string();
            let entry = entries.into_iter().find(|entry| entry.architecture == native);
            let others = entry.and_then(|entry| entry.sub_architectures).unwrap_or_default();
            std::iter::once(native).chain(others).collect()
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(names.iter().filter_map(|name| name.parse().ok()).collect()))
}

/// An error number, by name (as Podman writes it) or by value.
fn errno(name: Option<&str>, number: Option<u32>) -> Result<Option<u32>, Error> {
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Ok(number);
    };
    (1..=MAX_NAMED_ERRNO)
        .find(|&number| syscalls::Errno::new(number).name() == Some(name))
        .map(|number| Some(number.unsigned_abs()))
        .ok_or_else(|| Error::ErrorName(name.chars().take(80).collect()))
}

/// The highest error number that has a name: `EHWPOISON`.
const MAX_NAMED_ERRNO: i32 = 133;

#[cfg(test)]
mod tests;
