//! Published ports, and that nothing else of a pod is reached.

use super::client::{await_get, echoes, get, seen};
use super::{HOST4, HOST6, Machine, OUTSIDE4, OUTSIDE6, idle, of_machine, pod, server};
use crate::support::pods::SOON;
use crate::support::wait;

/// An echo service for UDP on port 7.
fn echo(name: &str, ports: &str) -> String {
    let socat = ["socat", "UDP6-RECVFROM:7,ipv6only=0,fork", "PIPE"];
    format!("{}ports = {ports}\n", of_machine(name, "", &socat))
}

#[test]
fn the_world_reaches_a_published_port_and_is_seen_by_its_own_address() {
    let (machine, outside) = Machine::and_outside();
    machine.tank.apply(&server("web", "", "['8080:80']")).ok();
    assert_eq!(await_get(&outside, &format!("{HOST4}:8080"), "/name"), "web");
    assert_eq!(await_get(&outside, &format!("[{HOST6}]:8080"), "/name"), "web");
    assert_eq!(seen(&outside, &format!("{HOST4}:8080")), OUTSIDE4);
    assert_eq!(seen(&outside, &format!("[{HOST6}]:8080")), OUTSIDE6);
}

#[test]
fn the_machine_reaches_a_published_port_by_each_of_its_addresses() {
    let (machine, _outside) = Machine::and_outside();
    machine.tank.apply(&server("web", "", "['8080:80']")).ok();
    let host = &machine.namespace;
    for address in ["127.0.0.1", "127.0.0.7", HOST4, &format!("[{HOST6}]")] {
        assert_eq!(await_get(host, &format!("{address}:8080"), "/name"), "web", "{address}");
    }
    // Also by those of the bridge.
    let routes = machine.sh("web", "ip route; ip -6 route").ok().stdout;
    let gateways: Vec<_> =
        routes.lines().filter_map(|line| line.strip_prefix("default via ")).collect();
    assert_eq!(gateways.len(), 2, "{routes}");
    for gateway in gateways.iter().map(|line| line.split(' ').next().unwrap()) {
        let gateway = if gateway.contains(':') { format!("[{gateway}]") } else { gateway.into() };
        assert_eq!(await_get(host, &format!("{gateway}:8080"), "/name"), "web");
    }
    let (ipv4, ipv6) = machine.addresses("web");
    for address in [format!("{ipv4}:80"), format!("[{ipv6}]:80")] {
        assert_eq!(await_get(host, &address, "/name"), "web", "the machine reaches the pod itself");
    }
}

#[test]
fn pods_reach_a_published_port_by_the_addresses_of_the_machine() {
    let (machine, _outside) = Machine::and_outside();
    machine.tank.apply(&(server("web", "", "['8080:80']") + &idle("client"))).ok();
    for address in [HOST4, &format!("[{HOST6}]")] {
        let url = format!("http://{address}:8080/name");
        assert_eq!(machine.await_fetch("client", &url), "web\n", "{address}");
    }
}

#[test]
fn the_loopback_port_is_for_the_machine_alone() {
    let (machine, outside) = Machine::and_outside();
    machine.tank.apply(&(server("web", "", "['127.0.0.1:8080:80']") + &idle("client"))).ok();
    let host = &machine.namespace;
    assert_eq!(await_get(host, "127.0.0.1:8080", "/name"), "web");
    let (ipv4, ipv6) = machine.addresses("web");
    // Routes of somebody on the same wire who wants in.
    outside.set_sysctl("ipv4/conf/all/route_localnet", "1");
    outside.ip("address del 127.0.0.1/8 dev lo");
    outside.ip(&format!("route add 127.0.0.0/8 via {HOST4} src {OUTSIDE4}"));
    outside.ip(&format!("route add {ipv4}/32 via {HOST4}"));
    outside.ip(&format!("-6 route add {ipv6}/128 via {HOST6}"));
    host.set_sysctl("ipv4/conf/up0/route_localnet", "1");
    for address in [
        format!("{HOST4}:8080"),
        format!("[{HOST6}]:8080"),
        "127.0.0.1:8080".to_owned(),
        format!("{ipv4}:80"),
        format!("{ipv4}:8080"),
        format!("[{ipv6}]:80"),
    ] {
        let got = get(&outside, &address, "/name");
        assert!(got.is_err(), "{address} from outside: {got:?}");
    }
    assert!(get(host, &format!("{HOST4}:8080"), "/name").is_err());
    for address in [HOST4, &format!("[{HOST6}]"), "127.0.0.1"] {
        assert_eq!(machine.fetch("client", &format!("http://{address}:8080/name")), None);
    }
    // It was not that nothing works at all.
    assert_eq!(await_get(host, "127.0.0.1:8080", "/name"), "web");
    assert_eq!(machine.await_fetch("client", "http://web/name"), "web\n");
}

#[test]
fn nothing_but_published_ports_is_reached_from_outside() {
    let (machine, outside) = Machine::and_outside();
    let more = "mkdir -p /other; echo secret > /other/name; httpd -p 81 -h /other; ";
    let web =
        server("web", "", "['8080:80']").replace("mkdir -p /www", &format!("{more}mkdir -p /www"));
    machine.tank.apply(&(web + &server("quiet", "", "[]"))).ok();
    let (ipv4, ipv6) = machine.addresses("web");
    let (quiet4, quiet6) = machine.addresses("quiet");
    for address in [ipv4, quiet4] {
        outside.ip(&format!("route add {address}/32 via {HOST4}"));
    }
    for address in [ipv6, quiet6] {
        outside.ip(&format!("-6 route add {address}/128 via {HOST6}"));
    }
    assert_eq!(await_get(&outside, &format!("{HOST4}:8080"), "/name"), "web");
    await_get(&machine.namespace, &format!("{ipv4}:81"), "/name");
    await_get(&machine.namespace, &format!("{quiet4}:80"), "/name");
    for address in [
        format!("{ipv4}:80"),
        format!("{ipv4}:81"),
        format!("[{ipv6}]:80"),
        format!("[{ipv6}]:81"),
        format!("{quiet4}:80"),
        format!("[{quiet6}]:80"),
        format!("{HOST4}:80"),
        format!("{HOST4}:81"),
        format!("[{HOST6}]:80"),
    ] {
        let got = get(&outside, &address, "/name");
        assert!(got.is_err(), "{address} from outside: {got:?}");
    }
    let pinged = outside.sh(&format!("ping -c 1 -W 1 {ipv4} || ping -c 1 -W 1 {ipv6}"));
    assert!(!pinged.status.success(), "{pinged}");
}

#[test]
fn a_port_of_one_address_is_not_one_of_the_others() {
    let (machine, outside) = Machine::and_outside();
    machine.namespace.ip("address add 198.18.0.5/32 dev lo");
    outside.ip(&format!("route add 198.18.0.5/32 via {HOST4}"));
    let ports = format!("['{HOST4}:8080:80', '[{HOST6}]:8081:80']");
    let other = server("other", "", "['198.18.0.5:8080:80']");
    machine.tank.apply(&(server("web", "", &ports) + &other)).ok();
    for from in [&outside, &machine.namespace] {
        assert_eq!(await_get(from, &format!("{HOST4}:8080"), "/name"), "web");
        assert_eq!(await_get(from, "198.18.0.5:8080", "/name"), "other");
        assert_eq!(await_get(from, &format!("[{HOST6}]:8081"), "/name"), "web");
        for address in [format!("{HOST4}:8081"), format!("[{HOST6}]:8080")] {
            assert!(get(from, &address, "/name").is_err(), "{address}");
        }
    }
    assert!(get(&machine.namespace, "127.0.0.1:8080", "/name").is_err());
}

#[test]
fn udp_is_published_as_well() {
    let (machine, outside) = Machine::and_outside();
    machine.tank.apply(&(echo("echo", "['5007:7/udp']") + &idle("client"))).ok();
    let addresses = [format!("{HOST4}:5007"), format!("[{HOST6}]:5007")];
    for from in [&outside, &machine.namespace] {
        for address in &addresses {
            wait::until(&format!("echo of {address}"), SOON, || {
                echoes(from, address).then_some(())
            });
        }
    }
    wait::until("echo on loopback", SOON, || {
        echoes(&machine.namespace, "127.0.0.1:5007").then_some(())
    });
    assert!(get(&outside, &addresses[0], "/").is_err(), "nothing of TCP was published");
}

#[test]
fn ranges_are_published_port_by_port() {
    let (machine, outside) = Machine::and_outside();
    let many = pod(
        "many",
        "",
        "for n in 80 81 82 83; do mkdir -p /$n; echo $n > /$n/name; httpd -p $n -h /$n; done; \
         trap 'exit 0' TERM; sleep 1000 & wait",
    );
    machine.tank.apply(&format!("{many}ports = ['8000-8002:80-82']\n")).ok();
    for from in [&outside, &machine.namespace] {
        for (host, inside) in [(8000, "80"), (8001, "81"), (8002, "82")] {
            assert_eq!(await_get(from, &format!("{HOST4}:{host}"), "/name"), inside);
            assert_eq!(await_get(from, &format!("[{HOST6}]:{host}"), "/name"), inside);
        }
        for host in [7999, 8003] {
            assert!(get(from, &format!("{HOST4}:{host}"), "/name").is_err());
        }
    }
}
