//! What counts as a good answer, and where it is looked for.

use std::io::Write;
use std::net::TcpListener;

use super::{SLEEP, await_ready, has, pod, probe, sh};
use crate::support::{Tank, wait};

/// What the readiness probe of the pod's container says.
#[track_caller]
fn detail(tank: &Tank) -> String {
    wait::until("a detail", super::SOON, || {
        let life = tank.lives("web").pop()?;
        Some(life["probes"][0]["detail"].as_str()?.to_owned())
    })
}

#[test]
fn a_command_is_well_when_it_returns_0() {
    let tank = Tank::new();
    tank.apply(&pod(SLEEP, "", &probe("readiness", &has("/tmp/ready"), "failures = 1"))).ok();
    assert_eq!(detail(&tank), "exit code 1");
    let listed = tank.listed("web");
    assert_eq!((&listed["status"], &listed["ready"]), (&"unready".into(), &0.into()), "{listed}");
    assert!(listed["reasons"][0].as_str().unwrap().contains("readiness probe"), "{listed}");
    sh(&tank, "touch /tmp/ready");
    await_ready(&tank, 1);
    assert_eq!(tank.listed("web")["status"], "running");
    sh(&tank, "rm /tmp/ready");
    await_ready(&tank, 0);
    let life = tank.lives("web").pop().unwrap();
    assert_eq!((&life["attempt"], &life["state"]), (&1.into(), &"running".into()), "{life}");
    assert_eq!(life["ready"], false);
}

#[test]
fn what_a_command_says_is_told() {
    let tank = Tank::new();
    let check = "exec = ['/bin/sh', '-c', 'echo out of order >&2; exit 7']";
    tank.apply(&pod(SLEEP, "", &probe("readiness", check, ""))).ok();
    assert_eq!(detail(&tank), "exit code 7: out of order");
    let described = tank.run(["describe", "web"]).ok().stdout;
    assert!(described.contains("exit code 7: out of order"), "{described}");
}

#[test]
fn a_command_that_is_not_there_is_not_well() {
    let tank = Tank::new();
    tank.apply(&pod(SLEEP, "", &probe("readiness", "exec = ['/no/check']", "failures = 1"))).ok();
    assert!(detail(&tank).contains("/no/check"), "{}", detail(&tank));
    wait::until("a failure", super::SOON, || {
        let life = tank.lives("web").pop()?;
        (life["probes"][0]["passing"] == false).then_some(())
    });
}

/// The server is the pod's own: one of the machine on the same port does not count.
#[test]
fn a_port_is_that_of_the_pod() {
    let machine = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = machine.local_addr().unwrap().port();
    let tank = Tank::new();
    let check = format!("tcp = {{ port = {port} }}");
    tank.apply(&pod(SLEEP, "", &probe("readiness", &check, ""))).ok();
    assert!(detail(&tank).contains("Connection refused"), "{}", detail(&tank));
    tank.run(["exec", "-d", "web", "--", "httpd", "-f", "-p", &port.to_string()]).ok();
    await_ready(&tank, 1);
}

#[test]
fn a_server_on_the_ipv6_loopback_is_found_too() {
    let tank = Tank::new();
    let server = "httpd -f -p [::1]:8080 -h /www";
    tank.apply(&pod(
        server,
        "stop_timeout = '0s'",
        &probe("readiness", "tcp = { port = 8080 }", ""),
    ))
    .ok();
    await_ready(&tank, 1);
}

#[test]
fn an_http_server_is_well_from_200_to_399() {
    let tank = Tank::new();
    let keys = "stop_timeout = '0s'";
    let server = "httpd -f -p 8080 -h /www";
    let check = |path: &str| {
        probe("readiness", &format!("http = {{ port = 8080, path = '{path}' }}"), "failures = 1")
    };
    tank.apply(&pod(server, keys, &check("/index.html"))).ok();
    await_ready(&tank, 1);
    // The probe is another one from now on; the container is not.
    tank.apply(&pod(server, keys, &check("/missing"))).ok();
    await_ready(&tank, 0);
    wait::until("the answer", super::SOON, || {
        (detail(&tank) == "GET /missing answered 404").then_some(())
    });
    // A directory without its slash is a redirection.
    sh(&tank, "mkdir /www/dir; touch /www/dir/index.html");
    tank.apply(&pod(server, keys, &check("/dir"))).ok();
    await_ready(&tank, 1);
    assert_eq!(tank.lives("web").len(), 1);
}

/// On the machine's own network the server is the machine's: one of the test's own.
#[test]
fn what_speaks_no_http_is_not_well() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let tank = Tank::new();
    let check = probe("readiness", &format!("http = {{ port = {port} }}"), "failures = 1");
    let pod = pod(SLEEP, "", &check).replace("network = \"none\"", "network = \"host\"");
    tank.apply(&pod).ok();
    let (mut client, _) = server.accept().unwrap();
    client.write_all(b"220 mail.example ESMTP\r\n").unwrap();
    drop(client);
    let expected = format!("what answers on port {port} is no HTTP server");
    wait::until("the answer", super::SOON, || (detail(&tank) == expected).then_some(()));
}

#[test]
fn a_server_that_never_answers_is_late() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let tank = Tank::new();
    let check = format!("http = {{ port = {port} }}");
    let check = probe("readiness", &check, "timeout = '300ms'\nfailures = 1");
    let pod = pod(SLEEP, "", &check).replace("network = \"none\"", "network = \"host\"");
    tank.apply(&pod).ok();
    assert_eq!(detail(&tank), "no answer within 300ms");
}
