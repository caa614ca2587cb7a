//! As much of HTTP/1.1 as a registry that misbehaves on purpose needs: requests, and answers that
//! are told step by step.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long a test waits for somebody to come to a gate.
const SOON: Duration = Duration::from_secs(20);

/// What a client asked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    /// The names in lower case.
    headers: Vec<(String, String)>,
}

impl Request {
    /// Reads the next request of a connection; `None` at its end. No client of a registry that
    /// only pulls sends a body.
    pub(crate) fn read(from: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = || {
            let mut line = String::new();
            let read = from.read_line(&mut line).ok()?;
            (read > 0).then(|| line.trim_end().to_owned())
        };
        let first = line()?;
        let (method, rest) = first.split_once(' ')?;
        let target = rest.split(' ').next()?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Vec::new();
        while let Some(header) = line().filter(|header| !header.is_empty()) {
            let (name, value) = header.split_once(':')?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
        Some(Self { method, path, query, headers })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where a `Range: bytes=N-` or `bytes=N-M` starts.
    pub(crate) fn range_start(&self) -> Option<u64> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.split('-').next()?.parse().ok()
    }
}

/// One thing that is done to answer.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Sends nothing for a while.
    Pause(Duration),
    /// Sends nothing until the test opens the gate.
    Wait(Gate),
    /// Sends these bytes until the client goes.
    Endless(Vec<u8>),
    /// Sends nothing more, and keeps the connection until the client goes.
    Hold,
    /// Ends the sending half of the connection, and keeps the other.
    HalfClose,
}

/// What a client is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    steps: Vec<Step>,
}

impl Answer {
    /// An answer that has no body yet.
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), steps: Vec::new() }
    }

    /// A whole answer.
    pub(crate) fn with(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::new(status).length(body.len()).then(Step::Send(body))
    }

    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Declares how long the body is, whatever is sent. Without it the body lasts until the end
    /// of the connection.
    pub(crate) fn length(self, length: usize) -> Self {
        self.header("Content-Length", length)
    }

    pub(crate) fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The same without its body: what HEAD is answered.
    pub(crate) fn without_body(mut self) -> Self {
        self.steps.clear();
        self
    }

    /// Sends it; gives how many bytes of the body went out, and whether the connection can serve
    /// another request.
    pub(crate) fn write(self, to: &mut TcpStream, is_head: bool) -> io::Result<(u64, bool)> {
        let declared =
            self.headers.iter().find(|(name, _)| name == "Content-Length").map(|(_, n)| n.clone());
        let mut head = format!("HTTP/1.1 {} Answer\r\n", self.status);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if declared.is_none() {
            head.push_str("Connection: close\r\n");
        }
        to.write_all(format!("{head}\r\n").as_bytes())?;
        let mut sent = 0_u64;
        for step in self.steps {
            match step {
                Step::Send(bytes) => {
                    to.write_all(&bytes)?;
                    sent += bytes.len() as u64;
                }
                Step::Pause(time) => std::thread::sleep(time),
                Step::Wait(gate) => gate.pass(),
                Step::Endless(bytes) => loop {
                    to.write_all(&bytes)?;
                },
                Step::Hold => {
                    io::copy(to, &mut io::sink())?;
                }
                Step::HalfClose => {
                    to.shutdown(Shutdown::Write)?;
                    io::copy(to, &mut io::sink())?;
                }
            }
        }
        Ok((sent, is_head || declared.is_some_and(|declared| declared == sent.to_string())))
    }
}

/// Where an answer waits until the test lets it go on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Debug, Default)]
struct GateState {
    is_open: bool,
    arrived: usize,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.arrived += 1;
        changed.notify_all();
        drop(changed.wait_while(state, |state| !state.is_open).unwrap());
    }

    /// Lets everybody through from now on.
    pub(crate) fn open(&self) {
        let (state, changed) = &*self.0;
        state.lock().unwrap().is_open = true;
        changed.notify_all();
    }

    /// Waits until so many answers have come to the gate.
    #[track_caller]
    pub(crate) fn await_arrivals(&self, count: usize) {
        let (state, changed) = &*self.0;
        let end = Instant::now() + SOON;
        let mut state = state.lock().unwrap();
        while state.arrived < count {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} of {count} came to the gate", state.arrived);
            state = changed.wait_timeout(state, left).unwrap().0;
        }
    }
}
