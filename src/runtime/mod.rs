//! Containers: one instance, from its specification to its exit record.
//!
//! | module | what it does |
//! |---|---|
//! | [`directories`] [`launch`] [`record`] | where things are; what monitors are told and tell |
//! | [`spec`] | pod file and image to OCI specification; pure |
//! | [`sandbox`] | a pod's pinned namespaces, and the first process of those that need one |
//! | [`start`] [`monitor`] [`init`] | the way into a container: command, monitor, init |
//! | [`exec`] | a second process in a running container |
//! | [`probe`] | one check of whether a container is well
//! | [`attach`] | the terminal or streams of its main process |
//! | [`log`] | the files of what a container prints |
//! | [`observe`] [`end`] | what is there of an instance; ending it and taking it away |
//! | [`cgroup`] [`seccomp`] [`capabilities`] [`user`] [`rlimit`] [`credentials`] | what a process may be and use |
//!
//! Whatever is `pub` here is called by the engine, in the command's own process; what monitors,
//! inits and helpers do is private to this layer.

pub mod attach;
pub mod capabilities;
pub mod cgroup;
pub mod credentials;
pub mod directories;
pub mod end;
pub mod error;
pub mod exec;
pub mod failure;
pub mod in_root;
pub mod init;
pub mod launch;
pub mod log;
mod message;
pub mod monitor;
pub mod observe;
mod order;
pub mod probe;
mod reaper;
pub mod record;
pub mod rlimit;
pub mod sandbox;
pub mod seccomp;
pub mod spec;
pub mod start;
pub mod user;
pub mod volume;

pub use error::{Error, Result};
