//! What is read, and how it is normalised.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{in_bridged_pod, in_container, in_pod};
use crate::model::file::{NamedFile, PodFile, line_column, merge};
use crate::model::pod::{
    Check, Container, MountSource, Network, Protocol, Restart, RestartPolicy, Seccomp, Source,
    Ulimit,
};
use crate::model::shape::{self, Kind, Table};
use crate::model::strategy::parse;
use crate::model::{Bytes, Cpus};

const MINIMAL: &str = include_str!("../../../../tests/pods/minimal.toml");
const WEB: &str = include_str!("../../../../tests/pods/web.toml");
const FULL: &str = include_str!("../../../../tests/pods/full.toml");

fn container(keys: &str) -> Container {
    parse(&in_container(keys)).unwrap().pods.remove(0).containers.remove(0)
}

#[test]
fn what_is_left_out_has_its_default() {
    let file = parse(MINIMAL).unwrap();
    let pod = &file.pods[0];
    assert_eq!((pod.name.as_str(), pod.hostname.as_str()), ("shell", "shell"));
    assert_eq!(pod.restart, Restart::default());
    assert_eq!(pod.stop_timeout, Duration::from_secs(30));
    assert_eq!(pod.network, Network::None);
    let container = &pod.containers[0];
    assert_eq!(container.source, Source::Image("docker.io/library/busybox:latest".to_owned()));
    assert_eq!((container.pids, container.memory, container.cpus), (Some(2048), None, None));
    assert_eq!((&container.command, &container.args), (&None, &None));
    assert!(container.no_new_privileges && !container.read_only && !container.tty);
    assert_eq!(container.seccomp, Seccomp::Default);
}

#[test]
fn a_file_may_have_several_pods() {
    assert_eq!(parse(WEB).unwrap().pods.len(), 2);
}

#[test]
fn values_are_normalised() {
    let pod = parse(&in_pod(
        "restart = { policy = \"on-failure\", max_retries = 5, max = \"1.5m\" }\ndepends_on = [\"b\", \"a\", \"b\"]",
    ))
    .unwrap()
    .pods
    .remove(0);
    assert_eq!(pod.restart.policy, RestartPolicy::OnFailure);
    assert_eq!((pod.restart.max_retries, pod.restart.max), (Some(5), Duration::from_secs(90)));
    assert_eq!(pod.depends_on.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);

    let found = container(
        r#"
        memory = 1_048_576
        cpus = 2
        pids = 0
        stop_signal = 15
        working_dir = "//srv/./x/"
        capabilities = { add = ["cap_net_raw", "NET_RAW"], drop = ["all"] }
        devices = ["/dev//fuse"]
        ulimits = { nofile = 1024, core = "0:unlimited" }
        seccomp = "/etc/profile.json"
        env = { "a.b" = "two\nlines" }
        args = []
        "#,
    );
    assert_eq!(
        (found.memory, found.cpus, found.pids),
        (Some(Bytes(1 << 20)), Some(Cpus(2000)), None)
    );
    assert_eq!(found.stop_signal.as_deref(), Some("TERM"));
    assert_eq!(found.working_dir.as_deref(), Some("/srv/x"));
    assert_eq!(found.capabilities.add, BTreeSet::from(["NET_RAW".to_owned()]));
    assert_eq!(found.capabilities.drop, BTreeSet::from(["ALL".to_owned()]));
    assert_eq!(found.devices, BTreeSet::from(["/dev/fuse".into()]));
    assert_eq!(found.ulimits["nofile"], Ulimit { soft: Some(1024), hard: Some(1024) });
    assert_eq!(found.ulimits["core"], Ulimit { soft: Some(0), hard: None });
    assert_eq!(found.seccomp, Seccomp::Profile("/etc/profile.json".into()));
    assert_eq!(found.env["a.b"], "two\nlines");
    assert_eq!(found.args, Some(vec![]));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let windows = format!("\u{feff}{}", FULL.replace('\n', "\r\n"));
    assert_eq!(parse(&windows).unwrap().pods, parse(FULL).unwrap().pods);
}

#[test]
fn the_full_example_says_what_it_says() {
    let file = parse(FULL).unwrap();
    let [db, web] = file.pods.as_slice() else { panic!("two pods") };
    assert_eq!(db.containers[0].source, Source::Rootfs("/srv/debian".into()));
    let [app, side] = web.containers.as_slice() else { panic!("two containers") };
    assert_eq!((app.ports[0].host, app.ports[0].protocol), (8080, Protocol::Tcp));
    assert_eq!(app.ports.len(), 3);
    assert!(web.isolated && web.share_pids && web.dns.len() == 2 && web.dns_search.len() == 1);
    let content =
        |source: &MountSource| matches!(source, MountSource::Content(text) if text == "hello\n");
    assert!(app.mounts.iter().any(|mount| content(&mount.source) && mount.secret));
    let liveness = app.liveness.as_ref().unwrap();
    assert_eq!(liveness.check, Check::Http { port: 80, path: "/healthz".to_owned() });
    assert_eq!(side.startup.as_ref().unwrap().failures, 30);
}

/// Every table of the example that has the shape `table`.
fn tables_of<'v>(
    wanted: &Table,
    shape: &Table,
    values: &'v toml::Table,
    found: &mut Vec<&'v toml::Table>,
) {
    if std::ptr::eq(wanted, shape) {
        found.push(values);
    }
    for key in shape.keys {
        match (&key.kind, values.get(key.name)) {
            (Kind::Tables(inner), Some(toml::Value::Array(items))) => {
                let items = items.iter().filter_map(toml::Value::as_table);
                items.for_each(|item| tables_of(wanted, inner, item, found));
            }
            (Kind::Table(inner) | Kind::Short(inner), Some(toml::Value::Table(table))) => {
                tables_of(wanted, inner, table, found);
            }
            _ => {}
        }
    }
}

#[test]
fn the_full_example_has_every_key() {
    let example: toml::Table = toml::from_str(FULL).unwrap();
    for table in shape::ALL {
        let mut found = Vec::new();
        tables_of(table, &shape::FILE, &example, &mut found);
        for key in table.keys {
            let written = found.iter().any(|values| values.contains_key(key.name));
            assert!(written, "{} of {} is in no example", key.name, table.name);
        }
    }
}

/// The shape's words, defaults and examples are what the reader accepts.
#[test]
fn every_example_of_the_shape_is_read() {
    for key in shape::CONTAINER.keys {
        let line = match key.name {
            "name" | "image" | "rootfs" | "mounts" => continue,
            _ => format!("{} = {}", key.name, key.example),
        };
        let bridged = in_container(&line).replace("\"none\"", "\"bridge\"");
        assert!(parse(&bridged).is_ok(), "{line}");
        if let Kind::Choice(words) = key.kind {
            for word in words {
                assert!(parse(&in_container(&format!("{} = {word:?}", key.name))).is_ok());
            }
        }
    }
    for key in shape::POD.keys {
        if !matches!(key.name, "name" | "network") && !matches!(key.kind, Kind::Tables(_)) {
            let line = format!("{} = {}", key.name, key.example);
            assert!(parse(&in_bridged_pod(&line)).is_ok(), "{line}");
        }
    }
    for word in ["bridge", "host", "none"] {
        let pod = in_pod("").replace("none", word);
        assert_eq!(parse(&pod).unwrap().pods[0].network == Network::None, word == "none");
    }
    for word in ["always", "on-failure", "never"] {
        for line in [format!("restart = {word:?}"), format!("restart = {{ policy = {word:?} }}")] {
            assert!(parse(&in_pod(&line)).is_ok(), "{line}");
        }
    }
}

#[test]
fn files_are_merged_unless_two_have_a_pod_of_one_name() {
    let web = parse(WEB).unwrap();
    let full = parse(FULL).unwrap();
    let minimal = parse(MINIMAL).unwrap();
    let named = |name, source, file: &'static PodFile| NamedFile { name, source, file };
    let leak = |file: PodFile| -> &'static PodFile { Box::leak(Box::new(file)) };
    let (web, full, minimal) = (leak(web), leak(full), leak(minimal));

    let pods = merge(&[named("a.toml", WEB, web), named("b.toml", MINIMAL, minimal)]).unwrap();
    let names: Vec<&str> = pods.iter().map(|pod| pod.name.as_str()).collect();
    assert_eq!(names, ["web", "clock", "shell"]);

    let files =
        [named("a.toml", WEB, web), named("b.toml", MINIMAL, minimal), named("c.toml", FULL, full)];
    let errors = merge(&files).unwrap_err();
    let [(file, error)] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!((*file, &FULL[error.span.clone()]), (2, "\"web\""));
    assert_eq!(error.message, "two pods are named \"web\"");
    let (line, column) = line_column(WEB, web.places[0].start);
    assert_eq!(error.help, Some(format!("the first is at a.toml:{line}:{column}")));
}
