//! A pod as the values of the keys of its file, defaults and all.
//!
//! Each function takes its struct apart by name, so that a field cannot be forgotten here.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use toml::{Table, Value};

use crate::model::pod::{
    Capabilities, Check, Container, HostFile, LogLimits, Mount, MountSource, Pod, Probe, Restart,
    Seccomp, Source,
};
use crate::model::quantity::{Cpus, Timespan};

/// A table under construction.
#[derive(Default)]
struct Values(Table);

impl Values {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    fn set_some(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }
}

fn text(value: &impl Display) -> Value {
    Value::String(value.to_string())
}

fn path(path: &Path) -> Value {
    text(&path.display())
}

fn span(span: Duration) -> Value {
    text(&Timespan(span))
}

fn texts<T: Display>(values: impl IntoIterator<Item = T>) -> Value {
    Value::Array(values.into_iter().map(|value| text(&value)).collect())
}

/// A word of a closed list, by the name of its variant.
fn word(value: &impl Serialize) -> Option<Value> {
    Value::try_from(value).ok()
}

/// The keys of a pod.
pub(in crate::model) fn pod_values(pod: &Pod) -> Table {
    let Pod {
        name,
        hostname,
        restart,
        stop_timeout,
        network,
        isolated,
        share_pids,
        dns,
        dns_search,
        extra_hosts,
        depends_on,
        labels,
        init_containers,
        containers,
    } = pod;
    let mut values = Values::default();
    values.set("name", text(name));
    values.set("hostname", text(hostname));
    values.set("restart", restart_values(restart));
    values.set("stop_timeout", span(*stop_timeout));
    values.set_some("network", word(network));
    values.set("isolated", *isolated);
    values.set("share_pids", *share_pids);
    values.set("dns", texts(dns));
    values.set("dns_search", texts(dns_search));
    let hosts = extra_hosts.iter().map(|(host, address)| (host.clone(), text(address)));
    values.set("extra_hosts", hosts.collect::<Table>());
    values.set("depends_on", texts(depends_on));
    values.set("labels", labels.clone());
    let container_list = |list: &[Container]| list.iter().map(container_values).collect::<Vec<_>>();
    values.set("init_containers", container_list(init_containers));
    values.set("containers", container_list(containers));
    values.0
}

/// The keys of a pod as they are compared: a file of the host is what was in it.
pub(in crate::model) fn compared_values(pod: &Pod) -> Table {
    let mut values = pod_values(pod);
    let lists = [("init_containers", &pod.init_containers), ("containers", &pod.containers)];
    for (key, containers) in lists {
        let tables = values.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten();
        for (table, container) in tables.zip(containers) {
            let mounts =
                table.get_mut("mounts").and_then(Value::as_array_mut).into_iter().flatten();
            for (table, mount) in mounts.zip(&container.mounts) {
                if let (Value::Table(table), MountSource::File(file)) = (table, &mount.source) {
                    table.insert("file".to_owned(), text(&with_content(file)));
                }
            }
        }
    }
    values
}

fn with_content(file: &HostFile) -> String {
    let executable = if file.executable { ", executable" } else { "" };
    format!("{} (sha256:{}{executable})", file.path.display(), file.content.short())
}

fn restart_values(restart: &Restart) -> Table {
    let Restart { policy, max_retries, initial, max } = restart;
    let mut values = Values::default();
    values.set_some("policy", word(policy));
    values.set_some("max_retries", max_retries.map(i64::from));
    values.set("initial", span(*initial));
    values.set("max", span(*max));
    values.0
}

fn container_values(container: &Container) -> Table {
    let Container {
        name,
        source,
        pull,
        command,
        args,
        env,
        working_dir,
        user,
        tty,
        stdin,
        init,
        stop_signal,
        ports,
        memory,
        cpus,
        pids,
        read_only,
        capabilities,
        no_new_privileges,
        seccomp,
        devices,
        sysctls,
        ulimits,
        mounts,
        log,
        liveness,
        readiness,
        startup,
    } = container;
    let mut values = Values::default();
    values.set("name", text(name));
    match source {
        Source::Image(image) => values.set("image", text(image)),
        Source::Rootfs(rootfs) => values.set("rootfs", path(rootfs)),
    }
    values.set_some("pull", word(pull));
    values.set_some("command", command.as_ref().map(texts));
    values.set_some("args", args.as_ref().map(texts));
    values.set("env", env.clone());
    values.set_some("working_dir", working_dir.clone());
    values.set_some("user", user.clone());
    values.set("tty", *tty);
    values.set("stdin", *stdin);
    values.set("init", *init);
    values.set_some("stop_signal", stop_signal.clone());
    values.set("ports", texts(ports));
    values.set_some("memory", memory.as_ref().map(text));
    values.set_some("cpus", cpus.map(number));
    values.set("pids", pids.map_or(0, saturating));
    values.set("read_only", *read_only);
    values.set("capabilities", capability_values(capabilities));
    values.set("no_new_privileges", *no_new_privileges);
    values.set(
        "seccomp",
        match seccomp {
            Seccomp::Default => text(&"default"),
            Seccomp::Unconfined => text(&"unconfined"),
            Seccomp::Profile(profile) => path(profile),
        },
    );
    values.set("devices", texts(devices.iter().map(|device| device.display())));
    values.set("sysctls", sysctls.clone());
    let limits = ulimits.iter().map(|(name, limit)| (name.clone(), text(limit)));
    values.set("ulimits", limits.collect::<Table>());
    values.set("mounts", mounts.iter().map(mount_values).collect::<Vec<_>>());
    values.set("log", log_values(log));
    values.set_some("liveness", liveness.as_ref().map(probe_values));
    values.set_some("readiness", readiness.as_ref().map(probe_values));
    values.set_some("startup", startup.as_ref().map(probe_values));
    values.0
}

/// The number of CPUs: a whole number where it is one.
fn number(cpus: Cpus) -> Value {
    match cpus.0 % 1000 {
        0 => Value::Integer((cpus.0 / 1000).into()),
        _ => Value::Float(f64::from(cpus.0) / 1000.0),
    }
}

/// An integer of TOML, whose range is that of an `i64`.
fn saturating(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn capability_values(capabilities: &Capabilities) -> Table {
    let Capabilities { add, drop } = capabilities;
    let mut values = Values::default();
    values.set("add", texts(add));
    values.set("drop", texts(drop));
    values.0
}

fn mount_values(mount: &Mount) -> Table {
    let Mount { target, source, read_only, secret } = mount;
    let mut values = Values::default();
    values.set("target", path(target));
    match source {
        MountSource::Volume(volume) => values.set("volume", text(volume)),
        MountSource::Host(host) => values.set("host", path(host)),
        MountSource::Tmpfs(size) => values.set("tmpfs", text(size)),
        MountSource::Content(content) => values.set("content", text(content)),
        MountSource::File(file) => values.set("file", path(&file.path)),
    }
    values.set("read_only", *read_only);
    values.set("secret", *secret);
    values.0
}

fn log_values(log: &LogLimits) -> Table {
    let LogLimits { max_size, max_files } = log;
    let mut values = Values::default();
    values.set_some("max_size", max_size.as_ref().map(text));
    values.set_some("max_files", max_files.map(i64::from));
    values.0
}

fn probe_values(probe: &Probe) -> Table {
    let Probe { check, initial_delay, period, timeout, failures, successes } = probe;
    let mut values = Values::default();
    match check {
        Check::Http { port, path } => {
            let mut http = Values::default();
            http.set("port", i64::from(*port));
            http.set("path", text(path));
            values.set("http", http.0);
        }
        Check::Tcp { port } => {
            let mut tcp = Values::default();
            tcp.set("port", i64::from(*port));
            values.set("tcp", tcp.0);
        }
        Check::Exec(command) => values.set("exec", texts(command)),
    }
    values.set("initial_delay", span(*initial_delay));
    values.set("period", span(*period));
    values.set("timeout", span(*timeout));
    values.set("failures", i64::from(*failures));
    values.set("successes", i64::from(*successes));
    values.0
}
