//! Whose an address is, and for how long; subnets that are full, or somebody else's.

use rustix::process::Signal;

use super::client::await_get;
use super::{HOST4, Machine, SLEEP, idle, pod, server};
use crate::support::pods::{SOON, runs, send};
use crate::support::wait;

impl Machine {
    /// Writes `config.toml` of the root.
    fn configure(&self, text: &str) {
        std::fs::create_dir_all(self.tank.root()).unwrap();
        std::fs::write(self.tank.root().join("config.toml"), text).unwrap();
    }
}

#[test]
fn they_stay_with_a_pod_that_is_restarted_or_replaced() {
    let machine = Machine::new();
    machine.tank.apply(&(idle("first") + &server("web", "", "[]") + &idle("client"))).ok();
    let before = machine.addresses("web");
    let assert_same = |what: &str| {
        assert_eq!(machine.addresses("web"), before, "{what}");
        assert_eq!(machine.await_fetch("client", "http://web/name"), "web\n", "{what}");
        machine.assert_settled();
    };
    // What was first in line is gone: its address is free, and nobody moves there.
    machine.tank.run(["delete", "first"]).ok();
    send(machine.tank.pid("web"), Signal::KILL);
    machine.tank.await_life("a second life", "web", |life| runs(life, 2));
    assert_same("restarted");
    machine.tank.apply(&(server("web", "", "[]") + "env = { OTHER = '1' }\n")).ok();
    assert_same("replaced");
    machine.tank.apply(&idle("more")).ok();
    assert_ne!(machine.addresses("more"), before);
    assert_same("another");
}

#[test]
fn they_stay_over_a_reboot() {
    let (machine, outside) = Machine::and_outside();
    machine.tank.apply(&(server("web", "", "['8080:80']") + &idle("client"))).ok();
    let before = ["web", "client"].map(|pod| machine.addresses(pod));
    await_get(&outside, &format!("{HOST4}:8080"), "/name");
    machine.tank.lose_what_runs();
    assert!(!machine.namespace.ip("link").contains("tank"));
    // Without another boot nobody knows how the programs ended, and they are started with a pause.
    for name in ["web", "client"] {
        wait::until(&format!("{name} to run again"), SOON, || {
            machine.tank.run(["reconcile"]).ok();
            machine.tank.lives(name).pop().filter(|life| runs(life, 2))
        });
    }
    assert_eq!(["web", "client"].map(|pod| machine.addresses(pod)), before);
    assert_eq!(await_get(&outside, &format!("{HOST4}:8080"), "/name"), "web");
    assert_eq!(machine.await_fetch("client", "http://web/name"), "web\n");
    machine.assert_settled();
}

#[test]
fn a_full_subnet_has_no_room_for_one_pod_until_another_goes() {
    let machine = Machine::new();
    machine.configure("[network]\nipv4 = '10.99.9.0/29'\n");
    let five: String = (1..=5).map(|n| idle(&format!("pod{n}"))).collect();
    machine.tank.apply(&five).ok();
    let mut command = machine.tank.command(["apply", "-f", "-", "-o", "json"]);
    let pods = pod("late", "", SLEEP) + &pod("host", "network = 'host'", SLEEP);
    let applied = machine.tank.run_with(&mut command, pods.as_bytes()).exits(1).json();
    assert_eq!((&applied["failed"], &applied["errors"][0]["pod"]), (&1.into(), &"late".into()));
    let text = applied["errors"][0]["error"].as_str().unwrap();
    assert!(text.contains("10.99.9.0/29"), "{text}");
    assert!(machine.tank.lives("late").is_empty(), "{:?}", machine.tank.lives("late"));
    machine.tank.pid("host");
    for n in 1..=5 {
        machine.tank.pid(&format!("pod{n}"));
    }
    let (free, _) = machine.addresses("pod3");
    machine.tank.run(["delete", "pod3"]).ok();
    machine.tank.run(["reconcile"]).ok();
    assert_eq!(machine.addresses("late").0, free);
    machine.assert_settled();
}

#[test]
fn a_subnet_of_somebody_else_is_refused_by_name() {
    let (machine, _outside) = Machine::and_outside();
    machine.configure("[network]\nipv4 = '198.18.0.0/24'\n");
    let failed = machine.tank.apply(&idle("web")).exits(1);
    assert!(failed.stderr.contains("198.18.0.0/24"), "{failed}");
    assert!(failed.stderr.contains("up0"), "{failed}");
    // It has no other until the pod that has an address of it is gone.
    machine.tank.run(["delete", "web"]).ok();
    machine.configure("[network]\nipv4 = '10.99.9.0/24'\n");
    machine.tank.apply(&idle("web")).ok();
    assert!(machine.addresses("web").0.to_string().starts_with("10.99.9."));
    machine.assert_settled();
}

/// Its host name is the pod's own address, so that what listens on that listens on no loopback.
#[test]
fn a_server_on_the_address_of_its_host_name_is_found_by_probes() {
    let machine = Machine::new();
    let with_probe = |name: &str, server: &str, check: &str| {
        let listen =
            format!("mkdir /www; echo > /www/index.html; exec httpd -f -h /www -p {server}");
        pod(name, "stop_timeout = '0s'", &listen)
            + &format!("[pods.containers.readiness]\n{check}\nperiod = '100ms'\n")
    };
    let ipv4 = "$(grep -w four /etc/hosts | cut -f 1 | head -n 1)";
    let ipv6 = "$(grep -w six /etc/hosts | grep ^f | cut -f 1 | head -n 1)";
    let pods = with_probe("four", &format!("{ipv4}:8080"), "tcp = { port = 8080 }")
        + &with_probe("six", &format!("[{ipv6}]:8080"), "http = { port = 8080 }");
    machine.tank.apply(&pods).ok();
    machine.tank.run(["wait", "four", "six", "--timeout", "20s"]).ok();
}
