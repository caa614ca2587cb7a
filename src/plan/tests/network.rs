//! Pods on the bridge.

use std::collections::BTreeMap;

use super::notation::{check, generations, now, observed};
use crate::plan::{Action, Observed, plan};

#[test]
fn a_pod_is_connected_between_its_sandbox_and_its_start() {
    check(&[
        [
            "it is new",
            "app=nginx:1 network=bridge",
            "absent",
            "create-sandbox connect start/app/1: pod is new",
        ],
        [
            "a pass died before it was connected",
            "app=nginx:1 network=bridge",
            "ready",
            "connect: it is not on the network yet | start/app/1: pod is new",
        ],
        [
            "it had been stopped",
            "app=nginx:1 network=bridge",
            "absent on; app/1 stopped removed",
            "create-sandbox connect start/app/2: was stopped, should run",
        ],
        [
            "another host name takes another sandbox",
            "app=nginx:1 network=bridge => app=nginx:1 network=bridge hostname=www",
            "ready on; app/1 running",
            "stop/app/1 remove/app/1 remove-sandbox create-sandbox connect start/app/2: \
             hostname: web -> www",
        ],
        [
            "it comes to the bridge",
            "app=nginx:1 => app=nginx:1 network=bridge",
            "ready; app/1 running",
            "stop/app/1 remove/app/1 remove-sandbox create-sandbox connect start/app/2: \
             network: none -> bridge",
        ],
        [
            "it leaves the bridge",
            "app=nginx:1 network=bridge => app=nginx:1",
            "ready on; app/1 running",
            "stop/app/1 remove/app/1 remove-sandbox create-sandbox start/app/2: \
             network: bridge -> none",
        ],
    ]);
}

#[test]
fn what_runs_is_connected_anew_without_a_restart() {
    check(&[
        ["all is well", "app=nginx:1 network=bridge", "ready on; app/1 running", ""],
        [
            "something of the network was taken away",
            "app=nginx:1 network=bridge",
            "ready on drift=gone; app/1 running",
            "connect: gone",
        ],
        [
            "a program that ended waits while the network is healed",
            "app=nginx:1 network=bridge",
            "ready on drift=gone; app/1 code=1 ago=0s",
            "connect: gone | wake 1s",
        ],
        [
            "another port",
            "app=nginx:1 network=bridge ports=80:80 => app=nginx:1 network=bridge ports=81:80",
            "ready on=80:80; app/1 running",
            "connect: containers[app].ports: [80:80] -> [81:80]",
        ],
        [
            "no port any more",
            "app=nginx:1 network=bridge ports=80:80 => app=nginx:1 network=bridge",
            "ready on=80:80; app/1 running",
            "connect: containers[app].ports: [80:80] -> []",
        ],
        [
            "a pod that is done has nothing to be connected",
            "app=nginx:1 network=bridge restart=never",
            "absent on; app/1 code=0 removed",
            "",
        ],
    ]);
}

#[test]
fn what_is_left_of_the_network_goes_with_the_sandbox() {
    check(&[
        [
            "deleted",
            "app=nginx:1 network=bridge deleting",
            "ready on; app/1 running",
            "stop/app/1 remove/app/1 remove-sandbox forget: deleted",
        ],
        [
            "a pass died after it had removed the sandbox",
            "app=nginx:1 network=bridge stop",
            "absent left; app/1 stopped removed",
            "remove-sandbox: stopped by request",
        ],
        ["nothing is left", "app=nginx:1 network=bridge stop", "absent; app/1 stopped removed", ""],
    ]);
}

#[test]
fn a_change_names_the_addresses_it_exposes() {
    for (wanted, seen, exposes) in [
        ("ports=80:80", "absent", &["0.0.0.0:80/tcp", "[::]:80/tcp"][..]),
        ("ports=80:80,127.0.0.1:53:53/udp", "ready on=80:80", &["127.0.0.1:53/udp"]),
        ("ports=80:80", "ready on=80:80 closed drift=flushed", &["0.0.0.0:80/tcp", "[::]:80/tcp"]),
        ("ports=80:80", "ready on=80:80 drift=down", &[]),
    ] {
        let desired = generations(&format!("app=x network=bridge {wanted}"));
        let pods = BTreeMap::from([("web".parse().unwrap(), observed(&desired, seen))]);
        let plan = plan(&desired, &Observed { pods, ..Observed::default() }, now());
        let steps = plan.lanes.iter().flat_map(|lane| &lane.steps);
        let found = steps.filter_map(|step| match &step.action {
            Action::Connect { exposes } => Some(exposes.clone()),
            _ => None,
        });
        assert_eq!(found.collect::<Vec<_>>(), [exposes], "{wanted}, {seen}");
    }
}
