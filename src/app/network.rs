//! Looking at the network.

use std::net::IpAddr;

use super::App;
use super::error::{Error, Kind};
use super::report::{NetworkReport, NetworkedPod};

impl App {
    /// The network of the root and the pods on it.
    pub fn network_inspect(&self) -> Result<NetworkReport, Error> {
        self.learn_settings()?;
        let found = self.engine()?.inspect_network();
        let found = found.map_err(|e| Error::of_engine("cannot look at the network", e))?;
        let Some((layout, members, mut drift)) = found else {
            let error = Error::new(Kind::NotFound, "there is no network yet");
            return Err(error.hint("the first pod with network = \"bridge\" makes it"));
        };
        let ipv6 = layout.gateway6().map(IpAddr::V6);
        Ok(NetworkReport {
            gateways: [IpAddr::V4(layout.gateway4())].into_iter().chain(ipv6).collect(),
            ipv4: layout.ipv4.to_string(),
            ipv6: layout.ipv6.map(|subnet| subnet.to_string()),
            bridge: layout.bridge,
            table: layout.table,
            // Without pods none of it has to be there.
            drift: drift.shared.filter(|_| !members.is_empty()),
            pods: members
                .into_iter()
                .map(|member| NetworkedPod {
                    drift: drift.pods.remove(&member.pod),
                    name: member.pod,
                    ipv4: member.addresses.ipv4.into(),
                    ipv6: member.addresses.ipv6.map(IpAddr::V6),
                    interface: member.interface,
                    isolated: member.isolated,
                    ports: member.ports.iter().map(ToString::to_string).collect(),
                })
                .collect(),
        })
    }
}
