//! The platform an image is for, and the choice among several.

use std::cmp::Reverse;
use std::fmt;

use serde::{Deserialize, Serialize};

/// An operating system, an architecture and its variant, in Go's words (`linux/arm/v7`).
///
/// <https://github.com/opencontainers/image-spec/blob/main/image-index.md#platform-variants>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// `v7` of `arm`, `v8` of `arm64`, `v2` of `amd64`; `None` is the architecture's baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// The platform this program was built for.
    pub fn host() -> Self {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", None),
            "x86" => ("386", None),
            "aarch64" => ("arm64", Some("v8")),
            "arm" => ("arm", Some("v7")),
            "powerpc64" => ("ppc64le", None),
            "loongarch64" => ("loong64", None),
            other => (other, None),
        };
        Self {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
        }
    }

    /// How well an image for `candidate` suits this platform: `None` if it does not run here,
    /// else the larger the better.
    ///
    /// Variants of one architecture are ordered by their number, and a machine of variant *n*
    /// runs what was built for *n* and less; without a number it is the baseline.
    pub fn suitability(&self, candidate: &Self) -> Option<u32> {
        if self.os != candidate.os || self.architecture != candidate.architecture {
            return None;
        }
        let candidate = candidate.level()?;
        (candidate <= self.level()?).then_some(candidate)
    }

    fn level(&self) -> Option<u32> {
        let baseline = match self.architecture.as_str() {
            "arm64" => 8,
            "arm" => 7,
            _ => 1,
        };
        match self.variant.as_deref() {
            None | Some("") => Some(baseline),
            Some(variant) => variant.strip_prefix('v')?.parse().ok(),
        }
    }

    /// The index of the best of `candidates`; the first among equals.
    pub fn choose(&self, candidates: &[Self]) -> Option<usize> {
        let suitable = candidates.iter().enumerate();
        suitable
            .filter_map(|(index, candidate)| Some((self.suitability(candidate)?, Reverse(index))))
            .max()
            .map(|(_, Reverse(index))| index)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os.escape_debug(), self.architecture.escape_debug())?;
        match &self.variant {
            Some(variant) if !variant.is_empty() => write!(f, "/{}", variant.escape_debug()),
            _ => Ok(()),
        }
    }
}

/// Several platforms in one line, for a message.
pub(super) fn list(platforms: &[Platform]) -> String {
    if platforms.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = platforms.iter().map(Platform::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        let mut words = text.split('/').map(str::to_owned);
        let (os, architecture) = (words.next().unwrap(), words.next().unwrap());
        Platform { os, architecture, variant: words.next() }
    }

    #[test]
    fn the_best_variant_that_runs_here_is_chosen() {
        for (wanted, candidates, chosen) in [
            ("linux/amd64", vec!["linux/arm64/v8", "linux/amd64"], Some(1)),
            ("linux/amd64", vec!["linux/amd64/v3", "linux/amd64"], Some(1)),
            ("linux/amd64", vec!["linux/amd64/v3"], None),
            ("linux/amd64/v3", vec!["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], Some(1)),
            ("linux/arm64/v8", vec!["linux/arm64"], Some(0)),
            ("linux/arm64", vec!["linux/arm64/v8"], Some(0)),
            ("linux/arm/v7", vec!["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], Some(1)),
            ("linux/amd64", vec!["windows/amd64", "unknown/unknown"], None),
            ("linux/amd64", vec!["linux/amd64", "linux/amd64/v1"], Some(0)),
        ] {
            let candidates: Vec<_> = candidates.into_iter().map(platform).collect();
            assert_eq!(platform(wanted).choose(&candidates), chosen, "{wanted} {candidates:?}");
        }
    }
}
