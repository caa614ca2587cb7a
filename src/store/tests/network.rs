use super::*;
use crate::model::pod::{Port, Protocol};

#[test]
fn a_lease_is_of_one_pod_and_its_addresses_of_no_other() {
    let (_root, mut store) = fresh();
    put(&mut store, &pod("a", "one"));
    put(&mut store, &pod("b", "one"));
    let lease = |pod: &str, ipv4: &str| Lease {
        pod: name(pod),
        ipv4: Some(ipv4.parse().unwrap()),
        ipv6: Some("fd00::2".parse().unwrap()).filter(|_| pod == "a"),
    };
    store.write(|tx| tx.put_lease(&lease("a", "10.0.0.2"))).unwrap();
    assert!(store.write(|tx| tx.put_lease(&lease("b", "10.0.0.2"))).is_err());
    store.write(|tx| tx.put_lease(&lease("b", "10.0.0.3"))).unwrap();
    store.write(|tx| tx.put_lease(&lease("b", "10.0.0.4"))).unwrap();
    let leases = store.read(|s| s.leases()).unwrap();
    assert_eq!(leases, [lease("a", "10.0.0.2"), lease("b", "10.0.0.4")]);
    store.write(|tx| tx.release_lease(&name("a"))).unwrap();
    assert_eq!(store.read(|s| s.lease(&name("a"))).unwrap(), None);
}

#[test]
fn the_ports_of_a_pod_are_replaced_as_a_whole() {
    let (_root, mut store) = fresh();
    put(&mut store, &pod("web", "one"));
    let (web, app) = (name("web"), container("app"));
    let port =
        |host| Port { address: None, host, container: 80, count: 1, protocol: Protocol::Tcp };
    let local = Port {
        address: Some("fd00::1".parse().unwrap()),
        count: 5,
        protocol: Protocol::Udp,
        ..port(65_000)
    };
    store.write(|tx| tx.put_ports(&web, [(&app, &port(8080))])).unwrap();
    store.write(|tx| tx.put_ports(&web, [(&app, &port(9)), (&app, &local)])).unwrap();
    let ports = store.read(|s| s.published_ports()).unwrap();
    let expected = [port(9), local].map(|port| PublishedPort {
        pod: web.clone(),
        container: app.clone(),
        port,
    });
    assert_eq!(ports, expected);
}

#[test]
fn the_network_of_a_root_is_one() {
    let (_root, mut store) = fresh();
    assert_eq!(store.read(|s| s.network()).unwrap(), None);
    let row = |ipv4: &str, ipv6: Option<&str>| NetworkRow {
        bridge: "tank0".to_owned(),
        ipv4: ipv4.parse().unwrap(),
        ipv6: ipv6.map(|subnet| subnet.parse().unwrap()),
    };
    let (first, second) = (row("10.0.0.0/22", Some("fd00::/64")), row("10.1.0.0/24", None));
    for network in [first, second] {
        store.write(|tx| tx.put_network(&network)).unwrap();
        assert_eq!(store.read(|s| s.network()).unwrap(), Some(network));
    }
}
