//! The caller's terminal while a program far away uses it, as a guard.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use crate::model::modes::{Modes, Tracker};
use crate::sys;

/// Ends a sequence that was cut off.
const CANCEL: u8 = 0x18;

/// The terminal that is to be given back, and the modes that the program has put it in.
static LENT: Mutex<Option<(File, Modes)>> = Mutex::new(None);

/// The caller's terminal in raw mode; dropping it gives the terminal back as it was: its settings,
/// and the modes that the program changed and did not change back, from the alternate screen to
/// the mouse.
///
/// A panic gives it back too, before its message is printed, also where panics abort. Signals are
/// no concern of the guard: the pump receives them as events, ends, and the guard is dropped;
/// around a stop it calls [`RawMode::suspend`] and [`RawMode::resume`].
#[derive(Debug)]
pub struct RawMode {
    output: Tracker,
}

impl RawMode {
    /// Puts the terminal of standard input, or else the controlling terminal, into raw mode. What
    /// the program writes goes to `terminal`.
    pub fn enter(terminal: OwnedFd) -> sys::Result<Self> {
        restore_before_panic_messages();
        enable_raw_mode().map_err(|e| sys::Error::new("tcsetattr", "the terminal", e))?;
        *lent() = Some((terminal.into(), Modes::default()));
        Ok(Self { output: Tracker::new() })
    }

    /// Sees what the program writes to the terminal.
    pub fn follow(&mut self, output: &[u8]) {
        self.output.follow(output);
        if let Some((_, modes)) = &mut *lent()
            && modes != self.output.modes()
        {
            modes.clone_from(self.output.modes());
        }
    }

    /// Gives the terminal back for a while, to the shell.
    pub fn suspend(&mut self) {
        give_back();
    }

    /// Takes the terminal again, whatever mode the shell has left it in.
    pub fn resume(&mut self) {
        // A terminal that is gone cannot be set, and nobody is left to be told so.
        drop(disable_raw_mode());
        drop(enable_raw_mode());
        if let Some((terminal, modes)) = &mut *lent() {
            let screen = if modes.is_alternate() { "\x1b[?1049h" } else { "" };
            drop(terminal.write_all((screen.to_owned() + &modes.enter()).as_bytes()));
        }
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        give_back();
        *lent() = None;
    }
}

fn lent() -> MutexGuard<'static, Option<(File, Modes)>> {
    LENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the terminal back; doing so twice does no harm.
fn give_back() {
    // The thread that panics may hold the lock.
    let lent = match LENT.try_lock() {
        Ok(lent) => Some(lent),
        Err(TryLockError::Poisoned(lent)) => Some(lent.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    };
    if let Some((terminal, modes)) = lent.and_then(|mut lent| lent.take()).as_mut() {
        let undo = modes.leave();
        if !undo.is_empty() {
            drop(terminal.write_all(&[&[CANCEL], undo.as_bytes()].concat()));
        }
    }
    drop(disable_raw_mode());
}

/// Makes the panic hook restore the terminal first.
fn restore_before_panic_messages() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let message = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            message(info);
        }));
    });
}

#[cfg(test)]
mod tests;
