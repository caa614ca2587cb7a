//! Names and identifiers that reach paths, cgroups and the command line.
//!
//! Every one of them is checked when it is parsed, also when it comes back from the database, so
//! that no later layer has to ask whether a name can climb out of a directory.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} \"{}\" {problem}", .text.escape_debug())]
pub struct NameError {
    what: &'static str,
    text: String,
    problem: &'static str,
}

/// The longest pod or container name, as for a DNS label (RFC 1123).
const MAX_NAME: usize = 63;

/// The longest name of a volume.
const MAX_VOLUME_NAME: usize = 64;

fn check_label(what: &'static str, text: &str) -> Result<(), NameError> {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let problem = if text.is_empty() {
        "is empty"
    } else if text.len() > MAX_NAME {
        "is longer than 63 characters"
    } else if !text.bytes().all(inner) {
        "may only have the characters a-z, 0-9 and -"
    } else if text.starts_with('-') || text.ends_with('-') {
        "must start and end with a letter or a digit"
    } else {
        return Ok(());
    };
    let text = text.chars().take(80).collect();
    Err(NameError { what, text, problem })
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                $check($what, text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                $check($what, &text)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl AsRef<std::path::Path> for $name {
            fn as_ref(&self) -> &std::path::Path {
                self.0.as_ref()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name_type!(
    /// The name of a pod: `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, at most 63 characters.
    PodName,
    "pod name",
    check_label
);
name_type!(
    /// The name of a container, unique within its pod; the same rule as for pods.
    ContainerName,
    "container name",
    check_label
);
name_type!(
    /// The name of a volume: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, at most 64 characters.
    VolumeName,
    "volume name",
    check_volume
);
name_type!(
    /// The identifier of an instance: 16 lower-case hexadecimal digits.
    InstanceId,
    "instance id",
    check_instance_id
);
name_type!(
    /// A content digest, `sha256:` and 64 lower-case hexadecimal digits.
    ///
    /// <https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests>
    Digest,
    "digest",
    check_digest
);

fn is_hex(text: &str) -> bool {
    text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

fn check_instance_id(what: &'static str, text: &str) -> Result<(), NameError> {
    if text.len() == 16 && is_hex(text) {
        return Ok(());
    }
    let text = text.chars().take(80).collect();
    Err(NameError { what, text, problem: "is not 16 hexadecimal digits" })
}

fn check_volume(what: &'static str, text: &str) -> Result<(), NameError> {
    let inner = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-');
    let problem = if text.is_empty() {
        "is empty"
    } else if text.len() > MAX_VOLUME_NAME {
        "is longer than 64 characters"
    } else if text.starts_with(['_', '.', '-']) || !text.bytes().all(inner) {
        "may only have letters, digits, _, . and -, and must start with a letter or a digit"
    } else {
        return Ok(());
    };
    let text = text.chars().take(80).collect();
    Err(NameError { what, text, problem })
}

fn check_digest(what: &'static str, text: &str) -> Result<(), NameError> {
    match text.strip_prefix("sha256:") {
        Some(hex) if hex.len() == 64 && is_hex(hex) => Ok(()),
        _ => {
            let text = text.chars().take(80).collect();
            Err(NameError { what, text, problem: "is not sha256: and 64 hexadecimal digits" })
        }
    }
}

impl InstanceId {
    /// Makes an identifier of 64 random bits.
    pub fn from_bits(bits: u64) -> Self {
        Self(format!("{bits:016x}"))
    }
}

impl Digest {
    /// The digest whose SHA-256 value is `hash`.
    pub fn from_sha256(hash: [u8; 32]) -> Self {
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("sha256:{hex}"))
    }

    /// The hexadecimal part, which is the file name of a blob or a layer.
    pub fn hex(&self) -> &str {
        self.0.trim_start_matches("sha256:")
    }

    /// The first 12 hexadecimal digits, for people.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }
}

/// A container as the command line names it: `pod`, or `pod/container`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRef {
    /// The pod.
    pub pod: PodName,
    /// The container; `None` means the pod's first.
    pub container: Option<ContainerName>,
}

impl FromStr for ContainerRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Ok(match text.split_once('/') {
            None => Self { pod: text.parse()?, container: None },
            Some((pod, container)) => {
                Self { pod: pod.parse()?, container: Some(container.parse()?) }
            }
        })
    }
}

impl fmt::Display for ContainerRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.container {
            None => write!(f, "{}", self.pod),
            Some(container) => write!(f, "{}/{container}", self.pod),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pod_names_are_dns_labels() {
        for good in ["a", "web", "web-1", "0", &"x".repeat(63)] {
            assert!(good.parse::<PodName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "../x", "a/b", "a.b", "a\n", "é", &"x".repeat(64)] {
            assert!(bad.parse::<PodName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn volume_names_are_file_names() {
        for good in ["a", "web_data.1", "A-1", &"x".repeat(64)] {
            assert!(good.parse::<VolumeName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "-a", "_a", "é", &"x".repeat(65)] {
            assert!(bad.parse::<VolumeName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn digests_cannot_become_paths() {
        let good = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(good.parse::<Digest>().unwrap().hex().len(), 64);
        for bad in ["sha256:../../x", "sha512:00", "", &good.to_uppercase()] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
