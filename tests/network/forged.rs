//! Packets of pods with addresses that are not theirs, which whoever has `NET_RAW` can send.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use super::{HOST4, HOST6, Machine, OUTSIDE4, OUTSIDE6, RAW, SLEEP, idle, pod};
use crate::support::namespace::Namespace;
use crate::support::pods::SOON;

/// A socket that gets packets.
fn receiver(namespace: &Namespace, address: &str) -> UdpSocket {
    let socket = namespace.within(|| UdpSocket::bind(address)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket
}

impl Machine {
    /// Lets a pod and the machine learn where the other is: until then, packets would wait.
    fn acquaint(&self, pod: &str) {
        for address in [HOST4, HOST6] {
            assert!(self.pings(pod, address), "{address}");
        }
        let (ipv4, ipv6) = self.addresses(pod);
        self.namespace.sh(&format!("ping -c 1 -W 2 {ipv4} && ping -c 1 -W 2 {ipv6}")).ok();
    }

    /// The network of a pod.
    fn network_of(&self, pod: &str) -> Namespace {
        Namespace::at(&self.tank.run_root().join(format!("pods/{pod}/ns/net")))
    }
}

/// Sends a packet of this source, which the namespace takes for its own.
fn forge(namespace: &Namespace, source: &str, target: &str) {
    let source: IpAddr = source.parse().unwrap();
    let bits = if source.is_ipv4() { 32 } else { 128 };
    // The kernel has what is needed for routes from loopback addresses, where it is asked to.
    namespace.set_sysctl("ipv4/conf/all/route_localnet", "1");
    if !source.is_loopback() {
        let nodad = if source.is_ipv4() { "" } else { "nodad" };
        namespace.ip(&format!("address add {source}/{bits} dev eth0 {nodad}"));
    }
    send(namespace, SocketAddr::new(source, 0), target, "forged");
    if !source.is_loopback() {
        namespace.ip(&format!("address del {source}/{bits} dev eth0"));
    }
}

fn send(namespace: &Namespace, source: SocketAddr, target: &str, text: &str) {
    let target: SocketAddr = target.parse().unwrap();
    namespace.within(|| {
        let socket = UdpSocket::bind(source).unwrap();
        socket.send_to(text.as_bytes(), target).unwrap();
    });
}

/// Asserts that the first packet that came is the honest one that was sent last, and that no other
/// follows.
#[track_caller]
fn assert_honest(socket: &UdpSocket, what: &str) {
    let mut buffer = [0; 64];
    let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(String::from_utf8_lossy(&buffer[..length]), "honest", "{what}");
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(socket.recv(&mut buffer).is_err(), "{what}: another one");
}

fn any(target: &str) -> SocketAddr {
    let any = if target.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    any.parse().unwrap()
}

#[test]
fn the_machine_gets_none() {
    let (machine, _outside) = Machine::and_outside();
    machine.namespace.ip("address add 198.18.50.1/24 dev lo");
    // A port that is published on loopback has the kernel route such addresses on the bridge.
    let ports = "ports = ['127.0.0.1:9090:80']\n";
    machine.tank.apply(&(idle("bad") + ports)).ok();
    machine.acquaint("bad");
    let inside = machine.network_of("bad");
    for (target, sources) in [
        (HOST4, &["127.0.0.9", "127.0.0.1", HOST4, OUTSIDE4, "198.18.50.1", "198.18.50.7"][..]),
        (HOST6, &[HOST6, OUTSIDE6, "2001:db8::7"]),
    ] {
        let (target, bind) = match target {
            HOST4 => (format!("{target}:6000"), "0.0.0.0:6000"),
            _ => (format!("[{target}]:6000"), "[::]:6000"),
        };
        let socket = receiver(&machine.namespace, bind);
        for source in sources.iter().filter(|source| !target.contains(**source)) {
            forge(&inside, source, &target);
        }
        send(&inside, any(&target), &target, "honest");
        assert_honest(&socket, &target);
    }
}

/// An isolated pod is known by its interface, whatever it says.
#[test]
fn no_pod_gets_one_of_an_isolated_pod() {
    for filtered in ["0", "1"] {
        let (machine, _outside) = Machine::and_outside();
        machine.filter_bridges(filtered);
        let alone = pod("alone", "isolated = true", SLEEP) + RAW;
        let target = idle("target") + "ports = ['6000:6000/udp']\n";
        machine.tank.apply(&(alone + &target + &idle("other"))).ok();
        let (target4, target6) = machine.addresses("target");
        let (other4, other6) = machine.addresses("other");
        for pod in ["alone", "target", "other"] {
            machine.acquaint(pod);
        }
        let socket = receiver(&machine.network_of("target"), "[::]:6000");
        let (alone, other) = (machine.network_of("alone"), machine.network_of("other"));
        let link = machine.network_of("target").ip("-o link show dev eth0");
        let hardware = link.split_once("link/ether ").unwrap().1.split(' ').next().unwrap();
        for address in [target4, target6] {
            alone.ip(&format!("neigh replace {address} lladdr {hardware} dev eth0"));
        }
        for (targets, sources) in [
            ([target4.to_string(), HOST4.to_owned()], [other4.to_string(), OUTSIDE4.to_owned()]),
            (
                [format!("[{target6}]"), format!("[{HOST6}]")],
                [other6.to_string(), OUTSIDE6.to_owned()],
            ),
        ] {
            for target in targets.map(|address| format!("{address}:6000")) {
                for source in &sources {
                    forge(&alone, source, &target);
                }
                send(&alone, any(&target), &target, "isolated");
            }
        }
        send(&other, any(""), &format!("{target4}:6000"), "honest");
        assert_honest(&socket, &format!("a pod, br_netfilter {filtered}"));
    }
}
