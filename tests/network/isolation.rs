//! `isolated = true`: a pod that other pods do not reach, and that does not reach them.

use super::client::{await_get, seen};
use super::{HOST4, HOST6, Machine, OUTSIDE4, OUTSIDE6, server};

const ISOLATED: &str = "isolated = true";

/// Two pods with a server each, `alone` with these keys.
fn pods(keys: &str) -> String {
    server("alone", keys, "['8080:80']") + &server("other", "", "['9090:80']")
}

/// Whether the pods get answers of each other, in both directions: by address, and by published
/// ports of the machine. All ways of one direction must agree.
#[track_caller]
fn reach(machine: &Machine) -> [bool; 2] {
    let ways = [("other", "alone", 8080), ("alone", "other", 9090)];
    ways.map(|(from, to, port)| {
        let (ipv4, ipv6) = machine.addresses(to);
        let urls = format!(
            "{ipv4} [{ipv6}] {HOST4}:{port} [{HOST6}]:{port}"
        );
        let ask = format!(
            "for at in {urls}; do (timeout 1 wget -q -O - http://$at/name || echo $at fails) & done; \
             wait"
        );
        let told = machine.sh(from, &ask).ok().stdout;
        let got = told.lines().filter(|line| *line == to).count();
        assert!(got == 0 || got == 4, "{from} reaches {to} by some ways:\n{told}");
        got == 4
    })
}

/// With and without the kernel's br_netfilter, which lets packets between ports of a bridge pass
/// the rules for routed ones.
fn with_and_without_bridge_filter(check: impl Fn(&Machine, &crate::support::namespace::Namespace)) {
    for value in ["1", "0"] {
        let (machine, outside) = Machine::and_outside();
        machine.filter_bridges(value);
        check(&machine, &outside);
    }
}

#[test]
fn it_is_kept_from_other_pods_both_ways_and_from_nobody_else() {
    with_and_without_bridge_filter(|machine, outside| {
        machine.tank.apply(&pods(ISOLATED)).ok();
        for from in [&machine.namespace, outside] {
            for (port, name) in [(8080, "alone"), (9090, "other")] {
                assert_eq!(await_get(from, &format!("{HOST4}:{port}"), "/name"), name);
                assert_eq!(await_get(from, &format!("[{HOST6}]:{port}"), "/name"), name);
            }
        }
        assert_eq!(seen(outside, &format!("{HOST4}:8080")), OUTSIDE4);
        assert_eq!(reach(machine), [false, false]);
        // The world is still there for it.
        let server = super::client::Server::new(outside, "[::]:0");
        for address in [OUTSIDE4.to_owned(), format!("[{OUTSIDE6}]")] {
            machine.await_fetch("alone", &format!("http://{address}:{}/", server.port()));
        }
        machine.assert_settled();
    });
}

#[test]
fn it_is_switched_while_the_pods_run() {
    with_and_without_bridge_filter(|machine, outside| {
        machine.tank.apply(&pods("")).ok();
        let pids = || ["alone", "other"].map(|pod| machine.tank.pid(pod));
        let before = pids();
        for port in [8080, 9090] {
            await_get(outside, &format!("[{HOST6}]:{port}"), "/name");
        }
        assert_eq!(reach(machine), [true, true]);
        for (keys, to) in [(ISOLATED, false), ("", true), (ISOLATED, false)] {
            machine.tank.apply(&pods(keys)).ok();
            assert_eq!(reach(machine), [to, to]);
            machine.assert_settled();
        }
        assert_eq!(pids(), before);
    });
}

#[test]
fn two_isolated_pods_are_kept_from_each_other() {
    let (machine, _outside) = Machine::and_outside();
    let both = server("alone", ISOLATED, "['8080:80']") + &server("other", ISOLATED, "['9090:80']");
    machine.tank.apply(&both).ok();
    for port in [8080, 9090] {
        await_get(&machine.namespace, &format!("{HOST4}:{port}"), "/name");
    }
    assert_eq!(reach(&machine), [false, false]);
    machine.tank.run(["delete", "alone"]).ok();
    let tables = machine.namespace.nft("list tables");
    assert!(tables.contains("table bridge"), "{tables}");
    machine.tank.apply(&server("other", "", "['9090:80']")).ok();
    let tables = machine.namespace.nft("list tables");
    assert!(!tables.contains("table bridge"), "nobody needs it any more: {tables}");
    machine.assert_settled();
}
