//! From pods to the world outside of the machine.

use super::client::Server;
use super::{HOST4, HOST6, Machine, OUTSIDE4, OUTSIDE6, idle};

/// The world sees the machine: nobody out there has a route to a pod.
#[test]
fn pods_reach_the_world_by_the_address_of_the_machine() {
    let (machine, outside) = Machine::and_outside();
    let server = Server::new(&outside, "[::]:0");
    machine.tank.apply(&idle("client")).ok();
    for (address, own) in [(OUTSIDE4.to_owned(), HOST4), (format!("[{OUTSIDE6}]"), HOST6)] {
        let url = format!("http://{address}:{}/", server.port());
        assert_eq!(machine.await_fetch("client", &url).trim(), own, "{url}");
    }
    assert!(machine.pings("client", OUTSIDE4) && machine.pings("client", OUTSIDE6));
}

/// Forwarding is for pods: the machine does not become a router between its other interfaces.
#[test]
fn the_machine_does_not_become_a_router() {
    let (machine, outside) = Machine::and_outside();
    let beyond = crate::support::namespace::Namespace::new();
    let host = &machine.namespace;
    host.ip(&format!("link add down0 type veth peer name far0 netns {}", beyond.path()));
    host.ip("address add 198.18.9.1/24 dev down0");
    host.ip("address add fd00:19::1/64 dev down0 nodad");
    host.ip("link set down0 up");
    beyond.ip("address add 198.18.9.2/24 dev far0");
    beyond.ip("address add fd00:19::2/64 dev far0 nodad");
    beyond.ip("link set far0 up");
    beyond.ip("route add default via 198.18.9.1");
    beyond.ip("-6 route add default via fd00:19::1");
    outside.ip(&format!("route add 198.18.9.0/24 via {HOST4}"));
    outside.ip(&format!("-6 route add fd00:19::/64 via {HOST6}"));
    let server = Server::new(&outside, "[::]:0");
    machine.tank.apply(&idle("client")).ok();
    let port = server.port();
    // The pod reaches both sides, so packets do pass.
    assert_eq!(machine.await_fetch("client", &format!("http://{OUTSIDE4}:{port}/")).trim(), HOST4);
    assert!(machine.pings("client", "198.18.9.2") && machine.pings("client", "fd00:19::2"));
    for address in [format!("{OUTSIDE4}:{port}"), format!("[{OUTSIDE6}]:{port}")] {
        let got = super::client::get(&beyond, &address, "/");
        assert!(got.is_err(), "{address}: {got:?}");
    }
}

/// A pod without IPv6 has no address of it, not even one that its interface gives itself.
#[test]
fn ipv6_can_be_off() {
    let (machine, outside) = Machine::and_outside();
    let server = Server::new(&outside, "0.0.0.0:0");
    std::fs::create_dir_all(machine.tank.root()).unwrap();
    std::fs::write(machine.tank.root().join("config.toml"), "[network]\nipv6 = 'none'\n").unwrap();
    machine.tank.apply(&idle("client")).ok();
    assert_eq!(machine.sh("client", "ip -6 -o address show dev eth0").ok().stdout, "");
    let hosts = machine.sh("client", "cat /etc/hosts").ok().stdout;
    let own: Vec<_> = hosts.lines().filter(|line| line.contains("client")).collect();
    assert!(!own.is_empty() && own.iter().all(|line| !line.contains("::")), "{hosts}");
    let url = format!("http://{OUTSIDE4}:{}/", server.port());
    assert_eq!(machine.await_fetch("client", &url).trim(), HOST4);
    machine.assert_settled();
}
