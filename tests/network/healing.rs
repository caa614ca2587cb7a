//! Somebody meddles with the network: a plan names it, a pass heals it, and the next has nothing to
//! do. What others have on the machine is left alone.

use super::client::{await_get, get};
use super::{HOST4, HOST6, Machine, OUTSIDE4, OUTSIDE6, RAW, SLEEP, pod, server};
use crate::support::namespace::Namespace;
use crate::support::pods::{SOON, send};
use crate::support::wait;

/// What others have: a table with a rule, a bridge with an address, an interface.
const FOREIGN: &str = "\
    add table inet foreign\n\
    add chain inet foreign forward { type filter hook forward priority 5; }\n\
    add rule inet foreign forward counter comment \"theirs\"\n\
    add table bridge foreign\n\
    add table ip nat\n\
    add chain ip nat postrouting { type nat hook postrouting priority 100; }\n\
    add rule ip nat postrouting oifname \"theirs0\" masquerade";

/// A machine with two pods that reach each other and the world, and a third one that is isolated.
struct Scene {
    machine: Machine,
    outside: Namespace,
    bridge: String,
    table: String,
    /// The interface of the pod `web`.
    port: String,
    foreign: String,
    pids: Vec<u32>,
}

impl Scene {
    fn new() -> Self {
        let (machine, outside) = Machine::and_outside();
        machine.namespace.nft(FOREIGN);
        machine.namespace.ip("link add theirs0 type bridge");
        machine.namespace.ip("address add 198.18.77.1/24 dev theirs0");
        machine.namespace.ip("link add theirs1 type veth peer name theirs2");
        machine.namespace.ip("link set theirs1 master theirs0 up");
        let pods = server("web", "", "['8080:80', '127.0.0.1:9090:80']")
            + &(pod("client", "", SLEEP) + RAW)
            + &server("alone", "isolated = true", "['7070:80']");
        machine.tank.apply(&pods).ok();
        let table = machine.tank.base();
        let bridge = table[.."tank-".len() + 8].to_owned();
        let alias = format!("tank {} web", machine.tank.root().display());
        let links: serde_json::Value =
            serde_json::from_str(&machine.namespace.ip("-j link")).unwrap();
        let links = links.as_array().unwrap();
        let own = links.iter().find(|link| link["ifalias"] == alias.as_str()).expect("web's link");
        let port = own["ifname"].as_str().unwrap().to_owned();
        let pids = ["web", "client", "alone"].map(|pod| machine.tank.pid(pod)).to_vec();
        let foreign = foreign(&machine.namespace);
        let scene = Self { machine, outside, bridge, table, port, foreign, pids };
        scene.assert_flows();
        scene.machine.assert_settled();
        scene
    }

    /// Lets somebody meddle; asserts that a plan says `cause`, and that a pass heals it.
    #[track_caller]
    fn heals(&self, meddling: &str, cause: &str) {
        self.machine.namespace.sh(meddling).ok();
        let plan = self.machine.tank.run(["plan", "--detailed-exitcode"]);
        assert_eq!(plan.status.code(), Some(2), "{meddling}: {plan}");
        assert!(plan.stdout.contains(cause), "{meddling}: no {cause:?} in {plan}");
        let pass = self.machine.tank.run(["reconcile", "-o", "json"]).ok().json();
        assert_eq!(pass["failed"], 0, "{meddling}: {pass}");
        self.machine.assert_settled();
        self.assert_flows();
        let pids = ["web", "client", "alone"].map(|pod| self.machine.tank.pid(pod));
        assert_eq!(pids.as_slice(), self.pids, "{meddling}: nothing was restarted");
        assert_eq!(foreign(&self.machine.namespace), self.foreign, "{meddling}");
    }

    /// Asserts that everybody reaches whom he should, and nobody else.
    #[track_caller]
    fn assert_flows(&self) {
        let machine = &self.machine;
        assert_eq!(await_get(&self.outside, &format!("{HOST4}:8080"), "/name"), "web");
        assert_eq!(await_get(&self.outside, &format!("[{HOST6}]:8080"), "/name"), "web");
        assert_eq!(await_get(&machine.namespace, "127.0.0.1:9090", "/name"), "web");
        assert_eq!(await_get(&self.outside, &format!("{HOST4}:7070"), "/name"), "alone");
        assert_eq!(machine.await_fetch("client", "http://web/name"), "web\n");
        let (ipv4, ipv6) = machine.addresses("web");
        for target in [&ipv4.to_string(), &ipv6.to_string(), OUTSIDE4, OUTSIDE6] {
            assert!(machine.pings("client", target), "{target}");
        }
        assert!(!machine.pings("client", "alone"), "it is isolated");
        assert!(get(&machine.namespace, &format!("{HOST4}:9090"), "/name").is_err());
    }
}

/// All that belongs to others, without what the kernel counts.
fn foreign(namespace: &Namespace) -> String {
    let script = "nft -s list table inet foreign; nft list table bridge foreign; nft list table ip nat; \
        ip -d link show theirs0 | grep -v timer; ip address show theirs0; ip link show theirs1; \
        ip route; ip -6 route";
    let told = namespace.sh(script).ok().stdout;
    let own = |line: &&str| !line.contains("tank");
    told.lines().filter(own).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_interface_of_a_pod_and_the_name_of_its_namespace() {
    let scene = Scene::new();
    let (port, bridge) = (&scene.port, &scene.bridge);
    scene.heals(&format!("ip link del {port}"), &format!("interface {port} is missing"));
    let off = format!("interface {port} is not on bridge {bridge}");
    scene.heals(&format!("ip link set {port} nomaster"), &off);
    scene.heals(&format!("ip link set {port} master theirs0"), &off);
    scene.heals(&format!("ip link set {port} down"), &format!("interface {port} is down"));
    // The kernel may have the bridge follow.
    scene.heals(&format!("ip link set {port} mtu 1300"), "is 1300, not 1500");
    let delete = format!("ip -n {}-web link del eth0", scene.table);
    scene.heals(&delete, &format!("interface {port} is missing"));
    let name = format!("/run/netns/{}-web", scene.table);
    scene.heals(&format!("rm {name}"), &format!("{name} is missing"));
    let told = scene.machine.namespace.ip(&format!("netns exec {}-web ip -o address", scene.table));
    assert!(told.contains("eth0"), "{told}");
}

#[test]
fn the_bridge() {
    let scene = Scene::new();
    let bridge = &scene.bridge;
    let missing = format!("bridge {bridge} is missing");
    scene.heals(&format!("ip link del {bridge}"), &missing);
    scene.heals(&format!("ip link set {bridge} down"), &format!("bridge {bridge} is down"));
    let mtu = format!("the MTU of bridge {bridge} is 1400, not 1500");
    scene.heals(&format!("ip link set {bridge} mtu 1400"), &mtu);
    let lacks = format!("bridge {bridge} lacks its address");
    for family in ["-4", "-6"] {
        let script = format!("ip {family} address flush dev {bridge} scope global");
        scene.heals(&script, &lacks);
    }
}

#[test]
fn the_tables_of_the_packet_filter() {
    let scene = Scene::new();
    let table = &scene.table;
    scene.heals(&format!("nft delete table inet {table}"), &format!("table inet {table}"));
    scene.heals(&format!("nft delete table bridge {table}"), &format!("table bridge {table}"));
    scene.heals(&format!("nft flush table inet {table}"), "firewall");
    scene.heals(&format!("nft flush table bridge {table}"), "firewall");
    scene.heals(&format!("nft flush chain inet {table} forward"), "firewall");
    scene.heals(&format!("nft flush chain inet {table} publish"), "firewall");
    let all = format!("nft delete table inet {table}; nft delete table bridge {table}");
    scene.heals(&all, "firewall");
}

#[test]
fn entries_and_rules_of_the_packet_filter() {
    let scene = Scene::new();
    let table = &scene.table;
    scene.heals(&format!("nft add rule inet {table} forward drop"), "firewall");
    scene.heals(&format!("nft insert rule inet {table} postrouting accept"), "firewall");
    let first = "$(nft -a list chain inet TABLE forward | sed -n 's/.*# handle //p' | sed -n 2p)";
    let first = first.replace("TABLE", table);
    scene.heals(&format!("nft delete rule inet {table} forward handle {first}"), "firewall");
    for (map, key) in [
        ("published4", "tcp . 8080"),
        ("published6", "tcp . 8080"),
        ("bound4", "127.0.0.1 . tcp . 9090"),
    ] {
        let delete = format!("nft delete element inet {table} {map} '{{ {key} }}'");
        scene.heals(&delete, "the firewall's entries of its ports were changed");
    }
    let flush = |set: &str| format!("nft flush set inet {table} {set}");
    scene.heals(&flush("isolated4"), "isolated: false -> true");
    scene.heals(&flush("isolated6"), "isolated: false -> true");
    scene.heals(&flush("guarded4"), "guarded interfaces");
    let flush = format!("nft flush set bridge {table} isolated");
    scene.heals(&flush, "isolated: false -> true");
}

#[test]
fn kernel_parameters() {
    let scene = Scene::new();
    let bridge = &scene.bridge;
    for name in [
        format!("ipv4/conf/{bridge}/forwarding"),
        format!("ipv4/conf/{bridge}/route_localnet"),
        "ipv4/conf/up0/forwarding".to_owned(),
    ] {
        let cause = format!("net.{} is not 1", name.replace('/', "."));
        scene.heals(&format!("echo 0 > /proc/sys/net/{name}"), &cause);
    }
    // Of IPv6, which of them it is depends on the kernel.
    let all = "for f in /proc/sys/net/ipv6/conf/*/force_forwarding \
        /proc/sys/net/ipv6/conf/all/forwarding; do [ ! -e $f ] || echo 0 > $f; done";
    scene.heals(all, "net.ipv6.conf.");
    // Turning it off and on sets all interfaces.
    let all = "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv4/ip_forward";
    scene.heals(all, "forwarding is not 1");
}

/// A pod whose pinned namespace is gone from the file system cannot be entered any more: its
/// container is made anew.
#[test]
fn the_pinned_namespace() {
    let scene = Scene::new();
    let machine = &scene.machine;
    let pinned = machine.tank.run_root().join("pods/web/ns/net");
    rustix::mount::unmount(&pinned, rustix::mount::UnmountFlags::DETACH).unwrap();
    let plan = machine.tank.run(["plan", "--detailed-exitcode"]);
    assert_eq!(plan.status.code(), Some(2), "{plan}");
    assert!(plan.stdout.contains("web"), "{plan}");
    machine.tank.run(["reconcile"]).ok();
    machine.assert_settled();
    scene.assert_flows();
    let others = ["client", "alone"].map(|pod| machine.tank.pid(pod));
    assert_eq!(others.as_slice(), &scene.pids[1..], "no other pod was restarted");
    assert_eq!(foreign(&machine.namespace), scene.foreign);
}

/// A pass in the foreground that once could not read its settings reads them again.
#[test]
fn settings_that_were_broken_for_a_while_are_read_again() {
    let machine = Machine::new();
    machine.tank.apply(&server("web", "", "[]")).ok();
    let repeated = machine.tank.start(["reconcile", "--every", "100ms"]);
    let settings = machine.tank.root().join("config.toml");
    std::fs::write(&settings, "[network\n").unwrap();
    repeated.await_stderr("config.toml", SOON);
    let table = machine.tank.base();
    machine.namespace.nft(&format!("delete table inet {table}"));
    std::fs::remove_file(&settings).unwrap();
    wait::until("the table again", SOON, || {
        let tables = machine.namespace.sh("nft list tables").ok().stdout;
        tables.contains(&table).then_some(())
    });
    send(repeated.pid(), rustix::process::Signal::TERM);
    repeated.finish(SOON).exits(0);
}
