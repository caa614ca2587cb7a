//! Questions to the person at the terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::sys::terminal::{Event, Signals, end_by, stop};
use crate::sys::{Error, Result, poll};

/// The controlling terminal, whatever the standard streams are: tty(4).
const TERMINAL: &str = "/dev/tty";

/// The longest answer: more than a terminal passes on as one line.
const LONGEST: usize = 64 << 10;

/// Asks for a line. `None` if the terminal ends without one.
pub fn line(question: &str) -> Result<Option<String>> {
    ask(question, true)
}

/// Asks for a line that the terminal does not show.
///
/// The terminal shows its input again when this returns, and also when a signal ends the process
/// or stops it for a while.
pub fn secret(question: &str) -> Result<Option<String>> {
    ask(question, false)
}

fn ask(question: &str, echo: bool) -> Result<Option<String>> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal = rustix::fs::open(TERMINAL, flags, Mode::empty())
        .map_err(|errno| Error::new("open", TERMINAL, errno))?;
    let mut terminal = File::from(terminal);
    let signals = Signals::take()?;
    let mut answer = Vec::new();
    loop {
        let hidden = if echo { None } else { Some(Hidden::enter(&terminal)?) };
        terminal.write_all(question.as_bytes()).map_err(|e| error("write", e))?;
        match read_line(&mut terminal, &signals, &mut answer)? {
            None => break,
            Some(event) => {
                drop(hidden);
                terminal.write_all(b"\n").map_err(|e| error("write", e))?;
                match event {
                    Event::Signal(number) => end_by(number)?,
                    // The shell had the terminal: the question is asked again.
                    _ => stop()?,
                }
            }
        }
    }
    let ended = answer.pop_if(|last| *last == b'\n').is_none();
    if ended && answer.is_empty() {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&answer).into_owned()))
}

/// Reads until a line has ended, or a signal arrives that ends or stops the process.
fn read_line(
    terminal: &mut File,
    signals: &Signals,
    answer: &mut Vec<u8>,
) -> Result<Option<Event>> {
    loop {
        let (input, _) = poll::either(terminal.as_fd(), signals.as_fd())?;
        match signals.next()? {
            Some(event @ (Event::Signal(_) | Event::Stop)) => return Ok(Some(event)),
            Some(Event::Resized | Event::Continued) => continue,
            None if !input => continue,
            None => {}
        }
        let mut buffer = [0; 4096];
        let count = terminal.read(&mut buffer).map_err(|e| error("read", e))?;
        answer.extend_from_slice(&buffer[..count]);
        if count == 0 || answer.ends_with(b"\n") || answer.len() > LONGEST {
            return Ok(None);
        }
    }
}

/// The terminal without echo; dropping it gives it back as it was.
struct Hidden {
    terminal: File,
    before: Termios,
}

impl Hidden {
    fn enter(terminal: &File) -> Result<Self> {
        let terminal = terminal.try_clone().map_err(|e| error("dup", e))?;
        let before = tcgetattr(&terminal).map_err(|errno| error("tcgetattr", errno.into()))?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Flush, &hidden)
            .map_err(|errno| error("tcsetattr", errno.into()))?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone cannot be restored, and nobody is left to be told so.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

fn error(call: &'static str, error: std::io::Error) -> Error {
    Error::new(call, TERMINAL, error)
}
