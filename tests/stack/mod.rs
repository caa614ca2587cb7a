//! A stack of three pods as people run them, from Debian's own packages: PostgreSQL with its data
//! in a volume, an application that brings its tables along, and nginx in front of both.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::namespace::Namespace;
use crate::support::program::Output;
use crate::support::{Tank, fixtures};

/// The database. A new volume begins with the cluster that the package has made.
const DB: &str = r#"
name = "db"
stop_timeout = "60s"
[[containers]]
name = "postgres"
rootfs = "ROOTFS"
command = ["/usr/lib/postgresql/15/bin/postgres", "-D", "/var/lib/postgresql/15/main"]
args = [
    "-c", "config_file=/etc/postgresql/15/main/postgresql.conf",
    "-c", "hba_file=/etc/postgresql/pg_hba.conf",
    "-c", "listen_addresses=*", "-c", "unix_socket_directories=/tmp", "-c", "external_pid_file=",
]
user = "postgres"
stop_signal = "INT"
memory = "512MiB"
env = { GENERATION = "1" }
[[containers.mounts]]
target = "/var/lib/postgresql"
volume = "db-data"
[[containers.mounts]]
target = "/etc/postgresql/pg_hba.conf"
content = "local all all trust\nhost all all all trust\n"
[containers.readiness]
exec = ["/usr/lib/postgresql/15/bin/pg_isready", "-h", "/tmp"]
period = "200ms"
[containers.liveness]
tcp = { port = 5432 }
initial_delay = "10s"
"#;

/// The application: every request is a row of a table that its init container makes.
const APP: &str = r#"
name = "app"
depends_on = ["db"]
stop_timeout = "2s"
[[init_containers]]
name = "migrate"
rootfs = "ROOTFS"
command = ["/usr/lib/postgresql/15/bin/psql", "-h", "db", "-U", "postgres"]
args = ["-v", "ON_ERROR_STOP=1", "-f", "/migrate.sql"]
[[init_containers.mounts]]
target = "/migrate.sql"
content = "CREATE TABLE IF NOT EXISTS visits (number serial PRIMARY KEY, at timestamptz DEFAULT now());"
[[containers]]
name = "app"
rootfs = "ROOTFS"
command = ["/usr/bin/socat", "TCP-LISTEN:8000,fork,reuseaddr", "EXEC:/answer"]
user = "www-data"
[[containers.mounts]]
target = "/answer"
file = "./answer.sh"
[containers.readiness]
tcp = { port = 8000 }
period = "200ms"
"#;

const ANSWER: &str = r#"#!/bin/sh
read -r request || exit 0
insert='INSERT INTO visits DEFAULT VALUES RETURNING number'
number=$(/usr/lib/postgresql/15/bin/psql -h db -U postgres -Atqc "$insert")
printf 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nvisit %s\n' "$number"
"#;

/// What is in front.
const WEB: &str = r#"
name = "web"
depends_on = ["app"]
labels = { tier = "front" }
[[containers]]
name = "nginx"
rootfs = "ROOTFS"
command = ["/usr/sbin/nginx", "-g", "daemon off;"]
stop_signal = "QUIT"
ports = ["8080:80"]
[[containers.mounts]]
target = "/etc/nginx/nginx.conf"
file = "./nginx.conf"
read_only = true
[containers.readiness]
http = { port = 80, path = "/healthz" }
period = "200ms"
[containers.liveness]
http = { port = 80, path = "/healthz" }
"#;

const NGINX: &str = r#"
worker_processes 1;
error_log stderr;
pid /tmp/nginx.pid;
events {}
http {
    access_log /dev/stdout;
    server {
        listen 80;
        location = /healthz { return 200 "ok\n"; }
        location / { proxy_pass http://app:8000; }
    }
}
"#;

/// A machine with the files of the stack in a directory.
struct Stack {
    tank: Tank,
    namespace: Namespace,
    files: PathBuf,
}

impl Stack {
    fn new() -> Self {
        let namespace = Namespace::new();
        let tank = Tank::inside(&namespace);
        let files = tank.dir().join("stack");
        fs::create_dir(&files).unwrap();
        let stack = Self { tank, namespace, files };
        stack.write("answer.sh", ANSWER);
        fs::set_permissions(stack.files.join("answer.sh"), fs::Permissions::from_mode(0o755))
            .unwrap();
        stack.write("nginx.conf", NGINX);
        for (name, pod) in [("db.toml", DB), ("app.toml", APP), ("web.toml", WEB)] {
            stack.write(name, pod);
        }
        stack
    }

    fn write(&self, name: &str, text: &str) {
        let rootfs = fixtures::debian_rootfs();
        fs::write(self.files.join(name), text.replace("ROOTFS", rootfs.to_str().unwrap())).unwrap();
    }

    #[track_caller]
    fn apply(&self) -> Output {
        self.tank.run(["apply", "--wait=50s", "-f", self.files.to_str().unwrap()]).ok()
    }

    /// What a client of the published port is told.
    #[track_caller]
    fn visit(&self) -> String {
        self.namespace.sh("curl -sS --max-time 10 http://127.0.0.1:8080/").ok().stdout
    }

    #[track_caller]
    fn assert_ready(&self) {
        for name in ["db", "app", "web"] {
            let pod = self.tank.listed(name);
            assert_eq!(
                (&pod["status"], &pod["sync"]),
                (&"running".into(), &"sync".into()),
                "{pod}"
            );
            assert_eq!(pod["ready"], pod["total"], "{pod}");
        }
        assert_eq!(self.tank.run(["plan"]).ok().stdout, "nothing to do\n");
    }
}

#[test]
fn it_comes_up_in_order_and_its_data_outlives_its_pods() {
    let stack = Stack::new();
    let applied = stack.apply();
    for name in ["db", "app", "web"] {
        assert!(applied.stdout.contains(&format!("pod/{name} created")), "{applied}");
    }
    stack.assert_ready();
    assert_eq!(stack.visit(), "visit 1\n");
    let begun = |pod: &str| {
        let life = stack.tank.lives(pod).pop().unwrap();
        life["started_at"].as_str().unwrap().to_owned()
    };
    assert!(begun("db") < begun("app") && begun("app") < begun("web"));

    // The database is replaced; those who use it are not.
    let before = ["app", "web"].map(|pod| stack.tank.lives(pod).pop().unwrap()["id"].clone());
    stack.write("db.toml", &DB.replace("GENERATION = \"1\"", "GENERATION = \"2\""));
    assert!(stack.apply().stdout.contains("pod/db configured"));
    stack.assert_ready();
    let after = ["app", "web"].map(|pod| stack.tank.lives(pod).pop().unwrap()["id"].clone());
    assert_eq!(before, after);
    assert_eq!(stack.visit(), "visit 2\n");

    // Another content of a file is a change of the one pod that shows it.
    stack.write(
        "nginx.conf",
        &NGINX.replace("proxy_pass http://app:8000", "return 200 \"closed\\n\""),
    );
    let directory = stack.files.to_str().unwrap();
    let planned = stack.tank.run(["plan", "-f", directory]).ok().stdout;
    let cause = format!("mounts[/etc/nginx/nginx.conf].file: {directory}/nginx.conf (sha256:");
    assert!(planned.contains(&cause), "{planned}");
    assert!(!planned.contains("db") && !planned.contains("start app"), "{planned}");
    stack.apply();
    assert_eq!(stack.visit(), "closed\n");
    stack.write("nginx.conf", NGINX);

    stack.tank.run(["delete", "--wait", "-f", directory]).ok();
    stack.apply();
    stack.assert_ready();
    // What PostgreSQL had reserved of its sequence may be lost with it, never what was written.
    let rows = "psql -h db -U postgres -Atc 'SELECT count(*) FROM visits'";
    let exec = ["exec", "app", "--", "sh", "-c", &format!("/usr/lib/postgresql/15/bin/{rows}")];
    assert_eq!(stack.tank.run(exec).ok().stdout, "2\n");
    assert!(stack.visit().starts_with("visit "));
}

#[test]
fn after_a_reboot_it_is_there_again() {
    let stack = Stack::new();
    stack.apply();
    assert_eq!(stack.visit(), "visit 1\n");
    stack.tank.reboot();
    stack.tank.run(["reconcile"]).ok();
    let wait = ["wait", "db", "app", "web", "--for", "ready", "--timeout", "50s"];
    stack.tank.run(wait).ok();
    stack.assert_ready();
    for pod in ["db", "app", "web"] {
        let exits = stack.tank.listed(pod)["exits"].clone();
        let lost = |exit: &serde_json::Value| exit["reason"] == "host-reboot";
        assert!(exits.as_array().unwrap().iter().any(lost), "{pod}: {exits}");
    }
    assert!(stack.visit().starts_with("visit "));
}
