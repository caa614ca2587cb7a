//! Pods on the bridge: who reaches whom, by which names, and what becomes of it when somebody
//! meddles with it.
//!
//! Every test has a machine of its own: a network namespace in which tank runs. Another namespace
//! is the world outside of it.

mod addresses;
mod beside;
mod changes;
mod client;
mod filter;
mod forged;
mod healing;
mod isolation;
mod many;
mod names;
mod outside;
mod ports;
mod programs;
mod traces;
mod world;

use std::net::IpAddr;

use crate::support::namespace::Namespace;
use crate::support::pods::SOON;
use crate::support::program::Output;
use crate::support::{Tank, fixtures, wait};

/// Addresses of the machine, and of a host outside of it.
const HOST4: &str = "198.18.0.1";
const HOST6: &str = "fd00:18::1";
const OUTSIDE4: &str = "198.18.0.2";
const OUTSIDE6: &str = "fd00:18::2";

/// A machine with a tank.
struct Machine {
    tank: Tank,
    namespace: Namespace,
}

impl Machine {
    /// One that is connected to nothing.
    fn new() -> Self {
        let namespace = Namespace::new();
        Self { tank: Tank::inside(&namespace), namespace }
    }

    /// One with a host outside of it, by which its default route goes.
    fn and_outside() -> (Self, Namespace) {
        let (machine, outside) = (Self::new(), Namespace::new());
        let path = outside.path();
        machine.namespace.ip(&format!("link add up0 type veth peer name out0 netns {path}"));
        for (namespace, interface, own4, own6) in
            [(&machine.namespace, "up0", HOST4, HOST6), (&outside, "out0", OUTSIDE4, OUTSIDE6)]
        {
            namespace.ip(&format!("address add {own4}/30 dev {interface}"));
            namespace.ip(&format!("address add {own6}/64 dev {interface} nodad"));
            namespace.ip(&format!("link set {interface} up"));
        }
        machine.namespace.ip(&format!("route add default via {OUTSIDE4}"));
        machine.namespace.ip(&format!("-6 route add default via {OUTSIDE6}"));
        // The kernel takes its time until it uses a link that has just come up.
        for (from, to) in [(&outside, HOST4), (&outside, HOST6), (&machine.namespace, OUTSIDE6)] {
            wait::until("a link to the world outside", SOON, || {
                from.sh(&format!("ping -c 1 -W 1 {to}")).status.success().then_some(())
            });
        }
        (machine, outside)
    }

    /// Sets whether packets between ports of a bridge pass the rules for routed ones
    /// (br_netfilter).
    fn filter_bridges(&self, value: &str) {
        for name in ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"] {
            if std::fs::exists(format!("/proc/sys/net/bridge/{name}")).unwrap() {
                self.namespace.set_sysctl(&format!("bridge/{name}"), value);
            }
        }
    }

    /// Runs a shell script in a pod.
    #[must_use = "assert how it ended: ok() or exits(CODE)"]
    #[track_caller]
    fn sh(&self, pod: &str, script: &str) -> Output {
        self.tank.run(["exec", pod, "--", "sh", "-c", script])
    }

    /// What a pod gets from a URL, or nothing where it gets no answer.
    #[track_caller]
    fn fetch(&self, pod: &str, url: &str) -> Option<String> {
        let wget = ["exec", pod, "--", "timeout", "1", "wget", "-q", "-O", "-", url];
        let fetched = self.tank.run(wget);
        (fetched.status.code() == Some(0)).then_some(fetched.stdout)
    }

    /// The same, once there is an answer.
    #[track_caller]
    fn await_fetch(&self, pod: &str, url: &str) -> String {
        wait::until(&format!("{pod} to get {url}"), SOON, || self.fetch(pod, url))
    }

    /// Whether a pod gets an answer to one ping.
    #[track_caller]
    fn pings(&self, pod: &str, target: &str) -> bool {
        let ping = ["exec", pod, "--", "ping", "-c", "1", "-W", "1", target];
        self.tank.run(ping).status.success()
    }

    /// The addresses of a pod's interface: of IPv4, and of IPv6.
    #[track_caller]
    fn addresses(&self, pod: &str) -> (IpAddr, IpAddr) {
        let told = self.sh(pod, "ip -o address show dev eth0 scope global").ok().stdout;
        let words = told.split_whitespace().filter_map(|word| word.split_once('/'));
        let all: Vec<IpAddr> = words.filter_map(|(address, _)| address.parse().ok()).collect();
        assert!(all.len() == 2 && all[0].is_ipv4() && all[1].is_ipv6(), "{told}");
        (all[0], all[1])
    }

    /// Asserts that a plan says nothing is to do.
    #[track_caller]
    fn assert_settled(&self) {
        let plan = self.tank.run(["plan", "--detailed-exitcode"]);
        assert!(plan.status.success(), "{plan}");
        assert!(plan.stdout.contains("nothing to do"), "{plan}");
    }
}

/// A pod on the bridge, of one container that runs a shell script. Of several such texts a file can
/// be made; further keys of the container may follow.
fn pod(name: &str, keys: &str, script: &str) -> String {
    let rootfs = fixtures::busybox_rootfs();
    format!(
        "[[pods]]\nname = '{name}'\n{keys}\n[[pods.containers]]\nname = 'app'\n\
         rootfs = '{}'\ncommand = ['/bin/sh', '-c', '''{script}''']\n",
        rootfs.display()
    )
}

/// What busybox needs to ping.
const RAW: &str = "capabilities = { add = ['NET_RAW'] }\n";

/// One that does nothing, but may ping.
fn idle(name: &str) -> String {
    pod(name, "", SLEEP) + RAW
}

const SLEEP: &str = "trap 'exit 0' TERM; sleep 1000 & wait";

/// One of a program of this machine, which has more of them than busybox.
fn of_machine(name: &str, keys: &str, command: &[&str]) -> String {
    let command = serde_json::to_string(command).unwrap();
    format!(
        "[[pods]]\nname = '{name}'\n{keys}\n[[pods.containers]]\nname = 'app'\nrootfs = '/'\n\
         command = {command}\n"
    )
}

/// One with a web server on port 80, whose `/cgi-bin/who` says from which address it is asked.
fn server(name: &str, keys: &str, ports: &str) -> String {
    let script = format!(
        "mkdir -p /www/cgi-bin; \
         printf '#!/bin/sh\\necho; echo \"$REMOTE_ADDR\"\\n' > /www/cgi-bin/who; \
         chmod 755 /www/cgi-bin/who; echo {name} > /www/name; trap 'exit 0' TERM; \
         httpd -f -p 80 -h /www & wait"
    );
    format!("{}ports = {ports}\n", pod(name, keys, &script))
}
