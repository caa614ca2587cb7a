//! Resource limits of a process. See getrlimit(2).

use std::collections::BTreeMap;

use oci_spec::runtime::{PosixRlimit, PosixRlimitBuilder, PosixRlimitType};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::model::pod::Ulimit;
use crate::sys;

/// Every limit: its name in a pod file, in the OCI runtime specification, and to the kernel.
const LIMITS: [(&str, PosixRlimitType, Resource); 16] = [
    ("as", PosixRlimitType::RlimitAs, Resource::As),
    ("core", PosixRlimitType::RlimitCore, Resource::Core),
    ("cpu", PosixRlimitType::RlimitCpu, Resource::Cpu),
    ("data", PosixRlimitType::RlimitData, Resource::Data),
    ("fsize", PosixRlimitType::RlimitFsize, Resource::Fsize),
    ("locks", PosixRlimitType::RlimitLocks, Resource::Locks),
    ("memlock", PosixRlimitType::RlimitMemlock, Resource::Memlock),
    ("msgqueue", PosixRlimitType::RlimitMsgqueue, Resource::Msgqueue),
    ("nice", PosixRlimitType::RlimitNice, Resource::Nice),
    ("nofile", PosixRlimitType::RlimitNofile, Resource::Nofile),
    ("nproc", PosixRlimitType::RlimitNproc, Resource::Nproc),
    ("rss", PosixRlimitType::RlimitRss, Resource::Rss),
    ("rtprio", PosixRlimitType::RlimitRtprio, Resource::Rtprio),
    ("rttime", PosixRlimitType::RlimitRttime, Resource::Rttime),
    ("sigpending", PosixRlimitType::RlimitSigpending, Resource::Sigpending),
    ("stack", PosixRlimitType::RlimitStack, Resource::Stack),
];

/// The default soft limit on open files: what select(2) can take.
const NOFILE_SOFT: u64 = 1024;

/// The default hard limit on open files, as systemd gives its services. A higher one makes
/// programs slow that close or scan every possible descriptor.
const NOFILE_HARD: u64 = 524_288;

/// How the OCI runtime specification writes "unlimited".
const UNLIMITED: u64 = u64::MAX;

/// A name that no limit has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown limit \"{}\"", .0.escape_debug())]
pub struct UnknownLimit(pub String);

/// The hard limits of the calling process that the defaults depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLimits {
    /// Of open files; [`u64::MAX`] is unlimited.
    pub nofile: u64,
    /// Of the size of a core dump, in bytes; [`u64::MAX`] is unlimited.
    pub core: u64,
}

impl HostLimits {
    /// Reads them.
    pub fn read() -> Self {
        let hard = |resource| getrlimit(resource).maximum.unwrap_or(UNLIMITED);
        Self { nofile: hard(Resource::Nofile), core: hard(Resource::Core) }
    }
}

/// The limits of a container: those that were stated, by their name in lower case without
/// `RLIMIT_`, over the defaults.
///
/// By default a program may open 1024 files and raise that to 524288, or to what the host allows
/// if that is less, and leaves no core dump unless it raises that limit itself (the dump of a
/// container would land where the host's `core_pattern` says). All others are inherited.
pub fn limits(
    stated: &BTreeMap<String, Ulimit>,
    host: HostLimits,
) -> Result<Vec<PosixRlimit>, UnknownLimit> {
    let hard = host.nofile.min(NOFILE_HARD);
    let mut limits = BTreeMap::from([
        ("core", limit(PosixRlimitType::RlimitCore, 0, host.core)),
        ("nofile", limit(PosixRlimitType::RlimitNofile, hard.min(NOFILE_SOFT), hard)),
    ]);
    for (name, value) in stated {
        let (name, kind, _) = LIMITS
            .iter()
            .find(|(known, ..)| known == name)
            .ok_or_else(|| UnknownLimit(name.clone()))?;
        let (soft, hard) = (value.soft.unwrap_or(UNLIMITED), value.hard.unwrap_or(UNLIMITED));
        limits.insert(name, limit(*kind, soft, hard));
    }
    Ok(limits.into_values().collect())
}

fn limit(kind: PosixRlimitType, soft: u64, hard: u64) -> PosixRlimit {
    PosixRlimitBuilder::default()
        .typ(kind)
        .soft(soft)
        .hard(hard)
        .build()
        .expect("every field of the builder has a default")
}

/// Applies limits to the calling process.
///
/// Where the host does not let it raise one (`EPERM`: no `CAP_SYS_RESOURCE`, or more open files
/// than `fs.nr_open`), the highest that is allowed is set, and noted for people.
pub fn apply(limits: &[PosixRlimit]) -> sys::Result<Vec<String>> {
    let mut notes = Vec::new();
    for wanted in limits {
        let (name, resource) = kernel_name(wanted.typ());
        let wanted = Rlimit { current: finite(wanted.soft()), maximum: finite(wanted.hard()) };
        let failed = |errno| sys::Error::new("setrlimit", name, errno);
        match setrlimit(resource, wanted) {
            Ok(()) => {}
            Err(Errno::PERM) => {
                let allowed = getrlimit(resource).maximum.unwrap_or(UNLIMITED);
                let clip = |value: Option<u64>| finite(value.unwrap_or(UNLIMITED).min(allowed));
                let clipped =
                    Rlimit { current: clip(wanted.current), maximum: clip(wanted.maximum) };
                setrlimit(resource, clipped).map_err(failed)?;
                notes.push(format!("the host does not allow more than {allowed} for limit {name}"));
            }
            Err(errno) => return Err(failed(errno)),
        }
    }
    Ok(notes)
}

fn kernel_name(kind: PosixRlimitType) -> (&'static str, Resource) {
    LIMITS
        .iter()
        .find(|(_, known, _)| *known == kind)
        .map(|(name, _, resource)| (*name, *resource))
        .unwrap_or_else(|| unreachable!("the table has every limit of the specification"))
}

fn finite(value: u64) -> Option<u64> {
    (value != UNLIMITED).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: HostLimits = HostLimits { nofile: 20_000, core: UNLIMITED };

    #[test]
    fn every_limit_of_the_specification_is_known() {
        for number in 0..16 {
            assert_eq!(
                LIMITS.iter().filter(|(.., resource)| *resource as u32 == number).count(),
                1
            );
        }
        for (name, kind, _) in LIMITS {
            assert_eq!(kind.to_string(), format!("RLIMIT_{}", name.to_uppercase()));
            assert_eq!(kernel_name(kind).0, name);
        }
    }

    #[test]
    fn defaults_do_not_exceed_the_host() {
        let of = |host| limits(&BTreeMap::new(), host).unwrap();
        let nofile = |soft, hard| limit(PosixRlimitType::RlimitNofile, soft, hard);
        assert_eq!(of(HOST)[1], nofile(1024, 20_000));
        assert_eq!(of(HostLimits { nofile: UNLIMITED, ..HOST })[1], nofile(1024, 524_288));
        assert_eq!(of(HostLimits { nofile: 512, ..HOST })[1], nofile(512, 512));
        assert_eq!(of(HOST)[0], limit(PosixRlimitType::RlimitCore, 0, UNLIMITED));
    }

    #[test]
    fn stated_limits_replace_defaults() {
        let stated =
            |name: &str| BTreeMap::from([(name.to_owned(), Ulimit { soft: Some(7), hard: None })]);
        let result = limits(&stated("nofile"), HOST).unwrap();
        assert_eq!(result.len(), 2);
        assert_eq!(result[1], limit(PosixRlimitType::RlimitNofile, 7, UNLIMITED));
        for name in ["NOFILE", "RLIMIT_NOFILE", "", "nofiles"] {
            assert_eq!(limits(&stated(name), HOST), Err(UnknownLimit(name.into())));
        }
    }
}
