//! Capabilities: their names, and which of them a container gets. See capabilities(7).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use oci_spec::runtime as oci;

use crate::model::capability::{ALL, NAMES};
use crate::sys::credentials::CapabilityMask;

/// What a container gets unasked: Podman's eleven. Next to Docker's it lacks MKNOD, NET_RAW and
/// AUDIT_WRITE; ping works without NET_RAW through `net.ipv4.ping_group_range`.
const DEFAULTS: [&str; 11] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// A capability that tank knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(u8);

/// A name that no capability has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown capability \"{}\"", .0.escape_debug())]
pub struct UnknownCapability(pub String);

impl Capability {
    /// Every capability, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        (0u8..).zip(NAMES).map(|(number, _)| Self(number))
    }

    /// Its name without `CAP_`, in upper case.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }

    /// The set that has only this one.
    pub fn mask(self) -> CapabilityMask {
        1 << self.0
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads a name with or without `CAP_`, in upper or lower case.
impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(text: &str) -> Result<Self, UnknownCapability> {
        let name = text.to_ascii_uppercase();
        let name = name.strip_prefix("CAP_").unwrap_or(&name);
        Self::all()
            .find(|capability| capability.name() == name)
            .ok_or_else(|| UnknownCapability(text.to_owned()))
    }
}

impl From<oci::Capability> for Capability {
    fn from(capability: oci::Capability) -> Self {
        let name = capability.to_string();
        name.parse().unwrap_or_else(|_| unreachable!("a test converts every OCI capability"))
    }
}

impl From<Capability> for oci::Capability {
    fn from(capability: Capability) -> Self {
        let name = capability.name();
        name.parse().unwrap_or_else(|_| unreachable!("a test converts every OCI capability"))
    }
}

/// The capabilities of a container, with what had to be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// What the container gets.
    pub capabilities: BTreeSet<Capability>,
    /// What was asked for by name and cannot be had on this host, for people.
    pub notes: Vec<String>,
}

/// Takes `drop` from the defaults, then adds `add`; `ALL` stands for every capability in either.
///
/// Only what is in `available` (the [bounding set](crate::sys::credentials::bounding_set) of tank's own
/// process) can be given: one that is missing there is noted if it was asked for by name, and
/// silently left out of `ALL` and of the defaults.
pub fn resolve<'a>(
    add: impl IntoIterator<Item = &'a str>,
    drop: impl IntoIterator<Item = &'a str>,
    available: CapabilityMask,
) -> Result<Resolved, UnknownCapability> {
    let is_available = |capability: &Capability| available & capability.mask() != 0;
    let mut wanted =
        DEFAULTS.iter().map(|name| name.parse()).collect::<Result<BTreeSet<_>, _>>()?;
    for name in drop {
        match name {
            ALL => wanted.clear(),
            name => drop_one(&mut wanted, name)?,
        }
    }
    let mut notes = Vec::new();
    for name in add {
        if name == ALL {
            wanted.extend(Capability::all());
            continue;
        }
        let capability: Capability = name.parse()?;
        wanted.insert(capability);
        if !is_available(&capability) {
            notes.push(format!("capability {capability} is not available on this host"));
        }
    }
    wanted.retain(is_available);
    Ok(Resolved { capabilities: wanted, notes })
}

fn drop_one(wanted: &mut BTreeSet<Capability>, name: &str) -> Result<(), UnknownCapability> {
    wanted.remove(&name.parse()?);
    Ok(())
}

/// The bits of a set.
pub fn mask<C: Into<Capability>>(set: impl IntoIterator<Item = C>) -> CapabilityMask {
    set.into_iter().fold(0, |mask, capability| mask | capability.into().mask())
}

/// The five sets of the OCI runtime specification: bounding, permitted and effective are
/// `capabilities`, inheritable and ambient are always empty (CVE-2022-24769 and its kin).
pub fn to_oci(capabilities: &BTreeSet<Capability>) -> oci::LinuxCapabilities {
    let set = || capabilities.iter().map(|&capability| capability.into()).collect();
    let mut sets = oci::LinuxCapabilities::default();
    sets.set_bounding(Some(set()))
        .set_permitted(Some(set()))
        .set_effective(Some(set()))
        .set_inheritable(Some(oci::Capabilities::new()))
        .set_ambient(Some(oci::Capabilities::new()));
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(resolved: &Resolved) -> Vec<&str> {
        resolved.capabilities.iter().map(|capability| capability.name()).collect()
    }

    #[test]
    fn every_capability_converts_to_oci_and_back() {
        assert_eq!(Capability::all().count(), NAMES.len());
        for capability in Capability::all() {
            assert_eq!(Capability::from(oci::Capability::from(capability)), capability);
            let flag: caps::Capability = format!("CAP_{capability}").parse().unwrap();
            assert_eq!(flag.bitmask(), capability.mask(), "{capability}");
        }
    }

    #[test]
    fn drop_comes_before_add() {
        let resolve = |add: &[&'static str], drop: &[&'static str]| {
            resolve(add.iter().copied(), drop.iter().copied(), u64::MAX).unwrap()
        };
        assert_eq!(resolve(&[], &[]).capabilities.len(), 11);
        assert_eq!(names(&resolve(&["NET_RAW"], &["ALL"])), ["NET_RAW"]);
        assert_eq!(names(&resolve(&["cap_net_raw"], &["ALL"])), ["NET_RAW"]);
        assert_eq!(resolve(&["ALL"], &["KILL"]).capabilities.len(), 41);
        assert_eq!(resolve(&[], &["KILL", "CHOWN"]).capabilities.len(), 9);
    }

    #[test]
    fn what_the_host_lacks_is_noted_when_it_was_named() {
        let lacking = !"SYS_RESOURCE".parse::<Capability>().unwrap().mask();
        let named = resolve(["SYS_RESOURCE"], [], lacking).unwrap();
        assert_eq!((named.capabilities.len(), named.notes.len()), (11, 1));
        let all = resolve(["ALL"], [], lacking).unwrap();
        assert_eq!((all.capabilities.len(), all.notes.len()), (40, 0));
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        for name in ["NET_RAWX", "", "all\n", "CAP_CAP_KILL"] {
            assert_eq!(resolve([name], [], 0), Err(UnknownCapability(name.into())));
            assert_eq!(resolve([], [name], 0), Err(UnknownCapability(name.into())));
        }
    }

    #[test]
    fn the_inheritable_and_ambient_sets_are_empty() {
        let sets = to_oci(&resolve(["ALL"], [], u64::MAX).unwrap().capabilities);
        assert_eq!(sets.bounding().as_ref().unwrap().len(), 41);
        assert!(sets.inheritable().as_ref().unwrap().is_empty());
        assert!(sets.ambient().as_ref().unwrap().is_empty());
    }
}
