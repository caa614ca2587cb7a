//! What a process in a container is allowed to be. Main processes, `exec` and probes all become
//! what they are through this one builder, so that none of them is weaker than the others.
//!
//! It runs in the process itself, which has one thread, after its root was changed, in this order:
//!
//! 1. by the caller: descriptors, a first `chdir` (as root), owner of the standard streams;
//! 2. [`prepare`](Credentials::prepare), while there is privilege: no dumps or tracing, resource
//!    limits, OOM score, processors, a session keyring of its own, umask, bounding set, groups
//!    (always), group, user;
//! 3. by the caller: a second `chdir` (as the user) if the first was refused, the check of the
//!    working directory, and the parent death signal, which changing the user has cleared;
//! 4. [`seal`](Credentials::seal), last before `execve`: signals, capabilities, no_new_privs and
//!    the system call filter. The filter is the very last step, except that without no_new_privs
//!    only a process with `CAP_SYS_ADMIN` may install one, so that it then comes before the
//!    capabilities are given up.

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;

use oci_spec::runtime::{LinuxCapabilities, PosixRlimit, Process};
use serde::{Deserialize, Serialize};

use super::capabilities::mask;
use super::rlimit;
use super::seccomp::Program;
use crate::sys;
use crate::sys::credentials::{self as own, CapabilityMask};

/// The file mode creation mask of a container whose spec has none.
const DEFAULT_UMASK: u32 = 0o022;

/// Everything that a process is to become.
#[derive(Debug, Clone)]
pub struct Credentials {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
    umask: u32,
    bounding: CapabilityMask,
    permitted: CapabilityMask,
    effective: CapabilityMask,
    /// Of the spec; neither set is ever granted.
    inheritable_or_ambient: CapabilityMask,
    no_new_privileges: bool,
    limits: Vec<PosixRlimit>,
    oom_score_adj: Option<i32>,
    filter: Option<Program>,
}

/// A step that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Keeping others from tracing the process until it executes its program.
    Undumpable,
    /// Resource limits.
    Limits,
    /// The OOM score.
    OomScore,
    /// The session keyring.
    Keyring,
    /// The bounding set.
    BoundingSet,
    /// Keeping capabilities while the user changes.
    KeepCapabilities,
    /// Supplementary groups.
    Groups,
    /// The group.
    Group,
    /// The user.
    User,
    /// Signal dispositions and mask.
    Signals,
    /// The permitted, effective and inheritable capabilities.
    Capabilities,
    /// no_new_privs.
    NoNewPrivileges,
    /// The system call filter.
    Filter,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Undumpable => "make the process undumpable",
            Self::Limits => "set resource limits",
            Self::OomScore => "set the OOM score",
            Self::Keyring => "join a new session keyring",
            Self::BoundingSet => "limit the bounding set",
            Self::KeepCapabilities => "keep capabilities over the change of user",
            Self::Groups => "set supplementary groups",
            Self::Group => "set the group",
            Self::User => "set the user",
            Self::Signals => "reset signals",
            Self::Capabilities => "set capabilities",
            Self::NoNewPrivileges => "set no_new_privs",
            Self::Filter => "install the system call filter",
        })
    }
}

/// A step that failed. The process must end: it is neither what it was nor what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {step}")]
pub struct Error {
    /// The step.
    pub step: Step,
    /// What failed.
    #[source]
    pub source: sys::Error,
}

/// Says which step an error of a system call belongs to.
trait During<T> {
    fn during(self, step: Step) -> Result<T, Error>;
}

impl<T> During<T> for sys::Result<T> {
    fn during(self, step: Step) -> Result<T, Error> {
        self.map_err(|source| Error { step, source })
    }
}

impl Credentials {
    /// Takes what concerns credentials out of the spec of a process. Capability sets that the spec
    /// does not have are empty, and so is the inheritable one whatever the spec says.
    pub fn new(process: &Process, filter: Option<Program>) -> Self {
        let user = process.user();
        let additional = user.additional_gids().iter().flatten().copied();
        let groups = additional.chain([user.gid()]).collect::<BTreeSet<_>>();
        let sets = process.capabilities().as_ref();
        let set = |get: fn(&LinuxCapabilities) -> &Option<_>| {
            mask(sets.and_then(|sets| get(sets).as_ref()).into_iter().flatten().copied())
        };
        Self {
            uid: user.uid(),
            gid: user.gid(),
            groups: groups.into_iter().collect(),
            umask: user.umask().unwrap_or(DEFAULT_UMASK),
            bounding: set(LinuxCapabilities::bounding),
            permitted: set(LinuxCapabilities::permitted),
            effective: set(LinuxCapabilities::effective),
            inheritable_or_ambient: set(LinuxCapabilities::inheritable)
                | set(LinuxCapabilities::ambient),
            no_new_privileges: process.no_new_privileges().unwrap_or(false),
            limits: process.rlimits().clone().unwrap_or_default(),
            oom_score_adj: process.oom_score_adj(),
            filter,
        }
    }

    /// Does what needs privilege, up to and including the change of user, which clears the
    /// effective capabilities and the parent death signal.
    ///
    /// `oom_score_adj` is the process's own `/proc/self/oom_score_adj`, opened by itself. Returns
    /// what the host refused and the process can do without, for people.
    pub fn prepare(&self, oom_score_adj: Option<BorrowedFd<'_>>) -> Result<Vec<String>, Error> {
        own::set_undumpable().during(Step::Undumpable)?;
        let mut notes = rlimit::apply(&self.limits).during(Step::Limits)?;
        notes.extend(self.set_oom_score(oom_score_adj)?);
        if let Err(error) = own::reset_affinity() {
            notes.push(format!("the process stays on the processors of its parent: {error}"));
        }
        notes.extend(join_new_keyring()?);
        if self.inheritable_or_ambient != 0 {
            notes.push("inheritable and ambient capabilities are never granted".to_owned());
        }
        own::set_umask(self.umask);
        own::limit_bounding_set(self.bounding).during(Step::BoundingSet)?;
        own::set_keep_capabilities(true).during(Step::KeepCapabilities)?;
        own::set_groups(&self.groups).during(Step::Groups)?;
        own::set_group(self.gid).during(Step::Group)?;
        own::set_user(self.uid).during(Step::User)?;
        own::set_keep_capabilities(false).during(Step::KeepCapabilities)?;
        // Changing the user has set this to the host's fs.suid_dumpable, which may allow it.
        own::set_undumpable().during(Step::Undumpable)?;
        Ok(notes)
    }

    /// Gives up the capabilities already that neither the program will have nor
    /// [`seal`](Self::seal) needs: without no_new_privs, that needs them all.
    pub fn reduce(&self) -> Result<(), Error> {
        if !self.no_new_privileges {
            return Ok(());
        }
        own::set_capabilities(self.effective, self.permitted).during(Step::Capabilities)
    }

    /// Gives up everything that is left to give up. Only `execve` should follow.
    pub fn seal(&self) -> Result<(), Error> {
        own::reset_signals().during(Step::Signals)?;
        self.confine()
    }

    /// As [`seal`](Self::seal), for a process that goes on and minds its signals itself.
    pub fn confine(&self) -> Result<(), Error> {
        own::raise_effective().during(Step::Capabilities)?;
        if !self.no_new_privileges {
            self.install_filter()?;
        }
        own::set_capabilities(self.effective, self.permitted).during(Step::Capabilities)?;
        if self.no_new_privileges {
            own::set_no_new_privileges().during(Step::NoNewPrivileges)?;
            self.install_filter()?;
        }
        Ok(())
    }

    fn install_filter(&self) -> Result<(), Error> {
        match &self.filter {
            Some(program) => {
                sys::seccomp::install(&program.instructions, program.flags).during(Step::Filter)
            }
            None => Ok(()),
        }
    }

    fn set_oom_score(&self, file: Option<BorrowedFd<'_>>) -> Result<Option<String>, Error> {
        let Some(score) = self.oom_score_adj else {
            return Ok(None);
        };
        let Some(file) = file else {
            return Ok(Some(format!("OOM score {score} was not set: /proc is not available")));
        };
        use rustix::io::Errno;
        match rustix::io::write(file, score.to_string().as_bytes()) {
            Ok(_) => Ok(None),
            // Lowering it takes CAP_SYS_RESOURCE.
            Err(Errno::ACCESS | Errno::PERM) => {
                Ok(Some(format!("the host does not allow OOM score {score}")))
            }
            Err(errno) => {
                Err(sys::Error::new("write", "oom_score_adj", errno)).during(Step::OomScore)
            }
        }
    }
}

/// Joins a keyring of its own, or says why the host did not let it. Without the call there are no
/// keys either.
fn join_new_keyring() -> Result<Option<String>, Error> {
    match own::join_new_keyring() {
        Ok(()) => Ok(None),
        Err(error) if error.is(libc::ENOSYS) => Ok(None),
        Err(error) if [libc::EDQUOT, libc::EACCES, libc::EPERM].contains(&error.errno()) => {
            Ok(Some(format!("the process keeps the session keyring of its parent: {error}")))
        }
        Err(error) => Err(error).during(Step::Keyring),
    }
}

#[cfg(test)]
mod tests;
