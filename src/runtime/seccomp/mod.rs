//! System call filters: which calls a container's process may make, and with which arguments.
//!
//! A profile is an [`oci_spec::runtime::LinuxSeccomp`]. It is tank's [default](default_profile),
//! or comes from a [file](read_profile). [`compile()`] turns it into a program of classic BPF that
//! [`crate::sys::seccomp::install`] puts on a process.

mod architecture;
mod assembler;
mod compile;
mod file;
mod profile;

pub use compile::{Error as CompileError, Program, compile};
pub use file::{Error as ProfileError, Host, parse_profile, read_profile};
pub use profile::default_profile;

#[cfg(test)]
mod kernel_tests;
