//! Named points at which a test can kill the process, as a power cut or `kill -9` would.
//!
//! `TANK_CRASH_AT=NAME` makes the process kill itself at the first point of that name. In release
//! builds the points are empty.

/// Kills this process if it was asked to die here.
#[cfg(debug_assertions)]
#[expect(clippy::disallowed_methods, reason = "a test's only way to reach into the process")]
pub(super) fn point(name: &str) {
    if std::env::var_os("TANK_CRASH_AT").is_some_and(|wanted| wanted == name) {
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).ok();
    }
}

/// Does nothing.
#[cfg(not(debug_assertions))]
pub(super) fn point(_name: &str) {}
