//! Whose a port is: one pod's, a program's of the machine, or another pod's a moment later.

use serde_json::Value;

use super::client::{Server, await_get, echoes, get};
use super::{HOST4, HOST6, Machine, idle, server};
use crate::support::pods::SOON;
use crate::support::wait;

/// Applies pods of which one, `late`, gets nothing because somebody has its port; asserts that this
/// somebody is named, that nothing of it is there, and that the others run.
#[track_caller]
fn assert_refused(machine: &Machine, pods: &str, port: &str, owner: &str) {
    let mut command = machine.tank.command(["apply", "-f", "-", "-o", "json"]);
    let applied = machine.tank.run_with(&mut command, pods.as_bytes()).exits(1).json();
    let errors: Vec<&Value> = applied["errors"].as_array().unwrap().iter().collect();
    assert_eq!(errors.len(), 1, "{applied}");
    assert_eq!((&applied["failed"], &errors[0]["pod"]), (&1.into(), &"late".into()), "{applied}");
    let text = errors[0]["error"].as_str().unwrap();
    assert!(text.contains(port) && text.contains(owner), "{text:?} has no {port} or no {owner}");
    assert_absent(machine);
    machine.tank.pid("other");
}

/// Asserts that nothing of the pod `late` is there.
#[track_caller]
fn assert_absent(machine: &Machine) {
    let world = machine.tank.world();
    let named = |text: &str| text.contains("late");
    assert!(!world.processes.iter().any(|(_, line)| named(line)), "{world:#?}");
    assert!(!world.network.iter().any(|line| named(line)), "{world:#?}");
    assert!(!world.mounts.iter().any(|line| named(line)), "{world:#?}");
    let running = machine.tank.lives("late").iter().any(|life| life["state"] == "running");
    assert!(!running, "{:?}", machine.tank.lives("late"));
}

/// Asserts that a pass starts the pod `late` now, and that it is reached.
#[track_caller]
fn assert_starts(machine: &Machine, address: &str) {
    machine.tank.run(["reconcile"]).ok();
    machine.tank.pid("late");
    assert_eq!(await_get(&machine.namespace, address, "/name"), "late");
    machine.assert_settled();
}

#[test]
fn a_port_of_another_pod_is_refused_until_that_one_is_gone() {
    let machine = Machine::new();
    machine.tank.apply(&server("first", "", "['8080:80']")).ok();
    let pid = machine.tank.pid("first");
    let pods = server("late", "", "['8000:80', '8080:80']") + &idle("other");
    assert_refused(&machine, &pods, "8080", "pod first");
    // A pass tries again, and says so again; the owner keeps what it has.
    let pass = machine.tank.run(["reconcile", "-o", "json"]).exits(1).json();
    assert_eq!(pass["errors"][0]["pod"], "late", "{pass}");
    assert_absent(&machine);
    assert_eq!(machine.tank.pid("first"), pid);
    assert_eq!(await_get(&machine.namespace, "127.0.0.1:8080", "/name"), "first");
    assert!(get(&machine.namespace, "127.0.0.1:8000", "/name").is_err());

    machine.tank.run(["delete", "first"]).ok();
    assert_starts(&machine, "127.0.0.1:8080");
}

#[test]
fn ports_that_overlap_in_part_are_refused_as_well() {
    let machine = Machine::new();
    machine.tank.apply(&server("first", "", "['8000-8010:80-90', '127.0.0.1:9000:80']")).ok();
    for ports in ["['8010:80']", "['127.0.0.1:8005:80']", "['9000:80']", "['[::]:8001:80']"] {
        let pods = server("late", "", ports) + &idle("other");
        assert_refused(&machine, &pods, "", "pod first");
    }
    // Another protocol, another address and another family are other ports.
    let free = "['8000:80/udp', '127.0.0.2:9000:80', '[::]:9000:80']";
    machine.tank.apply(&server("late", "", free)).ok();
    assert_eq!(await_get(&machine.namespace, "127.0.0.2:9000", "/name"), "late");
    assert_eq!(await_get(&machine.namespace, "127.0.0.1:9000", "/name"), "first");
}

#[test]
fn a_port_of_a_program_of_the_machine_is_refused_until_that_one_ends() {
    for address in ["127.0.0.1:8080", "0.0.0.0:8080", "[::]:8080"] {
        let machine = Machine::new();
        let program = Server::new(&machine.namespace, address);
        let pods = server("late", "", "['8080:80']") + &idle("other");
        let owner = format!("pid {} (", std::process::id());
        assert_refused(&machine, &pods, "8080", &owner);
        drop(program);
        assert_starts(&machine, "127.0.0.1:8080");
    }
}

#[test]
fn a_program_that_takes_packets_has_its_port_too() {
    let machine = Machine::new();
    let bind = || std::net::UdpSocket::bind("127.0.0.1:5353").unwrap();
    let program = machine.namespace.within(bind);
    let pods = server("late", "", "['8080:80', '5353:53/udp']") + &idle("other");
    let owner = format!("pid {} (", std::process::id());
    assert_refused(&machine, &pods, "5353", &owner);
    drop(program);
    assert_starts(&machine, "127.0.0.1:8080");
    assert!(!echoes(&machine.namespace, "127.0.0.1:5353"));
}

/// A program that begins to listen later takes nothing from a pod, and does not keep it from being
/// healed or changed.
#[test]
fn a_program_that_comes_later_does_not_take_the_port() {
    let machine = Machine::new();
    machine.tank.apply(&server("web", "", "['8080:80']")).ok();
    await_get(&machine.namespace, "127.0.0.1:8080", "/name");
    let _program = Server::new(&machine.namespace, "127.0.0.1:8080");
    assert_eq!(get(&machine.namespace, "127.0.0.1:8080", "/name").unwrap(), "web");
    machine.tank.apply(&server("web", "", "['8080:80', '8081:80']")).ok();
    assert_eq!(await_get(&machine.namespace, "127.0.0.1:8081", "/name"), "web");
    machine.assert_settled();
}

#[test]
fn ports_are_changed_while_the_pod_runs() {
    let (machine, outside) = Machine::and_outside();
    machine.tank.apply(&server("web", "", "['8080:80', '8443:80']")).ok();
    let pid = machine.tank.pid("web");
    for address in [HOST4, &format!("[{HOST6}]")] {
        await_get(&outside, &format!("{address}:8080"), "/name");
    }

    let pods = server("web", "", "['9090:80', '8443:80']");
    let changed = machine.tank.file("changed.toml", &pods);
    let args = ["plan", "-f", changed.to_str().unwrap()];
    let plan = machine.tank.run(args).ok().stdout;
    let cause = "containers[app].ports: [8080:80, 8443:80] -> [8443:80, 9090:80]";
    assert!(plan.contains(cause) && plan.contains("connect to the network"), "{plan}");
    assert!(plan.contains("exposes") && plan.contains("0.0.0.0:9090/tcp"), "{plan}");
    assert!(plan.contains("[::]:9090/tcp") && !plan.contains("0.0.0.0:8443"), "{plan}");
    let told = machine.tank.run([&args[..], &["-o", "json"]].concat()).ok().json();
    assert_eq!(told["changes"], 1, "{told}");
    let exposes = serde_json::json!(["0.0.0.0:9090/tcp", "[::]:9090/tcp"]);
    assert_eq!(told["steps"][0]["exposes"], exposes, "{told}");

    machine.tank.run(["apply", "-f", changed.to_str().unwrap()]).ok();
    assert_eq!(machine.tank.pid("web"), pid);
    for address in [HOST4, &format!("[{HOST6}]")] {
        assert_eq!(get(&outside, &format!("{address}:9090"), "/name").unwrap(), "web");
        assert_eq!(get(&outside, &format!("{address}:8443"), "/name").unwrap(), "web");
        let refused = get(&outside, &format!("{address}:8080"), "/name");
        assert_eq!(refused, Err(std::io::ErrorKind::ConnectionRefused));
    }
    machine.assert_settled();
}

#[test]
fn a_port_moves_from_one_pod_to_another_in_one_pass() {
    let (machine, outside) = Machine::and_outside();
    let pods = |web: &str, db: &str| server("web", "", web) + &server("db", "", db);
    machine.tank.apply(&pods("['8080:80', '8081:80']", "['9090:80']")).ok();
    let addresses = |port: u16| [format!("{HOST4}:{port}"), format!("[{HOST6}]:{port}")];
    for address in [8080, 9090].map(addresses).as_flattened() {
        await_get(&outside, address, "/name");
    }
    let pids = ["web", "db"].map(|pod| machine.tank.pid(pod));
    for (web, db, owners) in [
        ("['8081:80']", "['8080:80', '9090:80']", [(8080, "db"), (8081, "web"), (9090, "db")]),
        ("['8080:80', '8081:80']", "['9090:80']", [(8080, "web"), (8081, "web"), (9090, "db")]),
        ("['9090:80', '8081:80']", "['8080:80']", [(8080, "db"), (8081, "web"), (9090, "web")]),
        ("['8080:80']", "['8081:80', '9090:80']", [(8080, "web"), (8081, "db"), (9090, "db")]),
    ] {
        machine.tank.apply(&pods(web, db)).ok();
        for (port, owner) in owners {
            for address in addresses(port) {
                let got = get(&outside, &address, "/name");
                assert_eq!(got.as_deref(), Ok(owner), "{address} with {web} and {db}");
            }
        }
        machine.assert_settled();
    }
    assert_eq!(["web", "db"].map(|pod| machine.tank.pid(pod)), pids);
}

#[test]
fn a_change_to_a_port_that_is_taken_leaves_the_pod_as_it_was() {
    let machine = Machine::new();
    machine.tank.apply(&(server("web", "", "['8080:80']") + &server("db", "", "['5432:80']"))).ok();
    let pid = machine.tank.pid("web");
    let failed = machine.tank.apply(&server("web", "", "['5432:80']")).exits(1);
    assert!(failed.stderr.contains("pod db"), "{failed}");
    for _ in 0..3 {
        machine.tank.run(["reconcile"]).exits(1);
        assert_eq!(machine.tank.pid("web"), pid);
        assert_eq!(await_get(&machine.namespace, "127.0.0.1:5432", "/name"), "db");
        assert_eq!(await_get(&machine.namespace, "127.0.0.1:8080", "/name"), "web");
    }
    let told = machine.tank.run(["describe", "web", "-o", "json"]).ok().json();
    assert_eq!(told["instances"].as_array().unwrap().len(), 1, "{told}");
    machine.tank.run(["delete", "db"]).ok();
    machine.tank.run(["reconcile"]).ok();
    assert_eq!(await_get(&machine.namespace, "127.0.0.1:5432", "/name"), "web");
    assert!(get(&machine.namespace, "127.0.0.1:8080", "/name").is_err());
    assert_eq!(machine.tank.pid("web"), pid);
}

#[test]
fn ports_of_a_deleted_pod_answer_no_more() {
    let (machine, outside) = Machine::and_outside();
    machine.tank.apply(&(server("web", "", "['8080:80']") + &idle("stays"))).ok();
    await_get(&outside, &format!("{HOST4}:8080"), "/name");
    machine.tank.run(["delete", "web"]).ok();
    wait::until("the port to be closed", SOON, || {
        let refused = Err(std::io::ErrorKind::ConnectionRefused);
        (get(&outside, &format!("{HOST4}:8080"), "/name") == refused).then_some(())
    });
}
