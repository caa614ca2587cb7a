//! Packets that take another way than most, and what a change of one pod is to the others.

use super::client::await_get;
use super::{HOST4, HOST6, Machine, idle, server};

/// Sets whether packets between ports of a bridge pass the rules for routed ones (br_netfilter).
fn filter_bridges(machine: &Machine, value: &str) {
    for name in ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"] {
        if std::fs::exists(format!("/proc/sys/net/bridge/{name}")).unwrap() {
            machine.namespace.set_sysctl(&format!("bridge/{name}"), value);
        }
    }
}

#[test]
fn a_pod_reaches_its_own_published_port_by_the_addresses_of_the_machine() {
    for filtered in ["0", "1"] {
        let (machine, outside) = Machine::and_outside();
        filter_bridges(&machine, filtered);
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
