//! Addresses and ports that pods have: a lease belongs to a pod, not to an instance of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use rusqlite::params;

use super::column::{Columns, Word};
use super::error::Result;
use super::transaction::{Snapshot, Tx};
use crate::model::pod::{Port, Protocol};
use crate::model::{ContainerName, PodName};

/// The network of the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRow {
    /// The name of its bridge.
    pub bridge: String,
    /// The subnet of its pods.
    pub ipv4: Ipv4Net,
    /// Their subnet of IPv6, where they have one.
    pub ipv6: Option<Ipv6Net>,
}

/// The addresses of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The pod.
    pub pod: PodName,
    /// Its IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
}

/// A port that a pod occupies on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPort {
    /// The pod.
    pub pod: PodName,
    /// The container that publishes it.
    pub container: ContainerName,
    /// The port.
    pub port: Port,
}

impl Word for Protocol {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Tcp, "tcp"), (Self::Udp, "udp")];
}

fn lease(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Lease> {
    Ok(Lease {
        pod: columns.parse()?,
        ipv4: columns.parse_optional()?,
        ipv6: columns.parse_optional()?,
    })
}

fn published_port(columns: &mut Columns<'_, '_>) -> rusqlite::Result<PublishedPort> {
    Ok(PublishedPort {
        pod: columns.parse()?,
        container: columns.parse()?,
        port: Port {
            address: columns.parse_optional()?,
            host: columns.take()?,
            container: columns.take()?,
            count: columns.take()?,
            protocol: columns.word()?,
        },
    })
}

impl Snapshot<'_> {
    /// The network of the root, once one was chosen.
    pub fn network(&self) -> Result<Option<NetworkRow>> {
        let sql = "SELECT bridge, ipv4, ipv6 FROM network";
        self.row("read the network", sql, [], |columns| {
            Ok(NetworkRow {
                bridge: columns.take()?,
                ipv4: columns.parse()?,
                ipv6: columns.parse_optional()?,
            })
        })
    }

    /// Every lease, by pod.
    pub fn leases(&self) -> Result<Vec<Lease>> {
        let sql = "SELECT pod, ipv4, ipv6 FROM leases ORDER BY pod";
        self.rows("read the leases", sql, [], lease)
    }

    /// The lease of a pod.
    pub fn lease(&self, pod: &PodName) -> Result<Option<Lease>> {
        let sql = "SELECT pod, ipv4, ipv6 FROM leases WHERE pod = ?1";
        self.row("read a lease", sql, [pod.as_str()], lease)
    }

    /// Every published port, by pod, in the order of the pod file.
    pub fn published_ports(&self) -> Result<Vec<PublishedPort>> {
        let sql = "SELECT pod, container, address, host_port, container_port, count, protocol
            FROM ports ORDER BY pod, container, position";
        self.rows("read the published ports", sql, [], published_port)
    }
}

impl Tx<'_> {
    /// Sets the network of the root.
    pub fn put_network(&self, network: &NetworkRow) -> Result<()> {
        self.run(
            "write the network",
            "INSERT INTO network (only, bridge, ipv4, ipv6) VALUES (1, ?1, ?2, ?3)
                ON CONFLICT (only) DO UPDATE SET
                bridge = excluded.bridge, ipv4 = excluded.ipv4, ipv6 = excluded.ipv6",
            params![
                network.bridge,
                network.ipv4.to_string(),
                network.ipv6.map(|subnet| subnet.to_string())
            ],
        )?;
        Ok(())
    }

    /// Gives a pod its addresses; they must be free. One transaction chooses and gives.
    pub fn put_lease(&self, lease: &Lease) -> Result<()> {
        let text = |address: Option<IpAddr>| address.map(|address| address.to_string());
        self.run(
            "write a lease",
            "INSERT INTO leases (pod, ipv4, ipv6) VALUES (?1, ?2, ?3)
                ON CONFLICT (pod) DO UPDATE SET ipv4 = excluded.ipv4, ipv6 = excluded.ipv6",
            params![
                lease.pod.as_str(),
                text(lease.ipv4.map(IpAddr::from)),
                text(lease.ipv6.map(IpAddr::from))
            ],
        )?;
        Ok(())
    }

    /// Takes the addresses of a pod back.
    pub fn release_lease(&self, pod: &PodName) -> Result<()> {
        self.run("release a lease", "DELETE FROM leases WHERE pod = ?1", [pod.as_str()])?;
        Ok(())
    }

    /// Replaces the ports that a pod publishes, each given with its container.
    pub fn put_ports<'a>(
        &self,
        pod: &PodName,
        ports: impl IntoIterator<Item = (&'a ContainerName, &'a Port)>,
    ) -> Result<()> {
        let doing = "write the ports of a pod";
        self.run(doing, "DELETE FROM ports WHERE pod = ?1", [pod.as_str()])?;
        for (position, (container, port)) in (0_u32..).zip(ports) {
            self.run(
                doing,
                "INSERT INTO ports (pod, container, position, address, host_port, container_port,
                    count, protocol) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    pod.as_str(),
                    container.as_str(),
                    position,
                    port.address.map(|address| address.to_string()),
                    port.host,
                    port.container,
                    port.count,
                    port.protocol.word(),
                ],
            )?;
        }
        Ok(())
    }
}
