//! How a container's probes went.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which of a container's probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbeKind {
    /// Holds back the other two until it has passed once.
    Startup,
    /// Says whether the container can serve.
    Readiness,
    /// Ends the container when it fails.
    Liveness,
}

impl ProbeKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Startup, Self::Readiness, Self::Liveness];
}

impl fmt::Display for ProbeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Startup => "startup",
            Self::Readiness => "readiness",
            Self::Liveness => "liveness",
        })
    }
}

/// What is known of the health of a running container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether it can serve: its startup probe has passed, and its readiness probe passes.
    pub ready: bool,
    /// Its probes.
    pub probes: Vec<ProbeHealth>,
}

/// How one probe went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeHealth {
    /// Which one.
    pub kind: ProbeKind,
    /// Whether it passes, by as many results in a row as it needs; `None` while it is not known.
    pub passing: Option<bool>,
    /// How many checks in a row have failed, at most as many as it takes to fail.
    pub failures: u32,
    /// What was wrong when a check last failed; gone with the next one that does not.
    pub detail: Option<String>,
}

impl Health {
    /// What stands in the way of a container that is not ready, in a sentence.
    pub fn obstacle(&self) -> Option<String> {
        if self.ready {
            return None;
        }
        let gating =
            |probe: &&ProbeHealth| probe.kind != ProbeKind::Liveness && probe.passing != Some(true);
        let probe = self.probes.iter().find(gating)?;
        Some(match &probe.detail {
            Some(detail) => format!("{} probe: {detail}", probe.kind),
            None => format!("{} probe has not passed yet", probe.kind),
        })
    }
}
