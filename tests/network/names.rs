//! How pods find each other: `/etc/hosts` and `/etc/resolv.conf`.

use super::{Machine, RAW, SLEEP, idle, of_machine, pod, server};
use crate::support::immutable::Immutable;

#[test]
fn a_pod_reaches_another_by_its_names_over_both_families() {
    let machine = Machine::new();
    machine.tank.apply(&(server("web", "", "[]") + &idle("client"))).ok();
    let (ipv4, ipv6) = machine.addresses("web");
    for url in ["http://web/name", "http://web.tank/name"] {
        assert_eq!(machine.await_fetch("client", url), "web\n");
    }
    for url in [format!("http://{ipv4}/name"), format!("http://[{ipv6}]/name")] {
        assert_eq!(machine.await_fetch("client", &url), "web\n");
    }
    for name in ["web", "web.tank"] {
        for (family, address) in [("-4", ipv4), ("-6", ipv6)] {
            let ping = format!("ping {family} -c 1 -W 2 {name}");
            let ping = machine.sh("client", &ping).ok();
            assert!(ping.stdout.contains(&address.to_string()), "{ping}");
        }
    }
}

#[test]
fn a_pod_finds_itself_by_its_host_name() {
    let machine = Machine::new();
    machine.tank.apply(&server("web", "hostname = 'front'", "[]")).ok();
    let (ipv4, ipv6) = machine.addresses("web");
    assert_eq!(machine.sh("web", "hostname").ok().stdout, "front\n");
    for name in ["front", "web", "localhost"] {
        assert_eq!(machine.await_fetch("web", &format!("http://{name}/name")), "web\n");
    }
    let hosts = machine.sh("web", "cat /etc/hosts").ok().stdout;
    for line in [format!("{ipv4}\tfront"), format!("{ipv6}\tfront"), "127.0.0.1\tlocalhost".into()]
    {
        assert!(hosts.lines().any(|own| own == line), "{hosts}");
    }
}

/// A program that has it open, or a bind mount of it, sees a new pod: the file is changed in place.
#[test]
fn hosts_file_is_the_same_file_after_pods_have_come_and_gone() {
    let machine = Machine::new();
    let watching = "exec 3</etc/hosts; trap 'exit 0' TERM; sleep 1000 & wait";
    machine.tank.apply(&pod("stays", "", watching)).ok();
    let pid = machine.tank.pid("stays");
    let inode = || machine.sh("stays", "stat -c %i /etc/hosts").ok().stdout;
    let hosts = || std::fs::read_to_string(format!("/proc/{pid}/fd/3")).unwrap();
    let (first, before) = (inode(), hosts());

    machine.tank.apply(&idle("guest")).ok();
    let (ipv4, ipv6) = machine.addresses("guest");
    let during = hosts();
    for address in [ipv4, ipv6] {
        let line = format!("{address}\tguest guest.tank");
        assert!(during.lines().any(|own| own == line), "{during}");
    }
    assert_eq!(inode(), first);

    machine.tank.run(["delete", "guest"]).ok();
    assert_eq!(hosts(), before);
    assert_eq!((inode(), machine.tank.pid("stays")), (first, pid));
}

#[test]
fn a_hosts_file_that_cannot_be_written_is_told_and_holds_up_no_other() {
    let machine = Machine::new();
    for name in ["one", "two"] {
        machine.tank.apply(&idle(name)).ok();
    }
    let hosts = |pod: &str| {
        let lives = machine.tank.lives(pod);
        let id = lives.last().unwrap()["id"].as_str().unwrap();
        machine.tank.root().join("containers").join(id).join("files/hosts")
    };
    let knows = |pod: &str| std::fs::read_to_string(hosts(pod)).unwrap().contains("guest.tank");
    for sealed in ["one", "two"] {
        let seal = Immutable::new(hosts(sealed));
        let guest = machine.tank.file("guest.toml", idle("guest"));
        let applied = machine.tank.run(["apply", "-f", guest.to_str().unwrap()]).exits(1);
        assert!(applied.stderr.contains("error: refresh-names: open "), "{applied}");
        for pod in ["one", "two"] {
            assert_eq!(knows(pod), pod != sealed, "{pod}");
        }
        // It is no fault of the pod that was applied.
        let guest = machine
            .tank
            .file("guest.toml", pod("guest", "dns = ['192.0.2.1']", SLEEP) + &idle("more"));
        let guest = guest.to_str().unwrap();
        let back = ["apply", "-f", guest, "--wait", "--rollback-on-failure"];
        machine.tank.run(back).exits(1);
        assert_eq!(machine.tank.listed("guest")["generation"], 2);
        let events = machine.tank.run(["events"]).ok().stdout;
        assert!(events.contains(": refresh-names: open "), "{events}");
        drop(seal);
        machine.tank.run(["reconcile"]).ok();
        assert!(knows(sealed));
        machine.tank.run(["delete", "guest", "more"]).ok();
        assert!(!knows(sealed));
    }
}

#[test]
fn a_pod_that_is_resolved_is_found_before_the_first_program_runs() {
    let machine = Machine::new();
    machine.tank.apply(&idle("first")).ok();
    let (ipv4, _) = machine.addresses("first");
    let script = "grep first.tank /etc/hosts; ping -4 -c 1 -W 2 first; echo done";
    machine.tank.apply(&(pod("second", "restart = 'never'", script) + RAW)).ok();
    let log = machine.tank.await_log("second", "done");
    assert!(log.contains(&format!("{ipv4}\tfirst first.tank")), "{log}");
    assert!(log.contains("1 packets received"), "{log}");
}

#[test]
fn servers_search_list_and_extra_hosts_are_changed_in_the_running_container() {
    let machine = Machine::new();
    let script = SLEEP;
    machine.tank.apply(&pod("web", "", script)).ok();
    let pid = machine.tank.pid("web");
    let read = |file: &str| machine.sh("web", &format!("cat /etc/{file}")).ok().stdout;
    let inodes = || machine.sh("web", "stat -c %i /etc/hosts /etc/resolv.conf").ok().stdout;
    let first = inodes();

    let keys = "dns = ['192.0.2.53', '2001:db8::53']\ndns_search = ['a.example', 'b.example']\n\
                extra_hosts = { 'db.example' = '192.0.2.10', 'six.example' = '2001:db8::1' }";
    let changed = machine.tank.file("changed.toml", pod("web", keys, script));
    let plan = machine.tank.run(["plan", "-f", changed.to_str().unwrap()]).ok().stdout;
    for field in ["dns: ", "dns_search: ", "update app"] {
        assert!(plan.contains(field), "{plan}");
    }
    machine.tank.run(["apply", "-f", changed.to_str().unwrap()]).ok();
    let resolver = read("resolv.conf");
    let expected = "search a.example b.example\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n";
    assert!(resolver.starts_with(expected), "{resolver}");
    let hosts = read("hosts");
    for line in ["192.0.2.10\tdb.example", "2001:db8::1\tsix.example"] {
        assert!(hosts.lines().any(|own| own == line), "{hosts}");
    }
    machine.assert_settled();

    machine.tank.apply(&pod("web", "", script)).ok();
    assert!(!read("resolv.conf").contains("192.0.2.53"));
    assert!(!read("hosts").contains("example"));
    assert_eq!((inodes(), machine.tank.pid("web")), (first, pid));
    machine.assert_settled();
}

#[test]
fn an_unprivileged_user_binds_port_80_and_pings_another_pod() {
    let machine = Machine::new();
    let ping = of_machine("pinger", "", &["sleep", "1000"])
        + "stop_signal = 'KILL'\nuser = '65534:65534'\ncapabilities = { drop = ['ALL'] }\n";
    let own = pod("web", "", "trap 'exit 0' TERM; httpd -f -p 80 -h /www & wait")
        + "user = 'guest'\ncapabilities = { drop = ['ALL'] }\n";
    machine.tank.apply(&(own + &ping + &idle("client"))).ok();
    assert_eq!(machine.await_fetch("client", "http://web/"), "served by busybox\n");
    // A copy has no capability of its own, by which the program would get more than its user has.
    machine.sh("pinger", "cp /bin/ping /tmp/ping").ok();
    for family in ["-4", "-6"] {
        machine.sh("pinger", &format!("/tmp/ping {family} -c 1 -W 2 web")).ok();
    }
}
