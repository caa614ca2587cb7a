//! Those who are attached to the container: everybody sees its output, and everybody may type.
//!
//! Nobody can slow it down: one who does not read is let go when its pipe is full, and as long as
//! the program does not read, no input is read.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::client::{Asked, Client, Offered};
use super::history::History;
use super::input::Input;
use crate::model::Exit;
use crate::runtime::attach::{Answer, Caller, Request, Shown};
use crate::runtime::init::TERMINAL_SIZE;
use crate::runtime::launch::PROTOCOL;
use crate::runtime::log::Stream;
use crate::sys::{self, clock, memory, pty, socket};

/// How many may be attached at once. Each takes up to four descriptors, of which a process usually
/// may have 1024.
const MOST: usize = 200;

/// How long nobody is let in after that failed, for want of descriptors or memory.
const PAUSE: Duration = Duration::from_secs(1);

/// One read of a client's input takes at most this much.
const CHUNK: usize = 4096;

/// What the monitor waits for on behalf of those who are attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// Somebody connects.
    Listener,
    /// The program takes input.
    Input,
    /// A client asks for something, or is gone.
    Control(u64),
    /// A client has input.
    From(u64),
}

/// A container's terminal, seen from outside.
#[derive(Debug)]
struct Terminal {
    master: OwnedFd,
    size: (u16, u16),
    history: History,
}

impl Terminal {
    /// Gives the terminal another size.
    fn resize(&mut self, rows: u16, columns: u16) {
        let is_other = rows > 0 && columns > 0 && (rows, columns) != self.size;
        if is_other && pty::set_size(&self.master, rows, columns).is_ok() {
            self.size = (rows, columns);
        }
    }

    /// Gives the terminal the size of a caller's. A nudge makes the program hear of it even if it
    /// had it before: one that paints the whole screen then paints it again.
    fn adapt_to(&mut self, caller: Caller) {
        let (rows, columns) = self.size;
        if caller.nudge && (caller.rows, caller.columns) == self.size {
            let other = if rows > 1 { rows - 1 } else { rows + 1 };
            pty::set_size(&self.master, other, columns).ok();
            pty::set_size(&self.master, rows, columns).ok();
        } else {
            self.resize(caller.rows, caller.columns);
        }
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Audience {
    path: PathBuf,
    listener: OwnedFd,
    /// Until when nobody is let in.
    paused: Option<Instant>,
    clients: Vec<(u64, Client)>,
    /// The number of the next client.
    next: u64,
    terminal: Option<Terminal>,
    input: Input,
}

impl Audience {
    /// Lets clients in at `path`. `master` is the container's terminal, or `input` its standard
    /// input, where it has one.
    pub(super) fn new(
        path: PathBuf,
        master: Option<OwnedFd>,
        input: Option<OwnedFd>,
    ) -> sys::Result<Self> {
        let listener = socket::listen(&path, i32::try_from(MOST).unwrap_or(i32::MAX))?;
        let input = match &master {
            Some(master) => Some(
                master.try_clone().map_err(|e| sys::Error::new("fcntl", "F_DUPFD_CLOEXEC", e))?,
            ),
            None => input,
        };
        let input = input.map(Input::new).transpose()?.unwrap_or_default();
        let terminal = master.map(|master| {
            let history = History::default();
            Terminal { master, size: TERMINAL_SIZE, history }
        });
        Ok(Self { path, listener, paused: None, clients: Vec::new(), next: 0, terminal, input })
    }

    /// Shows everybody what the container wrote.
    pub(super) fn show(&mut self, stream: Stream, bytes: &[u8]) {
        if let Some(terminal) = &mut self.terminal {
            terminal.history.follow(bytes);
        }
        for (_, client) in &mut self.clients {
            if client.offer(stream, bytes) == Offered::NoRoom {
                client.drop_outputs();
                client.tell(&Answer::Dropped);
            }
        }
    }

    /// The descriptors to wait for, and what for.
    pub(super) fn interests(&self) -> Vec<(Token, BorrowedFd<'_>, PollFlags)> {
        let mut all = Vec::with_capacity(2 + 2 * self.clients.len());
        if self.paused.is_none() {
            all.push((Token::Listener, self.listener.as_fd(), PollFlags::IN));
        }
        all.extend(self.input.waits_for().map(|fd| (Token::Input, fd, PollFlags::OUT)));
        for (id, client) in &self.clients {
            all.extend(client.control().map(|fd| (Token::Control(*id), fd, PollFlags::IN)));
            let input = client.input().filter(|_| self.input.has_room());
            all.extend(input.map(|fd| (Token::From(*id), fd, PollFlags::IN)));
        }
        all
    }

    /// Until when to wait at most, and then call [`Audience::expire`].
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.paused
    }

    /// Lets people in again when it is time.
    pub(super) fn expire(&mut self) {
        self.paused = self.paused.filter(|until| *until > clock::monotonic());
    }

    /// Does what can be done now that this has happened.
    pub(super) fn handle(&mut self, token: Token, happened: PollFlags) {
        match token {
            Token::Listener => self.let_in(),
            Token::Input => self.input.flush(),
            Token::Control(id) => self.listen_to(id),
            Token::From(id) => self.take_input(id, happened),
        }
        if !self.input.is_open() {
            self.clients.retain_mut(|(_, client)| {
                client.end_input();
                client.control().is_some()
            });
        }
    }

    /// Tells everybody how the program ended.
    pub(super) fn dismiss(self, exit: &Exit) {
        std::fs::remove_file(&self.path).ok();
        for (_, client) in self.clients {
            client.tell(&Answer::Ended(exit.clone()));
        }
    }

    fn client(&mut self, id: u64) -> Option<&mut Client> {
        self.clients.iter_mut().find(|(other, _)| *other == id).map(|(_, client)| client)
    }

    /// Forgets a client that is gone, once its input was read.
    fn forget(&mut self, id: u64) {
        self.clients.retain_mut(|(other, client)| *other != id || client.is_gone());
        if self.clients.is_empty() {
            memory::release_idle();
        }
    }

    fn let_in(&mut self) {
        match socket::accept(self.listener.as_fd()) {
            Ok(Some(control)) if self.clients.len() >= MOST => {
                Client::new(control).tell(&Answer::Full(self.clients.len()));
            }
            Ok(Some(control)) => {
                self.clients.push((self.next, Client::new(control)));
                self.next += 1;
            }
            Ok(None) => {}
            // It stays in line until there is something to let it in with.
            Err(_) => self.paused = clock::monotonic().checked_add(PAUSE),
        }
    }

    fn listen_to(&mut self, id: u64) {
        loop {
            let Some(client) = self.client(id) else { return };
            match client.ask() {
                Asked::Nothing => return,
                Asked::Gone => return self.forget(id),
                Asked::For(Request::Attach { version, terminal }, fds) => {
                    if !self.attach(id, version, terminal, fds) {
                        return self.forget(id);
                    }
                }
                Asked::For(Request::Resize { rows, columns }, _) => {
                    if let Some(terminal) = &mut self.terminal {
                        terminal.resize(rows, columns);
                    }
                }
            }
        }
    }

    /// Attaches a client; `false` if it cannot be one.
    fn attach(&mut self, id: u64, version: u32, caller: Option<Caller>, fds: Vec<OwnedFd>) -> bool {
        let input = self.input.is_open();
        let mut terminal = self.terminal.as_mut();
        let Some((_, client)) = self.clients.iter_mut().find(|(other, _)| *other == id) else {
            return false;
        };
        let is_attached = version == PROTOCOL && client.attach(fds, input);
        let shown = terminal.as_mut().map(|terminal| {
            // First what was shown, then what the program makes of the size.
            let history = match caller {
                Some(_) if is_attached => client.begin_with(terminal.history.last()),
                _ => 0,
            };
            let (rows, columns) = terminal.size;
            Shown { rows, columns, modes: terminal.history.modes().clone(), history }
        });
        client.tell(&Answer::Attached { version: PROTOCOL, terminal: shown, input });
        if let Some((terminal, caller)) = terminal.zip(caller).filter(|_| is_attached) {
            terminal.adapt_to(caller);
        }
        is_attached
    }

    fn take_input(&mut self, id: u64, happened: PollFlags) {
        let has_terminal = self.terminal.is_some();
        let has_room = self.input.has_room();
        let Some(client) = self.client(id) else { return };
        let Some(from) = client.input().filter(|_| has_room) else { return };
        let mut buffer = [0; CHUNK];
        match rustix::io::read(from, &mut buffer) {
            Ok(count) if count > 0 => return self.input.give(&buffer[..count]),
            Err(Errno::AGAIN | Errno::INTR) => return,
            _ => {}
        }
        client.end_input();
        let is_gone = client.control().is_none();
        // One that hung up is gone, and did not say that there is no more. On a terminal the end
        // is a key, which is typed.
        if !happened.contains(PollFlags::HUP) && !has_terminal {
            self.input.end();
        }
        if is_gone {
            self.forget(id);
        }
    }
}
