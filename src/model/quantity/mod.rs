//! Quantities of the pod file: sizes, CPU shares and time spans.
//!
//! Each is read from the text of the file and shown in its shortest exact form, which reads back
//! as the same value.

mod bytes;
mod cpus;
mod decimal;
mod timespan;

pub use bytes::Bytes;
pub use cpus::Cpus;
pub use timespan::Timespan;
