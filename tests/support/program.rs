//! Runs a program to its end, with a deadline, and keeps what it wrote.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::wait;

/// How long a pipe may stay open after its program ended: long enough for a busy machine.
const LINGER: Duration = Duration::from_secs(5);

/// What a program did.
#[derive(Debug)]
pub(crate) struct Output {
    /// How it is shown in a failed assertion.
    pub(crate) shown: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
}

impl Output {
    /// Asserts that it ended with exit code 0.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    /// Asserts that it ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }

    /// Asserts that a signal ended it.
    #[track_caller]
    pub(crate) fn killed_by(self, signal: i32) -> Self {
        assert_eq!(self.status.signal(), Some(signal), "{self}");
        self
    }

    /// Its standard output as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { shown, status, stdout, stderr, elapsed } = self;
        writeln!(f, "$ {shown}\n{status} after {elapsed:?}")?;
        write!(f, "--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
    }
}

/// Runs a program with `stdin` as its input, killing it (and panicking) after `deadline`.
///
/// A descendant that still holds its output after it ended is an error as well: a command that
/// starts something long-lived must detach it from the caller's pipes.
#[must_use = "assert how it ended: ok() or exits(CODE)"]
#[track_caller]
pub(crate) fn run(command: &mut Command, stdin: &[u8], deadline: Duration) -> Output {
    Running::start(command, stdin).finish(deadline)
}

/// A program that runs beside the test. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running {
    shown: String,
    started: Instant,
    child: Child,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
}

impl Running {
    /// Starts a program with `stdin` as its input.
    #[track_caller]
    pub(crate) fn start(command: &mut Command, stdin: &[u8]) -> Self {
        let shown = format!("{command:?}");
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        let stdout = drain(child.stdout.take().unwrap());
        let stderr = drain(child.stderr.take().unwrap());
        let mut input = child.stdin.take().unwrap();
        let given = stdin.to_vec();
        // A program need not read its input, so a broken pipe is no failure of the test.
        thread::spawn(move || input.write_all(&given).unwrap_or_default());
        Self { shown, started, child, stdout, stderr }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it wrote something that contains `text`; gives what it wrote until then, which
    /// is not in its output any more.
    #[track_caller]
    pub(crate) fn await_stdout(&self, text: &str, deadline: Duration) -> String {
        await_text(&self.stdout, &self.shown, text, deadline)
    }

    /// The same of its standard error.
    #[track_caller]
    pub(crate) fn await_stderr(&self, text: &str, deadline: Duration) -> String {
        await_text(&self.stderr, &self.shown, text, deadline)
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends, killing it (and panicking) after `deadline`.
    #[must_use = "assert how it ended: ok() or exits(CODE)"]
    #[track_caller]
    pub(crate) fn finish(mut self, deadline: Duration) -> Output {
        let ended = wait::process_ended(self.child.id(), deadline);
        if !ended {
            self.child.kill().unwrap();
        }
        let status = self.child.wait().unwrap();
        let elapsed = self.started.elapsed();
        let (stdout, stdout_open) = collect(&self.stdout);
        let (stderr, stderr_open) = collect(&self.stderr);
        let shown = std::mem::take(&mut self.shown);
        let output = Output { shown, status, stdout, stderr, elapsed };
        assert!(ended, "still running after {deadline:?}\n{output}");
        assert!(!(stdout_open || stderr_open), "a descendant still holds its output\n{output}");
        output
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Of one that was waited for there is nothing left to kill.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().unwrap_or_default();
            self.child.wait().map(drop).unwrap_or_default();
        }
    }
}

/// Reads a pipe to its end in a thread, sending what arrives.
fn drain(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            if sender.send(buffer[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Reads from a pipe until what came contains `text`; gives it.
#[track_caller]
fn await_text(pipe: &Receiver<Vec<u8>>, shown: &str, text: &str, deadline: Duration) -> String {
    let end = Instant::now() + deadline;
    let mut all = Vec::new();
    loop {
        let seen = String::from_utf8_lossy(&all).into_owned();
        if seen.contains(text) {
            return seen;
        }
        let left = end.saturating_duration_since(Instant::now());
        match pipe.recv_timeout(left) {
            Ok(part) => all.extend(part),
            Err(error) => panic!("{shown}: no {text:?} but {seen:?}: {error}"),
        }
    }
}

/// What came through a pipe, and whether somebody still holds its other end.
fn collect(pipe: &Receiver<Vec<u8>>) -> (String, bool) {
    use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
    let mut all = Vec::new();
    let open = loop {
        match pipe.recv_timeout(LINGER) {
            Ok(part) => all.extend(part),
            Err(Disconnected) => break false,
            Err(Timeout) => break true,
        }
    };
    (String::from_utf8_lossy(&all).into_owned(), open)
}
