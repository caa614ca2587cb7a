//! The kernel parameters a pod may set: those that its own namespaces have a copy of.

use super::value::ValueError;

/// Parameters of the IPC namespace, ipc_namespaces(7). Those of POSIX queues start with
/// [`MQUEUE`].
const IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];
const MQUEUE: &str = "fs.mqueue.";

/// Whether it belongs to the network namespace, so that a pod in the host's may not set it.
pub fn is_network(name: &str) -> bool {
    name.starts_with("net.")
}

/// Checks the name of a parameter.
///
/// # Errors
/// It is not on the list, or has characters with which it could name another file than it says:
/// names become paths below `/proc/sys`, where a dot is a slash.
pub fn check_name(name: &str) -> Result<(), ValueError> {
    let error = |problem: &str| ValueError::new("sysctl", name, problem);
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    if !name.bytes().all(plain) || name.split('.').any(str::is_empty) || name.len() > 255 {
        return Err(error("may only have letters, digits, - and _, with single dots between"));
    }
    if IPC.contains(&name) || name.starts_with(MQUEUE) || is_network(name) {
        return Ok(());
    }
    let help = "a pod may set net.*, fs.mqueue.*, kernel.sem, kernel.msg* and kernel.shm*";
    Err(error("is not the pod's own").with_help(Some(help.to_owned())))
}

/// Checks a value.
///
/// # Errors
/// It is empty, or has control characters: one write must stay one value.
pub fn check_value(value: &str) -> Result<(), ValueError> {
    if value.is_empty() || super::value::has_control(value) {
        return Err(ValueError::new("sysctl value", value, "is empty or has control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_namespaced_parameters_may_be_set() {
        for good in ["net.core.somaxconn", "kernel.shm_rmid_forced", "fs.mqueue.msg_max"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in [
            "kernel.core_pattern",
            "kernel.hostname",
            "vm.overcommit_memory",
            "net",
            "net.",
            "net..core",
            "net/ipv4/ip_forward",
            "net.ipv4/../../kernel.core_pattern",
            "kernel.shm_rmid_forced=1+kernel.core_pattern",
            "kernel.shm_rmid_forced+",
            "net.a b",
            "net.a\n",
            "",
        ] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_are_one_line() {
        assert!(check_value("1024 65535").is_ok());
        for bad in ["", "1\n2", "1\0"] {
            assert!(check_value(bad).is_err(), "{bad:?}");
        }
    }
}
