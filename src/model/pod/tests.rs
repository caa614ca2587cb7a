use super::*;

/// A pod as a tank wrote it that knew no network but the host's and none.
const OLD: &str = r#"{"name":"web","hostname":"web","restart":{"policy":"always",
    "max_retries":null,"initial":{"secs":1,"nanos":0},"max":{"secs":60,"nanos":0}},
    "stop_timeout":{"secs":30,"nanos":0},"network":"host","depends_on":[],"labels":{"tier":"front"},
    "init_containers":[],"containers":[{"name":"app",
    "source":{"image":"docker.io/library/nginx:1.27"},"pull":"missing","command":null,"args":null,
    "env":{},"working_dir":null,"user":null,"tty":false,"stdin":false,"init":false,
    "stop_signal":null,"ports":[],"memory":268435456,"cpus":500,"pids":2048,"read_only":false,
    "capabilities":{"add":[],"drop":[]},"no_new_privileges":true,"seccomp":"default","devices":[],
    "sysctls":{},"ulimits":{},"mounts":[],"liveness":null,"readiness":null,"startup":null}]}"#;

#[test]
fn specs_of_an_older_tank_are_read_and_mean_the_same() {
    let pod: Pod = serde_json::from_str(OLD).unwrap();
    assert!(!pod.isolated && !pod.share_pids && pod.dns.is_empty() && pod.dns_search.is_empty());
    assert!(pod.extra_hosts.is_empty());
    assert_eq!(pod.containers[0].log, LogLimits::default());
    let file = r#"
        name = "web"
        network = "host"
        labels = { tier = "front" }
        [[containers]]
        name = "app"
        image = "nginx:1.27"
        memory = "256MiB"
        cpus = 0.5
    "#;
    assert_eq!(crate::model::strategy::parse(file).unwrap().pods, [pod]);
}

#[test]
fn fields_that_are_not_known_are_refused() {
    let newer = OLD.replacen('{', "{\"of_a_later_version\":true,", 1);
    assert!(serde_json::from_str::<Pod>(&newer).is_err());
}
