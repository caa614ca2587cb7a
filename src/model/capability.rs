//! Capabilities by name.

use super::nearest::nearest;
use super::value::ValueError;

/// The capabilities of capabilities(7), without `CAP_`, in the order of their numbers, from 0.
pub const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// The name that stands for all of them.
pub const ALL: &str = "ALL";

/// The name in upper case without `CAP_`: `NET_RAW` for `cap_net_raw`.
///
/// # Errors
/// It is neither one of [`NAMES`] nor [`ALL`].
pub fn normalise(text: &str) -> Result<String, ValueError> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if name == ALL || NAMES.contains(&name) {
        return Ok(name.to_owned());
    }
    let help = nearest(name, NAMES).map(|near| format!("did you mean \"{near}\"?"));
    Err(ValueError::new("capability", text, "is not known").with_help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised() {
        for text in ["NET_RAW", "CAP_NET_RAW", "cap_net_raw", "net_raw"] {
            assert_eq!(normalise(text).as_deref(), Ok("NET_RAW"));
        }
        assert_eq!(normalise("all").as_deref(), Ok(ALL));
        let error = normalise("NETRAW").unwrap_err();
        assert_eq!(error.to_string(), r#"capability "NETRAW" is not known"#);
        assert_eq!(error.help(), Some(r#"did you mean "NET_RAW"?"#));
    }
}
