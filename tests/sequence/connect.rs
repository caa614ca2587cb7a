//! Pods that cannot be joined to the network.

use std::net::TcpListener;
use std::path::Path;

use super::obstacle::{InPlace, Until};
use super::{Row, SLEEP, container, pod, runs, sleeper};
use crate::support::Tank;
use crate::support::namespace::Namespace;

/// A pod on the bridge, with more keys of its container.
fn bridged(name: &str, keys: &str) -> String {
    pod(name, "network = 'bridge'", &container("app", SLEEP, keys))
}

/// A pod that does not get its ports gets nothing: of its steps only the one that failed is told.
#[test]
fn connect_to_a_port_that_is_taken() {
    let machine = Namespace::new();
    let tank = Tank::inside(&machine);
    let row = Row {
        before: "",
        trouble: |_: &Tank| machine.within(|| TcpListener::bind("127.0.0.1:8080").unwrap()),
        command: &["apply", "-f", "-"],
        file: &(bridged("web", "ports = ['8080:80']") + &bridged("zeta", "")),
        happens: "web: connect failed; \
            zeta: create-sandbox succeeded, connect succeeded, start/app/1 succeeded; \
            planned 4, executed 3, failed 1",
        errors: &[("pod/web: connect", &["port 8080:80", "is taken by", "pid "])],
        mends: "web: create-sandbox succeeded, connect succeeded, start/app/1 succeeded; \
            planned 3, executed 3, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert!(!runs(&tank, "web") && !tank.run_root().join("pods/web").exists());
    row.recovers(&tank, in_the_way);
    tank.pid("web");
}

#[test]
fn connect_to_a_bridge_that_is_somebody_elses() {
    let machine = Namespace::new();
    let tank = Tank::inside(&machine);
    let bridge = tank.base()[.."tank-".len() + 8].to_owned();
    let row = Row {
        before: "",
        trouble: |_: &Tank| {
            machine.ip(&format!("link add {bridge} type veth peer name other"));
            Until(|| drop(machine.ip(&format!("link delete {bridge}"))))
        },
        command: &["apply", "-f", "-"],
        file: &(bridged("web", "") + &sleeper("zeta")),
        happens: "web: create-sandbox succeeded, connect failed, start/app/1 interrupted; \
            zeta: create-sandbox succeeded, start/app/1 succeeded; \
            planned 5, executed 3, failed 1",
        errors: &[("pod/web: connect", &[&bridge])],
        // Nothing proves any more what the sandbox was made for.
        mends: "web: remove/app/1 succeeded, remove-sandbox succeeded, create-sandbox succeeded, \
            connect succeeded, start/app/2 succeeded; planned 5, executed 5, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert!(!runs(&tank, "web") && runs(&tank, "zeta"));
    row.recovers(&tank, in_the_way);
    tank.pid("web");
}

/// What runs of a pod goes on when its network cannot be healed.
#[test]
fn connect_of_a_pod_whose_name_somebody_took() {
    let machine = Namespace::new();
    let tank = Tank::inside(&machine);
    let row = Row {
        before: &bridged("web", ""),
        trouble: |tank: &Tank| {
            let name = Path::new("/run/netns").join(format!("{}-web", tank.base()));
            std::fs::remove_file(&name).unwrap();
            InPlace::new(name)
        },
        command: &["apply", "-f", "-"],
        file: &(bridged("web", "") + &bridged("zeta", "")),
        happens: "web: connect failed; \
            zeta: create-sandbox succeeded, connect succeeded, start/app/1 succeeded; \
            planned 4, executed 3, failed 1",
        errors: &[("pod/web: connect", &["/run/netns/", "-web", "File exists"])],
        mends: "web: connect succeeded; planned 1, executed 1, failed 0",
    };
    let in_the_way = row.fails(&tank);
    let pid = tank.pid("web");
    row.recovers(&tank, in_the_way);
    assert_eq!(tank.pid("web"), pid);
}
