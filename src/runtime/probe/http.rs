//! Asking an HTTP server in the pod: a GET, of whose answer only the status line counts.

use std::io::{self, Read, Write};
use std::time::Instant;

use httparse::{EMPTY_HEADER, Response};

use super::{Unwell, left, tcp};

/// How much of an answer is read in search of its status line.
const MOST: usize = 4096;

/// Asks for `path`. An answer from 200 to 399 is a good one, as for the kubelet; none is followed.
pub(super) fn check(port: u16, path: &str, end: Instant) -> Result<(), Unwell> {
    let mut stream = tcp::connect(port, end)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: tank-probe/{}\r\n\
         Accept: */*\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    stream.set_write_timeout(Some(left(end)?)).map_err(|e| broken(port, &e))?;
    stream.write_all(request.as_bytes()).map_err(|e| broken(port, &e))?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while answer.len() < MOST {
        stream.set_read_timeout(Some(left(end)?)).map_err(|e| broken(port, &e))?;
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(broken(port, &e)),
        }
        match status(&answer) {
            Ok(Some(200..400)) => return Ok(()),
            Ok(Some(code)) => return Err(Unwell::Wrong(format!("GET {path} answered {code}"))),
            Ok(None) => {}
            Err(_) => break,
        }
    }
    Err(Unwell::Wrong(format!("what answers on port {port} is no HTTP server")))
}

/// The status of an answer of which so much was read; `None` if that says nothing yet.
fn status(answer: &[u8]) -> Result<Option<u16>, httparse::Error> {
    let mut headers = [EMPTY_HEADER; 0];
    let mut response = Response::new(&mut headers);
    match response.parse(answer) {
        // The status line is read before the headers, for which there is no room.
        Ok(_) | Err(httparse::Error::TooManyHeaders) => Ok(response.code),
        Err(error) => Err(error),
    }
}

fn broken(port: u16, error: &io::Error) -> Unwell {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Unwell::Late,
        _ => Unwell::Wrong(format!("the connection to port {port} broke: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_known_with_its_line() {
        for (answer, code) in [
            ("", None),
            ("HTTP/1.1 2", None),
            ("HTTP/1.1 200 OK\r\n", Some(200)),
            ("HTTP/1.0 204\r\nA: b\r\nC: d\r\n\r\n", Some(204)),
            ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nabc", Some(503)),
        ] {
            assert_eq!(status(answer.as_bytes()).unwrap(), code, "{answer}");
        }
        for bad in ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 two hundred\r\n"] {
            assert!(status(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
