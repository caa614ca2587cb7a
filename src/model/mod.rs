//! The nouns of tank: what pods, containers, instances and images are, and the file people
//! write them in. Nothing here does I/O, reads a clock, or looks at the environment.

#![forbid(unsafe_code)]

pub mod desired;
pub mod instance;
pub mod name;
pub mod pod;
pub mod quantity;

pub use desired::{DesiredPod, RunState};
pub use instance::{Exit, ExitReason, Instance, ProcessIdentity, State};
pub use name::{ContainerName, ContainerRef, Digest, InstanceId, NameError, PodName};
pub use pod::{Container, Pod};
pub use quantity::{Bytes, Cpus};
