//! Quantities of the pod file: sizes, CPU shares and durations.

use serde::{Deserialize, Serialize};

/// A size in bytes. Written as `256MiB`, `1GiB`, `64KiB`, `1500000` (bytes), `1.5GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// A share of CPU time in thousandths of one CPU. Written as a number of CPUs: `0.5`, `2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cpus(pub u32);
