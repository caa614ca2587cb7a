//! The network of the kernel itself: each test is in a network namespace of its own.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::firewall;
use super::forwarding::{Forwarding, Record, get, set};
use super::layout::{Addresses, Layout, Member};
use super::link::Link;
use super::nft::Nft;
use super::nft::ruleset::{BySet, Elements, Family};
use super::nft::seen::Difference;
use crate::sys::process::Namespaces;
use crate::sys::{child, namespace};

/// A root that is there on every machine.
const OWNER: &str = "tank /usr";

/// Another root of the machine.
const OTHER: &str = "tank /etc";

fn layout() -> Layout {
    Layout {
        bridge: "tank0".to_owned(),
        table: "tank".to_owned(),
        owner: OWNER.to_owned(),
        ipv4: "10.0.0.0/24".parse().unwrap(),
        ipv6: Some("fd00::/64".parse().unwrap()),
        mtu: None,
    }
}

fn member(pod: &str, last: u8, isolated: bool, ports: &[&str]) -> Member {
    Member {
        pod: pod.to_owned(),
        interface: format!("tank{pod}"),
        namespace: "/nowhere".into(),
        addresses: Addresses {
            ipv4: [10, 0, 0, last].into(),
            ipv6: Some([0xfd00, 0, 0, 0, 0, 0, 0, u16::from(last)].into()),
        },
        isolated,
        ports: ports.iter().map(|port| port.parse().unwrap()).collect(),
    }
}

/// Runs `body` in a network namespace of its own.
fn isolated(body: impl FnOnce()) {
    let done = child::output_of(|writer| {
        namespace::unshare(Namespaces::NEWNET).unwrap();
        body();
        writer.write_all(b"done").unwrap();
    });
    assert_eq!(done, "done");
}

fn up(name: &str) -> Link {
    Link {
        index: 7,
        name: name.to_owned(),
        alias: String::new(),
        is_bridge: false,
        is_veth: false,
        is_loopback: false,
        is_up: true,
        mtu: 1500,
        master: None,
    }
}

#[test]
fn a_table_is_seen_as_it_was_written() {
    isolated(|| {
        let mut forwarding = Forwarding::default();
        forwarding.guarded4.push("eth0".to_owned());
        let members = [
            member("web", 2, false, &["8080:80", "127.0.0.1:53:53/udp", "[fd00::9]:1-3:4-6"]),
            member("db", 3, true, &[]),
        ];
        let mut nft = Nft::open().unwrap();
        for family in [Family::Inet, Family::Bridge] {
            assert!(!nft.look(family, "tank").unwrap().exists());
        }
        for write in [Nft::make, Nft::replace, Nft::replace] {
            let tables = firewall::tables(&layout(), &forwarding, &members);
            write(&mut nft, &tables).unwrap();
            for table in &tables {
                let seen = nft.look(table.family, "tank").unwrap();
                assert_eq!(seen.difference(table), Difference::None);
            }
        }
        nft.remove(&[(Family::Inet, "tank"), (Family::Bridge, "tank")]).unwrap();
        assert!(!nft.look(Family::Inet, "tank").unwrap().exists());
    });
}

#[test]
fn a_pods_change_is_seen_as_elements_and_another_subnet_as_structure() {
    isolated(|| {
        let forwarding = Forwarding::default();
        let before = [member("web", 2, false, &["80:80"]), member("db", 3, false, &["5432:5432"])];
        let mut nft = Nft::open().unwrap();
        nft.replace(&firewall::tables(&layout(), &forwarding, &before)).unwrap();
        let after = [member("web", 2, false, &["81:80"]), before[1].clone()];
        let tables = firewall::tables(&layout(), &forwarding, &after);
        let Difference::Elements { missing, surplus } =
            nft.look(Family::Inet, "tank").unwrap().difference(&tables[0])
        else {
            panic!("elements differ");
        };
        let count = |sets: &BySet| sets.values().map(Elements::len).sum::<usize>();
        assert_eq!((count(&missing), count(&surplus)), (2, 2));
        for (set, elements) in &surplus {
            assert_eq!(firewall::of_pod(set, elements, &before[0]), *elements);
            assert!(firewall::of_pod(set, elements, &before[1]).is_empty());
        }
        nft.change(&tables[0], &surplus, &missing).unwrap();
        let seen = nft.look(Family::Inet, "tank").unwrap();
        assert_eq!(seen.difference(&tables[0]), Difference::None);
        let other = Layout { ipv4: "10.9.0.0/24".parse().unwrap(), ..layout() };
        let tables = firewall::tables(&other, &forwarding, &after);
        assert!(matches!(seen.difference(&tables[0]), Difference::Structure(_)));
    });
}

#[test]
fn thousands_of_ports_are_one_transaction() {
    isolated(|| {
        let members = [member("web", 2, false, &["1-20000:1-20000/udp", "127.0.0.1:1-9:1-9"])];
        let tables = firewall::tables(&layout(), &Forwarding::default(), &members);
        let mut nft = Nft::open().unwrap();
        nft.replace(&tables).unwrap();
        let seen = nft.look(Family::Inet, "tank").unwrap();
        assert_eq!(seen.difference(&tables[0]), Difference::None);
        let udp = firewall::udp_ports("published4", &seen.elements["published4"]);
        assert_eq!(udp.len(), 20_000);
        assert!(firewall::udp_ports("bound4", &seen.elements["bound4"]).is_empty());
    });
}

#[test]
fn a_transaction_that_fails_changes_nothing() {
    isolated(|| {
        let tables = firewall::tables(&layout(), &Forwarding::default(), &[]);
        let mut nft = Nft::open().unwrap();
        nft.replace(&tables).unwrap();
        let absent = Elements::from([(vec![6, 0, 0, 0, 0, 80, 0, 0], Vec::new())]);
        let out = BySet::from([("published4".to_owned(), absent)]);
        let into = BySet::from([(
            "isolated4".to_owned(),
            Elements::from([(vec![10, 0, 0, 2], Vec::new())]),
        )]);
        let refused = nft.change(&tables[0], &out, &into).unwrap_err();
        assert!(refused.to_string().contains("change the firewall"), "{refused}");
        let seen = nft.look(Family::Inet, "tank").unwrap();
        assert_eq!(seen.difference(&tables[0]), Difference::None);
    });
}

/// What was set, and what it was before.
fn parameters() -> BTreeMap<&'static str, Option<String>> {
    let names = ["ipv4/ip_forward", "ipv4/conf/lo/forwarding", "ipv6/conf/lo/force_forwarding"];
    names.into_iter().map(|name| (name, get(name))).collect()
}

#[test]
fn forwarding_is_turned_on_for_single_interfaces_and_put_back() {
    isolated(|| {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("network.json");
        let before = parameters();
        let wanted = Forwarding::wanted(&layout(), &[], &[up("lo")], None, &Record::read(&path));
        assert_eq!(wanted.guarded4, ["lo"]);
        assert!(wanted.drift().is_some());
        wanted.apply("tank /removed/by/hand", &path).unwrap();
        wanted.apply(OWNER, &path).unwrap();
        assert_eq!(wanted.drift(), None);
        assert_eq!(get("ipv4/conf/lo/forwarding").as_deref(), Some("1"));
        assert_eq!(get("ipv4/ip_forward").as_deref(), Some("0"));
        let again = Forwarding::wanted(&layout(), &[], &[up("lo")], None, &Record::read(&path));
        assert_eq!((&again.guarded4, &again.guarded6), (&wanted.guarded4, &wanted.guarded6));
        assert_eq!(again.drift(), None);
        again.apply(OTHER, &path).unwrap();
        Record::read(&path).restore(OWNER, &path).unwrap();
        assert_eq!(wanted.drift(), None, "another root needs it");
        Record::read(&path).restore(OTHER, &path).unwrap();
        assert_eq!(parameters(), before);
        assert!(!path.exists());
    });
}

#[test]
fn the_loopback_is_routed_only_where_a_port_is_published_on_it() {
    isolated(|| {
        let layout = Layout { bridge: "lo".to_owned(), ..layout() };
        let routes = |ports: &[&str]| {
            let members = [member("web", 2, false, ports)];
            let wanted = Forwarding::wanted(&layout, &members, &[], None, &Record::default());
            let tmp = tempfile::tempdir().unwrap();
            wanted.apply(OWNER, &tmp.path().join("network.json")).unwrap();
            get("ipv4/conf/lo/route_localnet").unwrap() == "1"
        };
        assert!(!routes(&[]));
        assert!(routes(&["80:80"]));
        assert!(!routes(&["192.0.2.1:80:80", "[::]:81:80"]));
        assert!(routes(&["127.0.0.1:80:80"]));
    });
}

#[test]
fn what_somebody_else_has_come_to_need_is_not_put_back() {
    isolated(|| {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("network.json");
        let wanted = Forwarding::wanted(&layout(), &[], &[up("lo")], None, &Record::read(&path));
        wanted.apply(OWNER, &path).unwrap();
        set("ipv4/ip_forward", "1").unwrap();
        let now = Forwarding::wanted(&layout(), &[], &[up("lo")], None, &Record::read(&path));
        assert!(now.guarded4.is_empty(), "the machine is a router of its own will");
        Record::read(&path).restore(OWNER, &path).unwrap();
        assert_eq!(get("ipv4/conf/lo/forwarding").as_deref(), Some("1"));
    });
}
