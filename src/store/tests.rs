//! Tests of the state, on real files.

mod contents;
mod crash;
mod desired;
mod disk;
mod images;
mod instances;
mod journal;
mod network;
mod opening;
mod processes;
mod syscalls;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::model::{ContainerName, Digest, Instance, InstanceId, Pod, PodName, State};

/// A root without state.
fn empty() -> TempDir {
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    tempfile::Builder::new().permissions(private).tempdir().unwrap()
}

/// A root and the state in it.
fn fresh() -> (TempDir, Store) {
    let root = empty();
    let store = open(root.path());
    (root, store)
}

fn open(root: &Path) -> Store {
    Store::open(root, Access::ReadWrite).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn name(text: &str) -> PodName {
    text.parse().unwrap()
}

fn container(text: &str) -> ContainerName {
    text.parse().unwrap()
}

fn digest(byte: u8) -> Digest {
    Digest::from_sha256([byte; 32])
}

/// A pod of one container, `app`, of the image with this name.
fn pod(name: &str, image: &str) -> Pod {
    let second = serde_json::json!({ "secs": 1, "nanos": 0 });
    let value = serde_json::json!({
        "name": name, "hostname": name, "stop_timeout": second, "network": "none",
        "restart": { "policy": "always", "max_retries": null, "initial": second, "max": second },
        "depends_on": [], "labels": {}, "init_containers": [],
        "containers": [{
            "name": "app", "source": { "image": image }, "pull": "missing", "command": null,
            "args": null, "env": { "B": "2", "A": "1" }, "working_dir": null, "user": null,
            "tty": false, "stdin": false, "init": false, "stop_signal": null, "ports": [],
            "memory": null, "cpus": null, "pids": 2048, "read_only": false,
            "capabilities": { "add": [], "drop": [] }, "no_new_privileges": true,
            "seccomp": "default", "devices": [], "sysctls": {}, "ulimits": {}, "mounts": [],
            "liveness": null, "readiness": null, "startup": null,
        }],
    });
    serde_json::from_value(value).unwrap()
}

fn images(byte: u8) -> BTreeMap<ContainerName, Digest> {
    BTreeMap::from([(container("app"), digest(byte))])
}

/// An instance of the container `app` that was just created.
fn instance(pod: &str, attempt: u32) -> Instance {
    let hash = pod.bytes().fold(0, |hash, byte| hash * 31 + u64::from(byte));
    Instance {
        id: InstanceId::from_bits(hash << 32 | u64::from(attempt)),
        pod: name(pod),
        container: container("app"),
        generation: 1,
        attempt,
        streak: 0,
        state: State::Created,
        boot: "boot-1".into(),
        monitor: None,
        process: None,
        image: Some(digest(1)),
        created_at: at(i64::from(attempt)),
        started_at: None,
        exit: None,
        removed: false,
        notes: Vec::new(),
    }
}

fn put(store: &mut Store, pod: &Pod) -> Put {
    store.write(|tx| tx.put_pod(pod, &images(1), at(0))).unwrap()
}
