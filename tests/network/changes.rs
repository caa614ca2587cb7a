//! What goes on while something else changes: a pod that ends, a machine that loses IPv6.

use super::client::{await_get, get};
use super::{HOST4, HOST6, Machine, OUTSIDE4, idle, pod, server};
use crate::support::pods::SOON;

#[test]
fn a_pod_that_takes_long_to_end_is_reached_until_it_does() {
    let (machine, outside) = Machine::and_outside();
    let script = "mkfifo /end; echo slow > /www/name; \
        trap 'echo ending; read _ < /end; exit 0' TERM; httpd -f -p 80 -h /www & wait";
    let slow = pod("slow", "", script) + "ports = ['8080:80']\n";
    machine.tank.apply(&(slow + &idle("client"))).ok();
    let addresses = [format!("{HOST4}:8080"), format!("[{HOST6}]:8080")];
    for address in &addresses {
        await_get(&outside, address, "/name");
    }
    let pid = machine.tank.pid("slow");
    let deleting = machine.tank.start(["delete", "slow"]);
    machine.tank.await_log("slow", "ending");
    machine.tank.apply(&server("other", "", "['9090:80']")).ok();
    await_get(&outside, &format!("{HOST4}:9090"), "/name");
    for address in &addresses {
        assert_eq!(get(&outside, address, "/name").as_deref(), Ok("slow"), "{address}");
    }
    assert_eq!(machine.fetch("client", "http://slow/name").as_deref(), Some("slow\n"));
    std::fs::write(format!("/proc/{pid}/root/end"), "now\n").unwrap();
    deleting.finish(SOON).ok();
    for address in &addresses {
        let refused = Err(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(get(&outside, address, "/name"), refused, "{address}");
    }
    machine.assert_settled();
}

#[test]
fn a_machine_that_loses_ipv6_goes_on_without_it() {
    let (machine, outside) = Machine::and_outside();
    machine.tank.apply(&(server("web", "", "['8080:80']") + &idle("client"))).ok();
    await_get(&outside, &format!("[{HOST6}]:8080"), "/name");
    let pid = machine.tank.pid("web");
    machine.namespace.set_sysctl("ipv6/conf/all/disable_ipv6", "1");
    machine.tank.run(["reconcile"]).ok();
    machine.assert_settled();
    machine.tank.apply(&server("new", "", "['9090:80']")).ok();
    machine.assert_settled();
    assert_eq!(machine.sh("new", "ip -6 -o address show dev eth0").ok().stdout, "");
    for (port, name) in [(8080, "web"), (9090, "new")] {
        assert_eq!(await_get(&outside, &format!("{HOST4}:{port}"), "/name"), name);
        let url = format!("http://{name}/name");
        assert_eq!(machine.await_fetch("client", &url), format!("{name}\n"));
    }
    assert!(machine.pings("client", OUTSIDE4));
    assert_eq!(machine.tank.pid("web"), pid);
    // Whoever has it back has it back for pods.
    machine.namespace.set_sysctl("ipv6/conf/all/disable_ipv6", "0");
    machine.namespace.ip(&format!("address replace {HOST6}/64 dev up0 nodad"));
    machine.tank.run(["reconcile"]).ok();
    machine.assert_settled();
    assert_eq!(await_get(&outside, &format!("[{HOST6}]:8080"), "/name"), "web");
    machine.tank.run(["delete", "web"]).ok();
}
