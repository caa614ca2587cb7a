//! The network of the root: which pods are on it, what there is of it, and the steps that change
//! it. Everything that pods share (the bridge, the packet filter, kernel parameters) is changed
//! under one lock, for milliseconds.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::claims::{Claims, check_listeners, is_bridged};
use super::error::Result;
use super::observe::Snapshot;
use super::work::Work;
use super::{Engine, Error};
use crate::model::fnv::fnv1a;
use crate::model::settings::{Ipv6Setting, NetworkSettings};
use crate::model::{DesiredPod, PodName};
use crate::net::checks::{self, Finding};
use crate::net::forwarding::{Record, has_ipv6};
use crate::net::sockets::{self, Listener};
use crate::net::subnet::{choose4, choose6, overlap};
use crate::net::{self, Drift, Host, Layout, Member};
use crate::plan::{ObservedNetwork, SandboxState};
use crate::store::NetworkRow;
use crate::sys::{self, file, lock, namespace};

/// What the roots of a machine share of its network: a lock, and what to put back at last.
const SHARED: &str = "/run/tank-network";

/// The file that says which kernel parameters were changed, and for which roots. They belong to a
/// network namespace, and all roots in it share them.
fn record() -> PathBuf {
    let namespace = std::fs::metadata("/proc/self/ns/net").map_or(0, |stat| stat.ino());
    Path::new(SHARED).join(format!("{namespace}.json"))
}

/// An alias of an interface has at most 255 bytes; this leaves room for the name of a pod.
const LONGEST_OWNER: usize = 180;

/// Where ip-netns(8) looks for namespaces.
const NAMED: &str = "/run/netns";

impl Engine {
    /// Says how this machine's network should be laid out, where nothing was chosen yet.
    pub fn set_network(&self, settings: NetworkSettings) {
        // Whoever comes second read the same file.
        drop(self.network.set(settings));
    }

    /// Forgets what was said of the settings, which may be others at the next pass.
    pub fn forget_settings(&mut self) {
        drop((self.network.take(), self.unsettled.take(), self.logs.take()));
    }

    /// Leaves the network as it is, because nobody can say how it should be.
    pub fn leave_network(&self, why: &str) {
        drop(self.unsettled.set(why.to_owned()));
    }

    fn network_settings(&self) -> &NetworkSettings {
        self.network.get_or_init(NetworkSettings::default)
    }

    /// Locks what the roots of this machine share of its network. Whoever holds it does so for
    /// milliseconds.
    pub(super) fn lock_network(&self) -> Result<File> {
        file::make_dirs(Path::new(SHARED), 0o700)?;
        let file = file::open_or_create(&Path::new(SHARED).join("lock"), 0o600)?;
        lock::exclusive(&file)?;
        Ok(file)
    }

    /// The layout that belongs to a row of the database.
    pub(super) fn layout(&self, row: &NetworkRow) -> Layout {
        let root = self.directories.root.display().to_string();
        let is_long = root.len() > LONGEST_OWNER || root.contains(char::is_control);
        let owner = if is_long { self.cgroups.base() } else { &root };
        Layout {
            bridge: row.bridge.clone(),
            table: self.cgroups.base().to_owned(),
            owner: format!("tank {owner}"),
            ipv4: row.ipv4,
            // It may have been switched off since.
            ipv6: row.ipv6.filter(|_| has_ipv6()),
            mtu: self.network_settings().mtu,
        }
    }

    /// The name of the bridge where the settings give none.
    fn bridge_name(&self) -> String {
        match self.cgroups.base().strip_prefix("tank-") {
            Some(hash) => format!("tank-{}", &hash[..8]),
            None => "tank0".to_owned(),
        }
    }

    /// The name of a pod's interface on the host: the root's and the pod's name have no room in it.
    fn interface(&self, pod: &PodName) -> String {
        let name = format!("{}/{pod}", self.cgroups.base());
        let hash = fnv1a(name.as_bytes());
        format!("tank{:011x}", hash >> 20)
    }

    /// The name of a pod's namespace for ip-netns(8).
    fn named(&self, pod: &PodName) -> PathBuf {
        Path::new(NAMED).join(format!("{}-{pod}", self.cgroups.base()))
    }

    /// Shows a pod's namespace to ip-netns(8).
    pub(super) fn name_namespace(&self, pod: &PodName) -> sys::Result<()> {
        if self.is_named(pod) {
            return Ok(());
        }
        file::make_dirs(Path::new(NAMED), 0o755)?;
        // One of somebody else's stays, and the error names it.
        file::link(&self.directories.namespace(pod, "net"), &self.named(pod))
    }

    fn is_named(&self, pod: &PodName) -> bool {
        let target = self.directories.namespace(pod, "net");
        std::fs::read_link(self.named(pod)).is_ok_and(|found| found == target)
    }

    /// Takes the name away again.
    pub(super) fn unname_namespace(&self, pod: &PodName) -> Result<()> {
        if self.is_named(pod) {
            file::remove_file(&self.named(pod))?;
        }
        Ok(())
    }

    /// The network to use, where pods are to be connected: the one that was chosen, unless nobody
    /// has addresses of it and the settings or the machine's routes want another, or nobody is on
    /// it yet and the settings do.
    pub(super) fn choose_network(&self, claims: &Claims) -> Result<NetworkRow> {
        if let Some(row) = &claims.network
            && claims.any()
            && (self.postponed(&self.layout(row)).is_none() || net::view::is_there(&row.bridge)?)
        {
            return Ok(row.clone());
        }
        let routes = net::view::routes()?;
        let free = |subnet: &IpNet| !routes.iter().any(|route| overlap(*subnet, *route));
        let (settings, old) = (self.network_settings(), claims.network.as_ref());
        let uuid = self.store.read(|state| state.root_uuid())?;
        let seed = fnv1a(uuid.as_bytes());
        let ipv4: Ipv4Net = match (settings.ipv4, old.map(|row| row.ipv4)) {
            (Some(subnet), _) => subnet,
            (None, Some(subnet)) if free(&subnet.into()) => subnet,
            _ => choose4(seed, &routes)?,
        };
        let ipv6: Option<Ipv6Net> = match (settings.ipv6, old.and_then(|row| row.ipv6)) {
            (Some(Ipv6Setting::Off), _) => None,
            _ if !has_ipv6() => None,
            (Some(Ipv6Setting::Subnet(subnet)), _) => Some(subnet),
            (None, Some(subnet)) if free(&subnet.into()) => Some(subnet),
            _ => Some(choose6(seed, &routes)?),
        };
        let bridge = settings.bridge.clone().unwrap_or_else(|| self.bridge_name());
        Ok(NetworkRow { bridge, ipv4, ipv6 })
    }

    /// The pods that are on the bridge or should be, as far as they have addresses. One that ends
    /// stays on it until its namespace goes.
    fn members<'a>(
        &self,
        layout: &Layout,
        claims: &Claims,
        desired: impl IntoIterator<Item = &'a DesiredPod>,
    ) -> Vec<Member> {
        let is_there =
            |pod: &PodName| namespace::is_pinned(&self.directories.namespace(pod, "net"));
        let bridged = desired.into_iter().filter(|desired| {
            is_bridged(desired)
                || (claims.addresses(&desired.pod.name).is_some() && is_there(&desired.pod.name))
        });
        let member = |desired: &DesiredPod| {
            let pod = &desired.pod.name;
            let addresses = claims.addresses(pod).filter(|own| layout.holds(own))?;
            Some(Member {
                pod: pod.to_string(),
                interface: self.interface(pod),
                namespace: self.directories.namespace(pod, "net"),
                addresses,
                isolated: desired.pod.isolated,
                ports: claims.ports(pod).map(|(_, port)| port.clone()).collect(),
            })
        };
        bridged.filter_map(member).collect()
    }

    /// Reads from the database who is on the network.
    pub(super) fn read_members(&self) -> Result<Option<(Layout, Vec<Member>)>> {
        let (claims, desired) =
            self.store.read(|state| Ok((Claims::read(state)?, state.pods()?)))?;
        let Some(row) = &claims.network else { return Ok(None) };
        let layout = self.layout(row);
        let members = self.members(&layout, &claims, &desired);
        Ok(Some((layout, members)))
    }

    /// Looks at the network of the snapshot's pods.
    pub(super) fn observe_network(&self, snapshot: &mut Snapshot) -> Result<()> {
        let Some(row) = snapshot.claims.network.clone() else { return Ok(()) };
        let layout = self.layout(&row);
        let all = snapshot.desired.iter().chain(&snapshot.others);
        let members = self.members(&layout, &snapshot.claims, all);
        let record = record();
        let is_owner = Record::read(&record).has(&layout.owner);
        let drift = if (members.is_empty() && !is_owner) || self.unsettled.get().is_some() {
            Drift::default()
        } else {
            // What cannot be seen is no drift: a pass that has to change it will say why it cannot.
            let seen = Host::open(&layout, &record).and_then(|mut host| host.drift(&members));
            seen.inspect_err(|e| snapshot.blind = Some(super::chain(e))).unwrap_or_default()
        };
        snapshot.stale = drift.stale || (members.is_empty() && is_owner);
        for (name, pod) in &mut snapshot.observed.pods {
            let ports: Vec<_> = snapshot
                .claims
                .ports(name)
                .map(|(container, port)| (container.clone(), port.clone()))
                .collect();
            let has_interface = drift.present.iter().any(|present| present == name.as_str());
            let member = members.iter().find(|member| member.pod == name.as_str());
            let unnamed = || {
                (!self.is_named(name)).then(|| format!("{} is missing", self.named(name).display()))
            };
            let own = || drift.shared.clone().or_else(|| drift.pods.get(name.as_str()).cloned());
            let ready = pod.sandbox == SandboxState::Ready;
            pod.network = ObservedNetwork {
                connected: member.is_some(),
                open: !drift.closed.iter().any(|closed| closed == name.as_str()),
                drift: member.filter(|_| ready).and_then(|_| own().or_else(unnamed)),
                present: has_interface || !ports.is_empty(),
                ports,
            };
        }
        Ok(())
    }

    /// The network of the root with the pods on it, and how it differs from what it should be.
    /// Nothing before a pod was on it.
    pub fn inspect_network(&self) -> Result<Option<(Layout, Vec<Member>, Drift)>> {
        let Some((layout, members)) = self.read_members()? else { return Ok(None) };
        let record = record();
        let drift = Host::open(&layout, &record)?.drift(&members)?;
        Ok(Some((layout, members, drift)))
    }

    /// Checks what about this machine stands in the way of pods on the bridge.
    pub fn check_network(&self) -> Result<Vec<Finding>> {
        let known = self.read_members()?;
        let (layout, members) = match &known {
            Some((layout, members)) => (Some(layout), members.as_slice()),
            None => (None, &[][..]),
        };
        let mut findings = checks::host(layout, members, &record());
        // Who came later than the pod gets nothing: connections are the pod's.
        for listener in sockets::listeners().unwrap_or_default() {
            let published =
                |member: &&Member| member.ports.iter().any(|port| listener.conflicts(port));
            if let (Some(member), Some(process)) =
                (members.iter().find(published), listener.process())
            {
                let detail = format!(
                    "{process} listens on port {}, which pod {} publishes, and hears nothing",
                    listener.port, member.pod
                );
                findings.push(Finding::warning("ports", detail, "give one of them another port"));
            }
        }
        if let Some(wanted) = layout.and_then(|layout| self.postponed(layout)) {
            let advice = "it takes effect when no pod has an address any more";
            let detail =
                format!("config.toml wants another network than the pods are on: {wanted}");
            findings.push(Finding::warning("settings", detail, advice));
        }
        Ok(findings)
    }

    /// What the settings want of the network and pods keep them from.
    fn postponed(&self, layout: &Layout) -> Option<String> {
        let settings = self.network_settings();
        let bridge = settings.bridge.clone().filter(|name| *name != layout.bridge);
        let ipv4 = settings.ipv4.filter(|subnet| *subnet != layout.ipv4).map(|s| s.to_string());
        let ipv6 = match settings.ipv6 {
            Some(Ipv6Setting::Off) if layout.ipv6.is_some() => Some("no IPv6".to_owned()),
            Some(Ipv6Setting::Subnet(subnet)) if layout.ipv6 != Some(subnet) => {
                Some(subnet.to_string())
            }
            _ => None,
        };
        let all: Vec<_> = [bridge, ipv4, ipv6].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// Joins a pod to the bridge.
    pub(super) fn connect(&self, work: &Work) -> Result<()> {
        let pod = &work.lane.pod;
        self.name_namespace(pod)?;
        let _lock = self.lock_network()?;
        let Some((layout, members)) = self.read_members()? else { return Ok(()) };
        let Some(member) = members.iter().find(|member| member.pod == pod.as_str()) else {
            return Ok(());
        };
        let record = record();
        Ok(Host::open(&layout, &record)?.connect(member, &members)?)
    }

    /// Takes away what belongs to no pod any more, after the database says so.
    pub(super) fn sweep_network(&self) -> Result<()> {
        let _lock = self.lock_network()?;
        let Some((layout, members)) = self.read_members()? else { return Ok(()) };
        let record = record();
        Ok(Host::open(&layout, &record)?.sweep(&members)?)
    }
}

/// What pods that are to be connected can have, as far as it is known before the database is asked.
#[derive(Debug, Default)]
pub(super) struct Connecting {
    /// The network that had been chosen when it was looked.
    pub(super) known: Option<NetworkRow>,
    /// The network they will be on; nothing if none is to be connected.
    pub(super) row: Option<NetworkRow>,
    /// Those that cannot be, and why.
    pub(super) refused: BTreeMap<PodName, Error>,
}

impl Engine {
    /// Looks for what would keep pods from being connected: a machine without a free subnet, and
    /// programs that listen on their ports.
    pub(super) fn prepare_connections(&self, claims: &Claims, works: &[Work]) -> Connecting {
        let mut connecting = Connecting { known: claims.network.clone(), ..Connecting::default() };
        let wanted = || works.iter().filter_map(Work::to_be_connected);
        if wanted().next().is_none() {
            return connecting;
        }
        let settled = match self.unsettled.get() {
            Some(why) => Err(Error::Unsettled(why.clone())),
            None => self.choose_network(claims),
        };
        match settled {
            Ok(row) => connecting.row = Some(row),
            Err(error) => {
                let source = Arc::new(error);
                for desired in wanted() {
                    let refusal = Error::NoNetwork(Arc::clone(&source));
                    connecting.refused.insert(desired.pod.name.clone(), refusal);
                }
                return connecting;
            }
        }
        let mut listeners = None;
        for work in works {
            let Some(desired) = work.to_be_connected() else { continue };
            let owner = |listener: &Listener| self.other_owner(work, listener);
            if let Err(error) = check_listeners(claims, desired, &mut listeners, owner) {
                connecting.refused.insert(desired.pod.name.clone(), error);
            }
        }
        connecting
    }

    /// Whose a socket is, unless it is the pod's own, on the host's network until now, and goes
    /// before the pod is connected.
    fn other_owner(&self, work: &Work, listener: &Listener) -> Option<String> {
        let Some(process) = listener.process() else {
            return Some("a process that cannot be seen".to_owned());
        };
        let cgroups = file::read_proc(&format!("/proc/{}/cgroup", process.pid)).unwrap_or_default();
        let pods = format!("/{}/pods/", self.cgroups.base());
        let pod = cgroups.split_once(&pods).and_then(|(_, rest)| rest.split('/').next());
        match pod {
            Some(pod) if pod == work.lane.pod.as_str() && work.lane.stops() => None,
            Some(pod) => Some(format!("pod {pod}, {process}")),
            None => Some(process.to_string()),
        }
    }
}
