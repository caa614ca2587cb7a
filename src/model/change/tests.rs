use proptest::prelude::*;

use super::*;
use crate::model::strategy::{self, parse};

fn pod(text: &str) -> Pod {
    parse(text).unwrap().pods.remove(0)
}

/// The changes as `path: old -> new (effect, container)`.
fn told(old: &str, new: &str) -> Vec<String> {
    let tell = |change: Change| {
        let Change { path, old, new, effect, container } = change;
        let container = container.map_or("all".to_owned(), |name| name.to_string());
        format!("{path}: {old} -> {new} ({effect:?}, {container})")
    };
    changes(&pod(old), &pod(new)).into_iter().map(tell).collect()
}

const BASE: &str = r#"
name = "web"
network = "none"
labels = { a = "1", b = "2" }
[[containers]]
name = "app"
image = "nginx"
env = { A = "1", B = "2" }
[[containers.mounts]]
target = "/data"
host = "/srv"
[[containers.mounts]]
target = "/key"
content = "old secret"
secret = true
"#;

#[test]
fn the_same_spec_written_otherwise_has_no_changes() {
    let same = r#"
containers = [{ image = "docker.io/library/nginx:latest", env = { B = "2", A = "1" }, name = "app", pids = 0x800, mounts = [
    { target = "//data/", host = "/srv/." }, { target = "/key", content = "old secret", secret = true }] }]
labels = { b = "2", a = "1" }
stop_timeout = "30000ms"
hostname = "web"
restart = { policy = "always", max = "60s" }
network = "none"
name = "web"
"#;
    assert_eq!(told(BASE, same), [""; 0]);
    assert_eq!(pod(BASE), pod(same));
}

#[test]
fn each_change_says_its_key_and_its_effect() {
    let cases = [
        (
            "network = \"none\"",
            "network = \"host\"\nhostname = \"h\"",
            vec!["hostname: web -> h (Replace, all)", "network: none -> host (Replace, all)"],
        ),
        (
            "network = \"none\"",
            "network = \"none\"\nstop_timeout = \"90s\"\nrestart = \"never\"",
            vec![
                "restart.policy: always -> never (Live, all)",
                "stop_timeout: 30s -> 90s (Live, all)",
            ],
        ),
        (
            "a = \"1\", b = \"2\"",
            "b = \"3\", c = \"\"",
            vec![
                "labels.a: 1 -> unset (Live, all)",
                "labels.b: 2 -> 3 (Live, all)",
                "labels.c: unset ->  (Live, all)",
            ],
        ),
        (
            "image = \"nginx\"",
            "rootfs = \"/r\"\ncommand = [\"/a b\"]\nmemory = \"1GiB\"\ncpus = 0.5\npids = 0",
            vec![
                "containers[app].image: docker.io/library/nginx:latest -> unset (Replace, app)",
                "containers[app].rootfs: unset -> /r (Replace, app)",
                "containers[app].command: unset -> [\"/a b\"] (Replace, app)",
                "containers[app].memory: unset -> 1GiB (Live, app)",
                "containers[app].cpus: unset -> 0.5 (Live, app)",
                "containers[app].pids: 2048 -> 0 (Live, app)",
            ],
        ),
        (
            "network = \"none\"",
            "isolated = true\ndns = [\"9.9.9.9\"]\ndns_search = [\"a\"]\nextra_hosts = { b = \"::1\" }",
            vec![
                "network: none -> bridge (Replace, all)",
                "isolated: false -> true (Live, all)",
                "dns: [] -> [\"9.9.9.9\"] (Live, all)",
                "dns_search: [] -> [\"a\"] (Live, all)",
                "extra_hosts.b: unset -> ::1 (Live, all)",
            ],
        ),
        (
            "network = \"none\"",
            "network = \"none\"\nshare_pids = true",
            vec!["share_pids: false -> true (Replace, all)"],
        ),
        (
            "image = \"nginx\"",
            "image = \"nginx\"\nlog = { max_size = \"1MiB\" }",
            vec!["containers[app].log.max_size: unset -> 1MiB (Live, app)"],
        ),
        ("A = \"1\"", "A = \"2\"", vec!["containers[app].env.A: 1 -> 2 (Replace, app)"]),
        (
            "host = \"/srv\"",
            "tmpfs = \"1MiB\"",
            vec![
                "containers[app].mounts[/data].host: /srv -> unset (Replace, app)",
                "containers[app].mounts[/data].tmpfs: unset -> 1MiB (Replace, app)",
            ],
        ),
        (
            "old secret",
            "new secret",
            vec!["containers[app].mounts[/key].content: *** -> *** (Replace, app)"],
        ),
        (
            "host = \"/srv\"",
            "file = \"a.conf\"",
            vec![
                "containers[app].mounts[/data].host: /srv -> unset (Replace, app)",
                "containers[app].mounts[/data].file: unset -> /a.conf (sha256:702b18b7bc70) (Replace, app)",
            ],
        ),
        (
            "secret = true",
            "",
            vec!["containers[app].mounts[/key].secret: true -> false (Replace, app)"],
        ),
        (
            "/data",
            "/var",
            vec![
                "containers[app].mounts[/data]: present -> absent (Replace, app)",
                "containers[app].mounts[/var]: absent -> present (Replace, app)",
            ],
        ),
        (
            "name = \"app\"",
            "name = \"new\"",
            vec![
                "containers[app]: present -> absent (Replace, app)",
                "containers[new]: absent -> present (Replace, new)",
            ],
        ),
        (
            "[[containers.mounts]]\ntarget = \"/data\"",
            "ports = []\n[containers.readiness]\nexec = [\"/ok\"]\n[[containers.mounts]]\ntarget = \"/data\"",
            vec!["containers[app].readiness: unset -> { exec = [\"/ok\"] } (Live, app)"],
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(told(BASE, &BASE.replace(from, to)), expected, "{from} -> {to}");
    }
}

#[test]
fn the_order_of_a_list_of_tables_is_a_change_of_the_list() {
    let two = |first: &str, second: &str| {
        let container = |name| format!("[[containers]]\nname = \"{name}\"\nimage = \"a\"\n");
        format!("name = \"web\"\nnetwork = \"none\"\n{}{}", container(first), container(second))
    };
    let expected = ["containers: a, b -> b, a (Live, all)"];
    assert_eq!(told(&two("a", "b"), &two("b", "a")), expected);
}

#[test]
fn a_change_inside_a_probe_names_its_key() {
    let probe = |period: &str| {
        format!("{BASE}\n[containers.liveness]\ntcp = {{ port = 80 }}\nperiod = \"{period}\"\n")
    };
    let expected = ["containers[app].liveness.period: 10s -> 20s (Live, app)"];
    assert_eq!(told(&probe("10s"), &probe("20s")), expected);
}

#[test]
fn long_values_are_cut() {
    let expected = format!("labels.a: 1 -> {}... (Live, all)", "é".repeat(80));
    assert_eq!(
        told(BASE, &BASE.replace("a = \"1\"", &format!("a = \"{}\"", "é".repeat(99)))),
        [expected]
    );
}

proptest! {
    #[test]
    fn only_equal_pods_have_no_changes(a in strategy::pod(), b in strategy::pod()) {
        prop_assert_eq!(changes(&a, &b).is_empty(), a == b);
        prop_assert_eq!(changes(&a, &a), vec![]);
    }
}
