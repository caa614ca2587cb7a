//! What is found out by packets that take another way than most: through the packet filter of the
//! bridge, before an address is settled, beside chains of others.

use super::client::{await_get, get};
use super::{HOST4, HOST6, Machine, idle, server};
use crate::support::pods::{runs, send};
use crate::support::wait;

#[test]
fn a_pod_reaches_its_own_published_port_by_the_addresses_of_the_machine() {
    for filtered in ["0", "1"] {
        let (machine, outside) = Machine::and_outside();
        machine.filter_bridges(filtered);
        machine.tank.apply(&(server("web", "", "['8080:80']") + &idle("client"))).ok();
        await_get(&outside, &format!("[{HOST6}]:8080"), "/name");
        for address in [HOST4, &format!("[{HOST6}]")] {
            let url = format!("http://{address}:8080/name");
            assert_eq!(machine.await_fetch("client", &url), "web\n");
            let own = machine.fetch("web", &url);
            assert_eq!(own.as_deref(), Some("web\n"), "{url}, br_netfilter {filtered}");
        }
    }
}

/// Whoever is told that a pod is there reaches it: no family is late.
#[test]
fn ipv6_is_there_as_soon_as_ipv4_is() {
    let (machine, outside) = Machine::and_outside();
    machine.tank.apply(&server("web", "", "['8080:80']")).ok();
    await_get(&outside, &format!("{HOST4}:8080"), "/name");
    let first = get(&outside, &format!("[{HOST6}]:8080"), "/name");
    assert_eq!(first.as_deref(), Ok("web"), "the first connection over IPv6");
}

#[test]
fn a_plan_that_isolates_a_pod_names_the_field_and_concerns_no_other() {
    let machine = Machine::new();
    machine.tank.apply(&(server("alone", "", "[]") + &idle("other"))).ok();
    let pods = server("alone", "isolated = true", "[]") + &idle("other");
    let changed = machine.tank.file("changed.toml", pods);
    let args = ["plan", "-o", "json", "-f", changed.to_str().unwrap()];
    let plan = machine.tank.run(args).ok().json();
    assert_eq!(plan["changes"], 1, "{plan}");
    assert_eq!(plan["steps"][0]["pod"], "alone", "{plan}");
    assert_eq!(plan["steps"][0]["cause"], "isolated: false -> true", "{plan}");
}

/// A chain of others in the table of tank may drop everything.
#[test]
fn a_chain_that_others_hook_into_the_table_is_drift() {
    let (machine, _outside) = Machine::and_outside();
    machine.tank.apply(&(server("web", "", "[]") + &idle("client"))).ok();
    assert_eq!(machine.await_fetch("client", "http://web/name"), "web\n");
    let hook = "{ type filter hook output priority 10; policy drop; }";
    machine.namespace.nft(&format!("add chain inet {} more {hook}", machine.tank.base()));
    let plan = machine.tank.run(["plan", "--detailed-exitcode"]).exits(2);
    assert!(plan.stdout.contains("firewall"), "{plan}");
    machine.tank.run(["reconcile"]).ok();
    machine.assert_settled();
    let tables = machine.namespace.nft("list ruleset");
    assert!(!tables.contains("chain more"), "{tables}");
}

/// A monitor that heals the network does not forget that its program is to be started again.
#[test]
fn a_program_that_ended_is_started_again_where_the_network_has_to_be_healed_first() {
    let machine = Machine::new();
    machine.tank.apply(&server("web", "", "['8080:80']")).ok();
    await_get(&machine.namespace, "127.0.0.1:8080", "/name");
    machine.namespace.ip(&format!("link del {}", interface(&machine, "web")));
    send(machine.tank.pid("web"), rustix::process::Signal::KILL);
    machine.tank.await_life("a second life", "web", |life| runs(life, 2));
    wait::until("an answer", crate::support::pods::SOON, || {
        get(&machine.namespace, "127.0.0.1:8080", "/name").ok()
    });
    // The program answers before the monitor's pass has written what became of the old one.
    machine.tank.await_nothing_to_do();
}

/// The machine's end of a pod's pair of interfaces.
#[track_caller]
fn interface(machine: &Machine, pod: &str) -> String {
    let alias = format!("tank {} {pod}", machine.tank.root().display());
    let links: serde_json::Value = serde_json::from_str(&machine.namespace.ip("-j link")).unwrap();
    let own = links.as_array().unwrap().iter().find(|link| link["ifalias"] == alias.as_str());
    own.expect("its interface")["ifname"].as_str().unwrap().to_owned()
}
