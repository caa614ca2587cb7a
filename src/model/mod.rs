//! The nouns of tank: what pods, containers, instances and images are, and the file people
//! write them in. Nothing here does I/O, reads a clock, or looks at the environment.
//!
//! [`shape`] lists what the pod file may say; [`mod@file`] reads it, [`render`] writes it, [`schema`]
//! describes it to editors, and [`change`] tells two pods apart in its terms.

#![forbid(unsafe_code)]

pub mod capability;
pub mod change;
pub mod dependency;
pub mod desired;
pub mod detach_keys;
pub mod file;
pub mod fnv;
pub mod health;
pub mod image_name;
pub mod instance;
pub mod modes;
pub mod name;
mod nearest;
pub mod path;
pub mod pod;
mod port;
pub mod quantity;
pub mod render;
pub mod schema;
pub mod secret;
pub mod settings;
pub mod shape;
pub mod signal;
mod subnet;
pub mod sysctl;
pub mod ulimit;
mod value;

#[cfg(test)]
pub(crate) mod strategy;

pub use desired::{DesiredPod, RunState};
pub use detach_keys::DetachKeys;
pub use health::{Health, ProbeHealth, ProbeKind};
pub use instance::{Exit, ExitReason, Instance, ProcessIdentity, State};
pub use name::{ContainerName, ContainerRef, Digest, InstanceId, NameError, PodName, VolumeName};
pub use pod::{Container, Pod};
pub use quantity::{Bytes, Cpus, Timespan};
pub use signal::Signal;
pub use value::ValueError;
