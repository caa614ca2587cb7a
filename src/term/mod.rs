//! The caller's terminal: its mode, its size, and the bytes between it and a program.

#![forbid(unsafe_code)]

pub mod ask;
pub mod detach;
pub mod flow;
pub mod pump;
pub mod raw;
pub mod screen;
pub mod size;

pub use pump::{Event, Link, Session, run};
pub use raw::RawMode;
pub use size::Size;
