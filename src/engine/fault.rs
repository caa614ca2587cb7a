//! Named points at which a test can kill the process, as a power cut or `kill -9` would.
//!
//! `TANK_CRASH_AT=NAME` makes the process kill itself at the first point of that name, and
//! `TANK_CRASH_AT=N` at the N-th point that it comes to. In release builds the points are empty.

#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many points this process has come to.
#[cfg(debug_assertions)]
static COME_TO: AtomicUsize = AtomicUsize::new(0);

/// Kills this process if it was asked to die here.
#[cfg(debug_assertions)]
#[expect(clippy::disallowed_methods, reason = "a test's only way to reach into the process")]
pub(super) fn point(name: &str) {
    let number = COME_TO.fetch_add(1, Ordering::Relaxed) + 1;
    let is_here =
        |wanted: std::ffi::OsString| wanted == name || wanted == number.to_string().as_str();
    if std::env::var_os("TANK_CRASH_AT").is_some_and(is_here) {
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).ok();
    }
}

/// Does nothing.
#[cfg(not(debug_assertions))]
pub(super) fn point(_name: &str) {}
