//! A server from an image, on the host's network.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::load;
use crate::support::pods::SOON;
use crate::support::{Tank, fixtures, wait};

/// What a server answers to a request for a path; `None` if nobody listens yet.
fn get(server: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(server).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Some(answer)
}

#[test]
fn busybox_serves_a_file_over_http() {
    let tank = Tank::new();
    load(&tank, &fixtures::busybox_image().docker_archive());
    // Free now; nobody else is given it for a while.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = free.local_addr().unwrap();
    drop(free);
    let pod = format!(
        "name = 'web'\nnetwork = 'host'\nstop_timeout = '1s'\n[[containers]]\nname = 'app'\n\
         image = 'localhost/busybox:1'\ncommand = ['httpd', '-f', '-p', '{server}', '-h', '/www']\n"
    );
    tank.apply(&pod).ok();
    let answer = wait::until("an answer of httpd", SOON, || get(server, "/index.html"));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nserved by busybox\n"), "{answer}");
    // A whiteout hides it.
    assert!(get(server, "/removed").unwrap().starts_with("HTTP/1.1 404 "));

    tank.run(["delete", "web"]).ok();
    assert_eq!(get(server, "/index.html"), None);
}
