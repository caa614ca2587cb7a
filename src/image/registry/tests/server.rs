//! A server that answers as a test says and remembers what it was asked.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first byte of the range that is asked for.
    pub(super) fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
    }
}

/// Both ways of a connection.
pub(super) trait Stream: Read + Write {
    /// Waits until the client hangs up.
    fn wait_for_hangup(&mut self) {
        let _ = std::io::copy(self, &mut std::io::sink());
    }
}

impl<S: Read + Write> Stream for S {}

type Answer = dyn Fn(&Asked, &mut dyn Stream) + Send + Sync;

pub(super) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves on a port of the loopback; one request a connection.
    pub(super) fn start(answer: impl Fn(&Asked, &mut dyn Stream) + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer)
    }

    pub(super) fn start_with(
        tls: Option<Arc<rustls::ServerConfig>>,
        answer: impl Fn(&Asked, &mut dyn Stream) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let answer: Arc<Answer> = Arc::new(answer);
        let (all_asked, stopped) = (Arc::clone(&asked), Arc::clone(&stop));
        let accept = move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (answer, asked) = (Arc::clone(&answer), Arc::clone(&all_asked));
                let (stream, tls) = (stream.unwrap(), tls.clone());
                start(move || serve(stream, tls, &asked, &*answer));
            }
        };
        Self { address, asked, stop, listener: Some(start(accept)) }
    }

    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.listener.take().map(JoinHandle::join);
    }
}

#[expect(clippy::disallowed_methods, reason = "the other side of the tests is no container")]
pub(super) fn start(work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::spawn(work)
}

fn serve(
    mut tcp: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
    asked: &Mutex<Vec<Asked>>,
    answer: &Answer,
) {
    tcp.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    tcp.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    let Some(tls) = tls else {
        exchange(&mut tcp, asked, answer);
        let _ = tcp.shutdown(Shutdown::Write);
        tcp.wait_for_hangup();
        return;
    };
    let connection = rustls::ServerConnection::new(tls).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, tcp);
    exchange(&mut stream, asked, answer);
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

fn exchange(stream: &mut dyn Stream, asked: &Mutex<Vec<Asked>>, answer: &Answer) {
    let Some(request) = read(stream) else { return };
    asked.lock().unwrap().push(request.clone());
    answer(&request, stream);
    let _ = stream.flush();
}

/// Reads a request; `None` of a connection that ends before it is complete.
fn read(stream: &mut dyn Stream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut asked = Asked::default();
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    (asked.method, asked.path) = (words.next()?, words.next()?);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        asked.headers.push((name.to_owned(), value.to_owned()));
    }
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).unwrap();
    Some(asked)
}

/// Writes an answer; the length is declared unless `headers` do.
pub(super) fn respond(
    stream: &mut dyn Stream,
    status: u16,
    headers: &[(&str, &str)],
    body: impl AsRef<[u8]>,
) {
    let body = body.as_ref();
    let mut head = format!("HTTP/1.1 {status} Status\r\nConnection: close\r\n");
    let declares = |name: &str| {
        name.eq_ignore_ascii_case("content-length")
            || name.eq_ignore_ascii_case("transfer-encoding")
    };
    if !headers.iter().any(|(name, _)| declares(name)) {
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    // A client that has enough hangs up, which is no failure of the server.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    let _ = stream.write_all(body);
}
