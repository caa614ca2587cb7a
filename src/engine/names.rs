//! The files by which containers find each other: `/etc/hosts` and `/etc/resolv.conf`. They are
//! written when a container starts, and kept as they should be by every pass, in place: a
//! container sees the file, not its name.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::claims::Claims;
use super::error::Result;
use super::{Engine, InstancePlace};
use crate::model::pod::Network;
use crate::model::{InstanceId, Pod, PodName, State};
use crate::net::names::{Named, Resolvers, Wishes, pod_lines, resolv_conf};
use crate::runtime::start::EtcFiles;
use crate::sys::file;

/// The loopback interface's own names.
const LOOPBACK: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

/// No managed file is longer.
const MAX_FILE: u64 = 16 << 20;

/// What all of these files are made from.
#[derive(Debug)]
pub(super) struct Names {
    claims: Claims,
    pods: String,
    resolvers: Resolvers,
}

impl Names {
    fn new(claims: Claims) -> Self {
        let named: Vec<_> = claims
            .pods()
            .map(|(pod, addresses)| Named { pod: pod.to_string(), addresses })
            .collect();
        Self { pods: pod_lines(&named), claims, resolvers: Resolvers::of_host() }
    }

    /// The files of a pod's containers.
    ///
    /// A pod on the host's network sees the host's names, too; one without a network sees only
    /// itself, and has no resolver.
    fn files(&self, pod: &Pod) -> EtcFiles {
        let host_hosts = || {
            let bytes = file::read_bounded("/etc/hosts".as_ref(), MAX_FILE).unwrap_or_default();
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text
        };
        let own = self.claims.addresses(&pod.name).filter(|_| pod.network == Network::Bridge);
        let mut hosts = match pod.network {
            Network::Host => format!("{}127.0.1.1\t{}\n", host_hosts(), pod.hostname),
            _ => LOOPBACK.to_owned(),
        };
        match own {
            Some(own) => {
                let _ = writeln!(hosts, "{}\t{}", own.ipv4, pod.hostname);
                if let Some(ipv6) = own.ipv6 {
                    let _ = writeln!(hosts, "{ipv6}\t{}", pod.hostname);
                }
            }
            None if pod.network != Network::Host => {
                let _ = writeln!(hosts, "127.0.0.1\t{}", pod.hostname);
            }
            None => {}
        }
        // The first line of a name counts for most resolvers.
        for (name, address) in &pod.extra_hosts {
            let _ = writeln!(hosts, "{address}\t{name}");
        }
        if pod.network != Network::None {
            hosts.push_str(&self.pods);
        }
        EtcFiles {
            hosts,
            hostname: format!("{}\n", pod.hostname),
            resolv_conf: self.resolv_conf(pod, own.is_some_and(|own| own.ipv6.is_some())),
        }
    }

    fn resolv_conf(&self, pod: &Pod, ipv6: bool) -> String {
        match pod.network {
            Network::None => String::new(),
            Network::Host if pod.dns.is_empty() && pod.dns_search.is_empty() => {
                let bytes = file::read_bounded("/etc/resolv.conf".as_ref(), MAX_FILE);
                String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
            }
            Network::Host => self.resolvers.for_host(&pod.dns, &pod.dns_search),
            Network::Bridge => {
                let wishes = Wishes { servers: &pod.dns, search: &pod.dns_search, ipv6 };
                resolv_conf(&self.resolvers, wishes)
            }
        }
    }
}

impl Engine {
    /// The managed files of a pod's containers, for one that starts.
    pub(super) fn etc_files(&self, pod: &Pod) -> Result<EtcFiles> {
        Ok(Names::new(self.store.read(Claims::read)?).files(pod))
    }

    /// Brings the managed files of one instance to what this spec says.
    pub(super) fn write_names(&self, pod: &Pod, id: &InstanceId) -> Result<()> {
        let _lock = self.lock_network()?;
        let names = Names::new(self.store.read(Claims::read)?);
        self.rewrite(id, &names.files(pod))
    }

    /// Brings the managed files of every running container, or of those of the pods `only`, to
    /// what they should be. Those that are so are not written; one that cannot be written keeps no
    /// other from being so.
    pub(super) fn refresh_names(&self, only: Option<&BTreeSet<PodName>>) -> Result<()> {
        if self.stale_names(only)?.is_empty() {
            return Ok(());
        }
        // What was read before the lock may be older than what somebody else has written since.
        let _lock = self.lock_network()?;
        let mut refreshed = Ok(());
        for (id, files) in self.stale_names(only)? {
            refreshed = refreshed.and(self.rewrite(&id, &files));
        }
        refreshed
    }

    /// The running containers whose files are not as they should be, with what they should be.
    fn stale_names(&self, only: Option<&BTreeSet<PodName>>) -> Result<Vec<(InstanceId, EtcFiles)>> {
        let (claims, desired, instances) = self
            .store
            .read(|state| Ok((Claims::read(state)?, state.pods()?, state.current_instances()?)))?;
        let has_names = |pod: &Pod| {
            pod.network != Network::None && only.is_none_or(|only| only.contains(&pod.name))
        };
        let (mut names, mut stale) = (None, Vec::new());
        for desired in desired.iter().filter(|desired| has_names(&desired.pod)) {
            let pod = &desired.pod;
            let lives = instances.iter().filter(|instance| {
                instance.pod == pod.name && instance.state == State::Running && !instance.removed
            });
            for instance in lives {
                let names = names.get_or_insert_with(|| Names::new(claims.clone()));
                let files = names.files(pod);
                if !self.differing(&instance.id, &files).is_empty() {
                    stale.push((instance.id.clone(), files));
                }
            }
        }
        Ok(stale)
    }

    /// The managed files of an instance that have another content.
    fn differing<'a>(&self, id: &InstanceId, etc: &'a EtcFiles) -> Vec<(PathBuf, &'a str)> {
        let files = InstancePlace::of(&self.directories, id).directory.join("files");
        let wanted = [("hosts", &etc.hosts), ("resolv.conf", &etc.resolv_conf)];
        let differs = |(path, text): &(PathBuf, &str)| match file::read_bounded(path, MAX_FILE) {
            Ok(old) => old != text.as_bytes(),
            Err(e) => !e.is_not_found(),
        };
        let all = wanted.into_iter().map(|(name, text)| (files.join(name), text.as_str()));
        all.filter(differs).collect()
    }

    fn rewrite(&self, id: &InstanceId, etc: &EtcFiles) -> Result<()> {
        for (path, text) in self.differing(id, etc) {
            file::rewrite(&path, text.as_bytes())?;
        }
        Ok(())
    }
}
