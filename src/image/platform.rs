//! The platform an image is for, and the choice among several.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::ValueError;

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

/// The longest part of a platform that is read.
const LONGEST_WORD: usize = 32;

/// What the kernel and compilers call architectures, and what images do.
const NAMES: [(&str, &str); 8] = [
    ("x86_64", "amd64"),
    ("x86-64", "amd64"),
    ("x64", "amd64"),
    ("i386", "386"),
    ("i686", "386"),
    ("aarch64", "arm64"),
    ("armv7l", "arm/v7"),
    ("armhf", "arm/v7"),
];

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

impl FromStr for Platform {
    type Err = ValueError;

    /// Reads `linux/arm64` or `linux/arm/v7`.
    ///
    /// Architectures that this module never heard of are accepted: registries have more of them
    /// than lists.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |problem: &str, help: Option<String>| {
            ValueError::new("platform", text, problem).with_help(help)
        };
        let mut parts = text.split('/');
        let (Some(os), Some(architecture), variant, None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            let host = Self::host();
            let help = format!("this machine is {host}");
            return Err(error("is not os/architecture or os/architecture/variant", Some(help)));
        };
        let is_word = |word: &str| {
            let of_word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
            !word.is_empty() && word.len() <= LONGEST_WORD && word.bytes().all(of_word)
        };
        if let Some((_, name)) = NAMES.iter().find(|(other, _)| *other == architecture) {
            return Err(error("has another name", Some(format!("write {os}/{name}"))));
        }
        if ![Some(os), Some(architecture), variant].into_iter().flatten().all(is_word) {
            return Err(error("may only have lower-case letters and digits", None));
        }
        if os != "linux" {
            return Err(error("is not one that containers on Linux have", None));
        }
        Ok(Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
        })
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
    fn platforms_are_read_as_they_are_shown() {
        for text in ["linux/amd64", "linux/arm/v7", "linux/loong64", "linux/386"] {
            assert_eq!(text.parse(), Ok(platform(text)));
            assert_eq!(platform(text).to_string(), text);
        }
        for (text, problem) in [
            ("", "is not os/architecture"),
            ("amd64", "is not os/architecture"),
            ("linux/arm/v7/x", "is not os/architecture"),
            ("linux/", "may only have"),
            ("linux/arm/", "may only have"),
            ("Linux/amd64", "may only have"),
            ("linux/../etc", "may only have"),
            ("windows/amd64", "is not one that containers on Linux have"),
        ] {
            let error = text.parse::<Platform>().unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        let error = "linux/x86_64".parse::<Platform>().unwrap_err();
        assert_eq!(error.help(), Some("write linux/amd64"));
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
