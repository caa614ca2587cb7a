//! What containers print: files in the format of the Kubernetes container runtime interface.
//!
//! An entry is a line, `<RFC 3339 time with nanoseconds, UTC> stdout|stderr P|F <text>`; a line that
//! came in parts is several `P` entries and a last `F` one.
//! <https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md>
//!
//! Each life of a container has its own files in the container's directory:
//!
//! | name | what |
//! |---|---|
//! | `3.log` | the live file of the third life, the only one that grows |
//! | `3.log.000007` | its seventh file, as it was when it reached its size |
//! | `3.log.000006.gz` | the sixth, compressed since |
//! | `3.log.000005.gz.tmp` | being compressed, or left by a monitor that was killed meanwhile |
//! | `3.log.2` | of a monitor that numbered them anew at each rotation: 1 is the newest |
//!
//! # Guarantees
//!
//! A numbered file never changes, and its number never means another one. It is compressed beside
//! itself, so at every moment at least one of its forms is whole. The live file is renamed before
//! the next one is made, and nothing is written to it after that.

mod entry;
mod lines;
mod name;
mod pack;
mod reader;
mod writer;

pub use entry::Stream;
pub use lines::{Item, Line, Lines};
pub use name::remove;
pub use reader::{Gap, Lives};
pub(super) use writer::Log;
