//! Programs of the machine, or of the world outside: who asks a web server, and who is one.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use crate::support::namespace::Namespace;
use crate::support::pods::SOON;
use crate::support::wait;

/// How long an answer may take that is to come, on a machine that has much else to do; and how long
/// a test waits for one that is not.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a web server answers to a question for `path`, asked from a namespace.
pub(super) fn get(from: &Namespace, address: &str, path: &str) -> Result<String, ErrorKind> {
    let address: SocketAddr = address.parse().unwrap();
    let asked = from.within(|| {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    });
    let answer = asked.map_err(|error| error.kind())?;
    let (_, body) = answer.split_once("\r\n\r\n").or(answer.split_once("\n\n")).unwrap();
    Ok(body.trim_end().to_owned())
}

/// The same, once there is an answer.
#[track_caller]
pub(super) fn await_get(from: &Namespace, address: &str, path: &str) -> String {
    let what = format!("an answer of {address}{path}");
    wait::until(&what, SOON, || get(from, address, path).ok())
}

/// From which address a server of [`super::server`] is asked by somebody who asks it at `address`.
/// What IPv6 shows of IPv4 is IPv4.
#[track_caller]
pub(super) fn seen(from: &Namespace, address: &str) -> String {
    let seen = await_get(from, address, "/cgi-bin/who");
    let seen = seen.trim_start_matches('[').trim_end_matches(']');
    seen.trim_start_matches("::ffff:").to_owned()
}

/// What comes back for a packet that is sent to `address` from a namespace.
pub(super) fn answer_to(from: &Namespace, address: &str, question: &[u8]) -> Option<Vec<u8>> {
    let address: SocketAddr = address.parse().unwrap();
    from.within(|| {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        // Connected: an answer from another address would not be one.
        socket.connect(address).ok()?;
        socket.send(question).ok()?;
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).ok()?;
        Some(buffer[..length].to_vec())
    })
}

/// Whether a packet that is sent to `address` from a namespace comes back.
pub(super) fn echoes(from: &Namespace, address: &str) -> bool {
    answer_to(from, address, b"hello").as_deref() == Some(b"hello")
}

/// A web server in a namespace that says from which address it is asked.
#[derive(Debug)]
pub(super) struct Server {
    listener: TcpListener,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub(super) fn new(namespace: &Namespace, address: &str) -> Self {
        let listener = namespace.within(|| TcpListener::bind(address)).unwrap();
        let own = listener.try_clone().unwrap();
        let serve = move || {
            for stream in own.incoming().map_while(Result::ok) {
                answer(stream).unwrap_or_default();
            }
        };
        Self { listener, thread: Some(std::thread::spawn(serve)) }
    }

    pub(super) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Wakes the thread. A connection could not: its port may be a pod's by now.
        rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both).unwrap_or_default();
        self.thread.take().map(std::thread::JoinHandle::join).transpose().unwrap_or_default();
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let _ = stream.read(&mut [0; 4096])?;
    let peer = stream.peer_addr()?.ip().to_canonical();
    stream.write_all(format!("HTTP/1.0 200 OK\r\n\r\n{peer}\n").as_bytes())
}
