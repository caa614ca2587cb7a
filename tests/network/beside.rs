//! Two roots on one machine.

use super::client::await_get;
use super::traces::{assert_as_before, traces};
use super::{HOST4, HOST6, Machine, OUTSIDE4, OUTSIDE6, RAW, server};

impl Machine {
    /// Another root on the same machine.
    fn beside(&self) -> Self {
        let namespace = self.namespace.clone();
        Self { tank: crate::support::Tank::inside(&namespace), namespace }
    }
}

#[test]
fn pods_of_two_roots_reach_published_ports_of_each_other_only() {
    let (one, _outside) = Machine::and_outside();
    let other = one.beside();
    one.tank.apply(&(server("web", "", "['8080:80']") + RAW)).ok();
    other.tank.apply(&(server("web", "", "['9090:80']") + RAW)).ok();
    for (machine, port) in [(&one, 9090), (&other, 8080)] {
        for address in [HOST4, &format!("[{HOST6}]")] {
            let url = format!("http://{address}:{port}/name");
            assert_eq!(machine.await_fetch("web", &url), "web\n", "{url}");
        }
        assert!(machine.pings("web", OUTSIDE4) && machine.pings("web", OUTSIDE6));
    }
    let (one4, one6) = one.addresses("web");
    let (other4, other6) = other.addresses("web");
    assert!(one4 != other4 && one6 != other6);
    for (machine, ipv4, ipv6) in [(&one, other4, other6), (&other, one4, one6)] {
        for url in [format!("http://{ipv4}/name"), format!("http://[{ipv6}]/name")] {
            assert_eq!(machine.fetch("web", &url), None, "{url}");
        }
    }
    one.assert_settled();
    other.assert_settled();
}

#[test]
fn the_last_pod_of_one_root_takes_nothing_from_another() {
    let (one, outside) = Machine::and_outside();
    let before = traces(&one);
    let other = one.beside();
    one.tank.apply(&server("gone", "", "['8080:80']")).ok();
    other.tank.apply(&(server("stays", "", "['9090:80']") + RAW)).ok();
    let assert_flows = || {
        for address in [HOST4, &format!("[{HOST6}]")] {
            assert_eq!(await_get(&outside, &format!("{address}:9090"), "/name"), "stays");
        }
        assert!(other.pings("stays", OUTSIDE4) && other.pings("stays", OUTSIDE6));
    };
    assert_flows();
    for _ in 0..2 {
        one.tank.run(["delete", "gone"]).ok();
        assert_flows();
        other.assert_settled();
        one.assert_settled();
        one.tank.apply(&server("gone", "", "['8080:80']")).ok();
        assert_eq!(await_get(&outside, &format!("{HOST4}:8080"), "/name"), "gone");
    }
    one.tank.run(["delete", "gone"]).ok();
    other.tank.run(["delete", "stays"]).ok();
    assert_as_before(&one, &before, "both roots");
}
