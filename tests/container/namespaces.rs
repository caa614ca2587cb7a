//! The namespaces of a container: what it has of its own, and what it shares.

use std::fs;

use super::{Boxed, SLEEPER};

const OWN: [&str; 6] = ["cgroup", "ipc", "mnt", "net", "pid", "uts"];

#[test]
fn every_namespace_is_its_own_and_exec_joins_all() {
    let boxed = Boxed::sleeping("");
    let pid = boxed.pid();
    for kind in OWN {
        let link = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
        let inside = boxed.sh(&format!("readlink /proc/self/ns/{kind}"));
        assert_ne!(link("self"), link(&pid.to_string()), "{kind}");
        assert_eq!(link(&pid.to_string()).to_str(), Some(inside.as_str()), "{kind}");
    }
}

#[test]
fn sees_only_its_own_processes_and_name() {
    let boxed = Boxed::new("hostname = \"inside.example\"", SLEEPER, "");
    assert_eq!(boxed.sh("hostname"), "inside.example");
    assert_eq!(boxed.sh("cat /etc/hostname"), "inside.example");
    assert_eq!(boxed.sh("cut -d ' ' -f 1 /proc/1/stat"), "1");
    // The program, its sleep, and what looks.
    let processes = boxed.sh("ls -d /proc/[0-9]* | wc -l");
    assert!(processes.parse::<u32>().unwrap() <= 6, "{processes}");
    assert_eq!(boxed.sh("cat /proc/self/cgroup | grep -c tank || true"), "0");
}

#[test]
fn without_a_network_there_is_a_loopback_that_works() {
    let boxed = Boxed::sleeping("");
    assert_eq!(boxed.sh("ls /sys/class/net"), "lo");
    assert!(boxed.sh("ip link show lo").contains("LOOPBACK,UP"), "lo is down");
    let served = "httpd -p 127.0.0.1:8080 -h /www && wget -q -O - http://127.0.0.1:8080/; \
                  killall httpd";
    assert_eq!(boxed.sh(served), "served by busybox");
    assert!(boxed.sh("cat /etc/hosts").contains("127.0.0.1\tlocalhost"));
}

#[test]
fn the_hosts_network_is_really_the_hosts() {
    let boxed = Boxed::new("network = \"host\"", SLEEPER, "");
    let host = fs::read_link("/proc/self/ns/net").unwrap();
    assert_eq!(host.to_str(), Some(boxed.sh("readlink /proc/self/ns/net").as_str()));
    for kind in ["ipc", "uts", "pid"] {
        let host = fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
        let inside = boxed.sh(&format!("readlink /proc/self/ns/{kind}"));
        assert_ne!(host.to_str(), Some(inside.as_str()), "{kind}");
    }
}
