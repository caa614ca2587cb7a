//! The kernel parameters that let packets pass between the bridge and the rest of the machine.
//!
//! A machine that forwards for its pods should not become a router between its other interfaces.
//! Forwarding is therefore turned on for single interfaces where the kernel can do so (IPv4, and
//! IPv6 from Linux 6.17 on), and the packet filter drops what would go from one of them to another.
//! Where the administrator has turned it on for everything, nothing is changed and nothing dropped.
//!
//! What was changed is written down first, in one record for all roots of the machine, and put back
//! when the last pod of the last of them is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::Result;
use super::layout::{Layout, Member, OWNER};
use super::link::Link;
use crate::model::pod::Port;
use crate::sys::file::{self, Durability};

/// Where kernel parameters are: proc_sys(5).
const PROC: &str = "/proc/sys/net";

/// A record has a line for each interface.
const MAX_RECORD: u64 = 1 << 20;

/// What the kernel should do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Forwarding {
    settings: Vec<Setting>,
    /// Interfaces between which nothing of IPv4 may pass.
    pub(super) guarded4: Vec<String>,
    /// Interfaces between which nothing of IPv6 may pass.
    pub(super) guarded6: Vec<String>,
}

/// A kernel parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    /// Where it is below [`PROC`].
    path: String,
    value: &'static str,
    /// Whether it is still there when the bridge is gone.
    lasting: bool,
}

/// The parameters that were changed, each with the value it had and the value it got, and the roots
/// that need them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    changed: BTreeMap<String, (String, String)>,
    owners: BTreeSet<String>,
}

impl Record {
    /// Reads what was written down; nothing where nothing was.
    pub fn read(path: &Path) -> Self {
        let bytes = file::read_bounded(path, MAX_RECORD).unwrap_or_default();
        let mut record: Self = serde_json::from_slice(&bytes).unwrap_or_default();
        record.owners.retain(|owner| is_there(owner));
        record
    }

    fn write(&self, path: &Path) -> Result<()> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Ok(file::replace(path, &bytes, 0o600, Durability::Volatile)?)
    }

    /// Whether a root may have something of the network on this machine.
    pub fn has(&self, owner: &str) -> bool {
        self.owners.contains(owner)
    }

    /// A root needs nothing any more. After the last one, everything is put back that still has
    /// the value it got.
    pub(super) fn restore(mut self, owner: &str, path: &Path) -> Result<()> {
        self.owners.remove(owner);
        if !self.owners.is_empty() {
            return self.write(path);
        }
        // Since then somebody may have come to need forwarding everywhere.
        let everywhere = |switch: &str| {
            !self.changed.contains_key(switch) && get(switch).as_deref() == Some("1")
        };
        let (v4, v6) = (everywhere("ipv4/ip_forward"), everywhere(ALL6));
        for (name, (before, after)) in &self.changed {
            let needed = if name.starts_with("ipv4/") { v4 } else { v6 };
            let forwards = name.ends_with("forwarding");
            if get(name).as_deref() == Some(after) && !(needed && forwards) {
                set(name, before)?;
            }
        }
        Ok(file::remove_file(path)?)
    }
}

/// Whether the root that an owner names is still there: one that somebody has removed by hand, and
/// one of a namespace that had the same number before, needs nothing.
fn is_there(owner: &str) -> bool {
    let root = Path::new(owner.strip_prefix(OWNER).unwrap_or(owner));
    !root.is_absolute() || root.exists()
}

/// The switch of IPv6 for all interfaces.
const ALL6: &str = "ipv6/conf/all/forwarding";

impl Forwarding {
    /// What a machine with these interfaces, of which `uplink` leads to the world outside, needs for
    /// these pods.
    pub(super) fn wanted(
        layout: &Layout,
        members: &[Member],
        links: &[Link],
        uplink: Option<u32>,
        record: &Record,
    ) -> Self {
        let bridge = &layout.bridge;
        let mut wanted = Self::default();
        // Connections from 127.0.0.1 to published ports leave by the bridge. Without the rule of
        // the packet filter that goes with it, pods could reach the loopback interface: where
        // there are no such ports, nothing is opened.
        let local = members.iter().flat_map(|member| &member.ports).any(is_local);
        let local = if local { "1" } else { "0" };
        wanted.of_bridge(format!("ipv4/conf/{bridge}/route_localnet"), local);
        wanted.of_bridge(format!("ipv4/conf/{bridge}/forwarding"), "1");
        let uplinks = || links.iter().filter(|link| is_uplink(layout, link, uplink));
        // What others have turned on they want to be a router for.
        let is_own =
            |path: &str| record.changed.contains_key(path) || get(path) == Some("0".into());
        if get("ipv4/ip_forward").as_deref() != Some("1") {
            for link in uplinks() {
                let path = format!("ipv4/conf/{}/forwarding", link.name);
                if is_own(&path) {
                    wanted.guarded4.push(link.name.clone());
                    wanted.lasting(path, "1");
                }
            }
        }
        if layout.ipv6.is_none() {
            return wanted;
        }
        wanted.of_bridge(format!("ipv6/conf/{bridge}/disable_ipv6"), "0");
        wanted.of_bridge(format!("ipv6/conf/{bridge}/accept_ra"), "0");
        // Nobody else can have its address, and until it had made sure of that, no packet from
        // outside would find a pod.
        wanted.of_bridge(format!("ipv6/conf/{bridge}/accept_dad"), "0");
        if get(ALL6).as_deref() == Some("1") && !record.changed.contains_key(ALL6) {
            return wanted;
        }
        let singly = get("ipv6/conf/all/force_forwarding").is_some();
        if singly {
            wanted.of_bridge(format!("ipv6/conf/{bridge}/force_forwarding"), "1");
        }
        for link in uplinks() {
            if singly {
                let path = format!("ipv6/conf/{}/force_forwarding", link.name);
                if !is_own(&path) {
                    continue;
                }
                wanted.lasting(path, "1");
            } else if get(&format!("ipv6/conf/{}/accept_ra", link.name)).as_deref() == Some("1") {
                // A machine that forwards would stop to listen to its own router.
                wanted.lasting(format!("ipv6/conf/{}/accept_ra", link.name), "2");
            }
            wanted.guarded6.push(link.name.clone());
        }
        if !singly {
            wanted.lasting(ALL6.to_owned(), "1");
        }
        wanted
    }

    fn of_bridge(&mut self, path: String, value: &'static str) {
        self.settings.push(Setting { path, value, lasting: false });
    }

    fn lasting(&mut self, path: String, value: &'static str) {
        self.settings.push(Setting { path, value, lasting: true });
    }

    /// The first parameter that is not as it should be.
    pub(super) fn drift(&self) -> Option<String> {
        self.differing().next().map(|setting| {
            let name = setting.path.replace('/', ".");
            format!("net.{name} is not {}", setting.value)
        })
    }

    fn differing(&self) -> impl Iterator<Item = &Setting> {
        self.settings
            .iter()
            .filter(|setting| get(&setting.path).is_some_and(|value| value != setting.value))
    }

    /// Sets what is not as it should be, after writing down what lasts.
    pub(super) fn apply(&self, owner: &str, path: &Path) -> Result<()> {
        let differing: Vec<_> = self.differing().collect();
        let before = Record::read(path);
        let mut record = before.clone();
        record.owners.insert(owner.to_owned());
        for setting in differing.iter().filter(|setting| setting.lasting) {
            let before = get(&setting.path).unwrap_or_default();
            let after = setting.value.to_owned();
            record.changed.entry(setting.path.clone()).or_insert((before, after));
        }
        if record != before {
            record.write(path)?;
        }
        differing.into_iter().try_for_each(|setting| set(&setting.path, setting.value))
    }
}

/// Whether a port is published on the IPv4 loopback address.
fn is_local(port: &Port) -> bool {
    port.bound().iter().any(|address| match address {
        IpAddr::V4(address) => address.is_unspecified() || address.is_loopback(),
        IpAddr::V6(_) => false,
    })
}

/// Whether the machine may reach others by this interface, or others the machine. A bridge is
/// somebody's network of its own, unless the default route leads by it.
fn is_uplink(layout: &Layout, link: &Link, uplink: Option<u32>) -> bool {
    let of_tank = link.name == layout.bridge || link.alias.starts_with(OWNER);
    let is_outside = !link.is_bridge || Some(link.index) == uplink;
    link.is_up && !link.is_loopback && link.master.is_none() && !of_tank && is_outside
}

/// Whether the kernel has IPv6 at all.
pub fn has_ipv6() -> bool {
    get("ipv6/conf/all/disable_ipv6").as_deref() == Some("0")
}

/// The value of a parameter; nothing if there is no such one.
pub(super) fn get(path: &str) -> Option<String> {
    let text = file::read_proc(&format!("{PROC}/{path}")).ok()?;
    Some(text.trim_end().to_owned())
}

/// Sets a parameter. One of an interface that is gone is fine.
pub(super) fn set(path: &str, value: &str) -> Result<()> {
    match file::write_proc(&PathBuf::from(PROC).join(path), value) {
        Err(e) if !e.is_not_found() => Err(e.into()),
        _ => Ok(()),
    }
}
