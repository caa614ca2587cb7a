//! Programs of Debian on the network of pods.

use super::client::{answer_to, await_get};
use super::{HOST4, HOST6, Machine, of_machine};
use crate::support::fixtures::installed;
use crate::support::pods::SOON;
use crate::support::wait;

/// A pod of a program in the foreground, which ends when it is told to.
fn program(name: &str, package: &str, command: &[&str], ports: &str) -> String {
    installed(command[0], package);
    format!("{}ports = {ports}\n", of_machine(name, "", command))
}

/// One that does nothing, with all programs of the machine.
fn client() -> String {
    of_machine("client", "", &["sleep", "1000"]) + "stop_signal = 'KILL'\n"
}

#[test]
fn redis_is_asked_by_the_name_of_its_pod() {
    let machine = Machine::new();
    let command =
        ["redis-server", "--bind", "0.0.0.0", "::", "--protected-mode", "no", "--save", ""];
    machine.tank.apply(&(program("db", "redis-server", &command, "[]") + &client())).ok();
    installed("redis-cli", "redis-tools");
    let (ipv4, ipv6) = machine.addresses("db");
    for (n, host) in ["db", "db.tank", &ipv4.to_string(), &ipv6.to_string()].iter().enumerate() {
        let ask = |words: &str| machine.sh("client", &format!("redis-cli -h {host} {words}"));
        wait::until("an answer of redis", SOON, || (ask("PING").stdout == "PONG\n").then_some(()));
        assert_eq!(ask("INCR asked").ok().stdout, format!("{}\n", n + 1), "{host}");
    }
}

#[test]
fn nginx_is_asked_by_the_name_of_its_pod() {
    let machine = Machine::new();
    let config = "daemon off; pid /tmp/nginx.pid; error_log stderr; events {} \
        http { access_log off; server { listen 80; listen [::]:80; \
        location / { return 200 \"$remote_addr\\n\"; } } }";
    let script = format!("printf '%s' '{config}' > /tmp/nginx.conf; exec nginx -c /tmp/nginx.conf");
    installed("nginx", "nginx-light");
    let command = ["/bin/sh", "-c", script.as_str()];
    let web = program("web", "dash", &command, "['8080:80']");
    machine.tank.apply(&(web + &client())).ok();
    await_get(&machine.namespace, "127.0.0.1:8080", "/");
    let (ipv4, ipv6) = machine.addresses("client");
    for (family, own) in [("-4", ipv4), ("-6", ipv6)] {
        let curl = format!("curl -sS {family} --max-time 5 http://web/");
        assert_eq!(machine.sh("client", &curl).ok().stdout.trim(), own.to_string());
    }
}

/// Which IPv4 address `name.example` has, as RFC 1035 puts it.
const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04name\x07example\0\0\x01\0\x01";

#[test]
fn a_name_server_in_a_pod_answers_the_world() {
    let (machine, outside) = Machine::and_outside();
    let command = [
        "dnsmasq",
        "--keep-in-foreground",
        "--no-resolv",
        "--no-hosts",
        "--conf-file=/dev/null",
        "--user=root",
        "--pid-file",
        "--address=/name.example/192.0.2.7",
    ];
    let dns = program("dns", "dnsmasq-base", &command, "['5353:53/udp']");
    machine.tank.apply(&dns).ok();
    for address in [format!("{HOST4}:5353"), format!("[{HOST6}]:5353"), "127.0.0.1:5353".into()] {
        let from = if address.starts_with("127") { &machine.namespace } else { &outside };
        wait::until(&format!("an answer of {address}"), SOON, || {
            let answer = answer_to(from, &address, QUESTION)?;
            assert!(answer.ends_with(&[192, 0, 2, 7]), "{answer:?}");
            Some(())
        });
    }
}
