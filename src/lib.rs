//! `tank`: a declarative container orchestrator for one Linux machine.
//!
//! One binary, one SQLite file, no daemon. People state the pods that should exist; every
//! invocation opens the state, applies the change it was asked for, runs one *pass* (observe,
//! plan, execute) and exits. Running the same thing twice does nothing the second time.
//!
//! # Layers
//!
//! A layer uses only layers below it; siblings on one line never import one another. The test
//! `tests/layering.rs` reads the sources and fails on an arrow that runs up or sideways.
//!
//! | layer | what it is |
//! |---|---|
//! | [`cli`] | words in, words out: clap and printing live here only, one file a verb |
//! | [`app`] | use cases: open, change what is desired, run a pass, report |
//! | [`engine`] | observe the world, run a plan, journal it, recover |
//! | [`plan`] | pure: (desired, observed, now) to plan. No I/O, clock, environment, randomness |
//! | [`runtime`] [`image`] [`net`] [`store`] [`term`] | one kernel or disk subject each |
//! | [`model`] | nouns, the pod file, validation; no I/O |
//! | [`sys`] | system calls without any noun of tank; the only place for `unsafe` |
//!
//! The engine hands plain values (a path, a descriptor, an address) from one sibling to the next.
//!
//! # Processes
//!
//! `tank` itself is single-threaded and short-lived: it starts no thread and no async runtime
//! before it clones, so what runs between `clone` and `execve` is ordinary code. Beside each
//! running container lives one *monitor* ([`runtime::monitor`]): the same program, re-executed
//! from a read-only copy of itself, which owns the container's output, reaps it, writes its exit
//! record, and then turns itself into `tank reconcile POD`. The monitor never opens the database.
//! A pod whose containers share a pid namespace has one more, the first of that namespace
//! ([`runtime::sandbox`]).
//! The code that runs inside the new namespaces until it becomes the container's program is
//! [`runtime::init`].
//!
//! # Where truth lives
//!
//! What the user wants is in SQLite ([`store`]). What is running is what the kernel says: a
//! container runs when its monitor holds the lock on its `monitor.lock`; a process is named by
//! (boot id, pid, start time), never by a bare pid. Exit records are files that monitors write
//! durably and the next command takes in.
//!
//! # Errors
//!
//! Each layer has its own error type; they convert upwards only, and a message never repeats its
//! source. The [`cli`] prints the chain once and turns the *kind* of an error into an exit code.

pub mod cli;

pub mod app;

pub mod engine;

pub mod plan;

pub mod image;
pub mod net;
pub mod runtime;
pub mod store;
pub mod term;

pub mod model;

pub mod sys;
