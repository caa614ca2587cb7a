use proptest::prelude::*;

use super::*;
use crate::model::strategy;
use crate::model::strategy::parse;

#[test]
fn only_what_is_not_the_default_is_written() {
    let text = "\
name = \"web\"
network = \"none\"

[[containers]]
name = \"app\"
image = \"docker.io/library/nginx:latest\"
";
    let file = parse(
        r#"
        name = "web"
        hostname = "web"
        network = "none"
        restart = { policy = "always", initial = "1s", max = "60s" }
        [[containers]]
        name = "app"
        image = "nginx"
        pids = 2_048
        env = {}
        capabilities = { add = [] }
        "#,
    );
    assert_eq!(to_toml(&file.unwrap().pods[0]), text);
}

#[test]
fn every_kind_of_value_is_written() {
    let text = r#"name = "web"
hostname = "www.example.org"
restart = "on-failure"
stop_timeout = "90s"
isolated = true
share_pids = true
dns = ["9.9.9.9", "2620:fe::fe"]
dns_search = ["b.example.org", "example.org"]
extra_hosts = { cache = "fd00::1", "db.example.org" = "192.0.2.10" }
depends_on = ["db"]
labels = { "a\"" = "\"\\\u202E", tier = "front" }

[[init_containers]]
name = "migrate"
rootfs = "/srv/app"
command = ["/app/migrate"]

[[containers]]
name = "app"
image = "docker.io/library/nginx:1.27"
args = []
env = { TEXT = """
two
"lines"
""" }
tty = true
stop_signal = "RTMIN+3"
ports = ["127.0.0.1:5353:53/udp", "[fd00::1]:8443:443"]
memory = "256MiB"
cpus = 0.5
pids = 0
capabilities = { drop = ["ALL"] }
ulimits = { nofile = "1024:4096" }
log = { max_size = "1MiB" }

[[containers.mounts]]
target = "/data"
volume = "web-data"

[[containers.mounts]]
target = "/tmp"
tmpfs = "64MiB"
read_only = true

[containers.liveness]
http = { port = 80, path = "/healthz" }
failures = 5
"#;
    let file = parse(text).unwrap();
    assert_eq!(to_toml(&file.pods[0]), text);
}

proptest! {
    #[test]
    fn what_is_written_reads_back(pod in strategy::pod()) {
        let text = to_toml(&pod);
        let file = parse(&text);
        prop_assert_eq!(file.map(|file| file.pods), Ok(vec![pod]), "{}", text);
    }

    #[test]
    fn json_reads_back(pod in strategy::pod()) {
        let json = serde_json::to_string(&pod).unwrap();
        prop_assert_eq!(serde_json::from_str::<Pod>(&json).unwrap(), pod);
    }
}
