//! Raw mode of the caller's terminal, as a guard.

use std::sync::Once;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use crate::sys;

/// The caller's terminal in raw mode; dropping it gives the terminal back as it was.
///
/// A panic gives it back too, before its message is printed, also where panics abort. Signals are
/// no concern of the guard: the pump receives them as events, ends, and the guard is dropped;
/// around a stop it calls [`RawMode::suspend`] and [`RawMode::resume`].
#[derive(Debug)]
pub struct RawMode(());

impl RawMode {
    /// Puts the terminal of standard input, or else the controlling terminal, into raw mode.
    pub fn enter() -> sys::Result<Self> {
        restore_before_panic_messages();
        enable_raw_mode().map_err(|e| sys::Error::new("tcsetattr", "the terminal", e))?;
        Ok(Self(()))
    }

    /// Gives the terminal back for a while, to the shell.
    pub fn suspend(&mut self) {
        // A terminal that is gone cannot be restored, and nobody is left to be told so.
        drop(disable_raw_mode());
    }

    /// Takes the terminal again, whatever mode the shell has left it in.
    pub fn resume(&mut self) {
        drop(disable_raw_mode());
        drop(enable_raw_mode());
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        self.suspend();
    }
}

/// Makes the panic hook restore the terminal first. Restoring twice does nothing.
fn restore_before_panic_messages() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let message = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            drop(disable_raw_mode());
            message(info);
        }));
    });
}

#[cfg(test)]
mod tests;
