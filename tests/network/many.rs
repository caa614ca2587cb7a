//! A file of many pods.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Machine;
use crate::support::fixtures;

/// Pods that only sleep.
fn pods(count: usize) -> String {
    let rootfs = fixtures::busybox_rootfs();
    let pod = |n| {
        format!(
            "[[pods]]\nname = 'pod{n}'\n[[pods.containers]]\nname = 'app'\nrootfs = '{}'\n\
             command = ['sleep', '1000']\nstop_signal = 'KILL'\n",
            rootfs.display()
        )
    };
    (0..count).map(pod).collect()
}

/// Applies pods and deletes them again; gives how long each of both took.
fn come_and_go(machine: &Machine, count: usize, check: impl Fn()) -> [Duration; 2] {
    let applied = machine.tank.apply(&pods(count)).ok().elapsed;
    check();
    let names = (0..count).map(|n| format!("pod{n}"));
    let deleted = machine.tank.run(["delete".to_owned()].into_iter().chain(names)).ok().elapsed;
    [applied, deleted]
}

#[test]
fn two_hundred_have_addresses_and_names_and_go_again() {
    const ALL: usize = 200;
    let machine = Machine::new();
    let few = come_and_go(&machine, ALL / 4, || {});
    let many = come_and_go(&machine, ALL, || {
        let told = machine.tank.run(["network", "inspect", "-o", "json"]).ok().json();
        let of = |key: &str| -> BTreeSet<String> {
            let pods = told["pods"].as_array().unwrap().iter();
            pods.map(|pod| pod[key].as_str().unwrap().to_owned()).collect()
        };
        let (ipv4, ipv6) = (of("ipv4"), of("ipv6"));
        assert_eq!((ipv4.len(), ipv6.len()), (ALL, ALL), "{told}");
        for n in [0, 1, 99, 199] {
            let pod = format!("pod{n}");
            let hosts = machine.sh(&pod, "cat /etc/hosts").ok().stdout;
            for other in ["pod0", "pod42", "pod150", "pod199"].iter().filter(|o| **o != pod) {
                let (own4, own6) = machine.addresses(other);
                for address in [own4, own6] {
                    let line = format!("{address}\t{other} {other}.tank");
                    assert!(hosts.lines().any(|own| own == line), "{pod}: no {line:?}");
                }
            }
            let lines = hosts.lines().filter(|line| line.contains(".tank"));
            assert!(lines.count() >= 2 * (ALL - 1), "{hosts}");
        }
        machine.assert_settled();
    });
    assert!(!machine.namespace.ip("link").contains("tank"));
    // Each tells the others of itself, but what that takes is little beside its start.
    for ((what, few), many) in ["apply", "delete"].iter().zip(few).zip(many) {
        let per_pod = many.as_secs_f64() / 4.0 / few.as_secs_f64();
        assert!(per_pod < 3.0, "{what}: {few:?} for {} pods, {many:?} for {ALL}", ALL / 4);
    }
}
