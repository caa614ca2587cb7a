//! The tables of a container.

use super::build::{ANY, NAME, PATH, SIZE, key};
use super::{Kind, LOG, MOUNT, PROBE, Table};

const PORT: &str =
    r"^((\[[0-9a-fA-F:.]+\]|[0-9.]+):)?[0-9]+(-[0-9]+)?:[0-9]+(-[0-9]+)?(/(tcp|udp))?$";
const ULIMIT: &str = "^([0-9]+|unlimited)(:([0-9]+|unlimited))?$";

/// A container of a pod.
pub static CONTAINER: Table = Table {
    name: "a container",
    doc: "One program of a pod.",
    identity: Some("name"),
    inline: false,
    keys: &[
        key(
            "name",
            Kind::Text(NAME),
            "Its name, unique in the pod; the same rule as for pods.",
            r#""app""#,
        )
        .required(),
        key(
            "image",
            Kind::Text(ANY),
            "The image its root file system comes from. Either this or rootfs.",
            r#""docker.io/library/nginx:1.27""#,
        ),
        key(
            "rootfs",
            Kind::Text(PATH),
            "A directory of the host as root file system, used read-only under an overlay.",
            r#""/srv/debian""#,
        ),
        key(
            "pull",
            Kind::Choice(&["missing", "always", "never"]),
            "When the image is looked for in its registry.",
            r#""missing""#,
        )
        .default("missing")
        .live(),
        key(
            "command",
            Kind::Array(&Kind::Text(ANY)),
            "Replaces the image's Entrypoint, and drops its Cmd.",
            r#"["nginx"]"#,
        ),
        key(
            "args",
            Kind::Array(&Kind::Text(ANY)),
            "Replaces the image's Cmd.",
            r#"["-g", "daemon off;"]"#,
        ),
        key(
            "env",
            Kind::Map(&Kind::Text(ANY)),
            "Environment variables, over the image's.",
            r#"{ TZ = "UTC" }"#,
        )
        .default("{}"),
        key(
            "working_dir",
            Kind::Text(PATH),
            "The working directory; the image's if left out, else /.",
            r#""/srv""#,
        ),
        key(
            "user",
            Kind::Text(ANY),
            "USER or USER:GROUP, names or numbers, resolved inside the image; the image's if left out.",
            r#""101:101""#,
        ),
        key("tty", Kind::Boolean, "Whether its standard streams are a terminal.", "true")
            .default("false"),
        key("stdin", Kind::Boolean, "Whether standard input is kept open for attach.", "true")
            .default("false"),
        key(
            "init",
            Kind::Boolean,
            "Whether its first process is a reaping init, with the program as its child.",
            "true",
        )
        .default("false"),
        key(
            "stop_signal",
            Kind::TextOrInteger(ANY),
            "The signal that asks it to end; the image's if left out, else TERM.",
            r#""TERM""#,
        ),
        key(
            "ports",
            Kind::Array(&Kind::Text(PORT)),
            "Published ports: [ADDRESS:]HOST:CONTAINER[/udp], single ports or ranges.",
            r#"["8080:80", "127.0.0.1:8443:443", "5353:53/udp"]"#,
        )
        .default("[]")
        .live(),
        key("memory", Kind::TextOrInteger(SIZE), "Memory limit; none if left out.", r#""256MiB""#)
            .live(),
        key("cpus", Kind::Number, "CPU limit in CPUs; none if left out.", "0.5").live(),
        key(
            "pids",
            // The kernel's own limit, PID_MAX_LIMIT.
            Kind::Integer { min: 0, max: 4 << 20 },
            "Limit on processes and threads; 0 is no limit.",
            "2048",
        )
        .default("2048")
        .live(),
        key("read_only", Kind::Boolean, "Whether the root file system is read-only.", "true")
            .default("false"),
        key(
            "capabilities",
            Kind::Table(&CAPABILITIES),
            "Changes to the default capabilities.",
            r#"{ drop = ["ALL"], add = ["NET_RAW"] }"#,
        )
        .default("{}"),
        key(
            "no_new_privileges",
            Kind::Boolean,
            "Whether execve may never grant privileges.",
            "true",
        )
        .default("true"),
        key(
            "seccomp",
            Kind::Text("^(default|unconfined|/.*)$"),
            "The system call filter: default, unconfined, or the path of a profile.",
            r#""default""#,
        )
        .default("default"),
        key(
            "devices",
            Kind::Array(&Kind::Text("^/dev/")),
            "Devices of the host to pass in.",
            r#"["/dev/fuse"]"#,
        )
        .default("[]"),
        key(
            "sysctls",
            Kind::Map(&Kind::Text(ANY)),
            "Kernel parameters of the pod's own namespaces.",
            r#"{ "net.core.somaxconn" = "1024" }"#,
        )
        .default("{}"),
        key(
            "ulimits",
            Kind::Map(&Kind::TextOrInteger(ULIMIT)),
            "Resource limits: SOFT:HARD, or one number for both, or unlimited.",
            r#"{ nofile = "1024:4096" }"#,
        )
        .default("{}"),
        key(
            "log",
            Kind::Table(&LOG),
            "How much of its log is kept.",
            r#"{ max_size = "10MiB", max_files = 5 }"#,
        )
        .default("{}")
        .live(),
        key("mounts", Kind::Tables(&MOUNT), "Its mounts.", "[[containers.mounts]]").default("[]"),
        key(
            "liveness",
            Kind::Table(&PROBE),
            "Ends the container when it fails.",
            "{ exec = [\"/check\"] }",
        )
        .live(),
        key(
            "readiness",
            Kind::Table(&PROBE),
            "Says whether it can serve.",
            "{ tcp = { port = 80 } }",
        )
        .live(),
        key(
            "startup",
            Kind::Table(&PROBE),
            "Holds back the other two until it has passed once.",
            "{ http = { port = 80 } }",
        )
        .live(),
    ],
};

/// Changes to the default capabilities.
pub static CAPABILITIES: Table = Table {
    name: "a change of capabilities",
    doc: "Changes to the default capabilities: names with or without CAP_, or ALL.",
    identity: None,
    inline: true,
    keys: &[
        key("add", Kind::Array(&Kind::Text(ANY)), "Added after the drop.", r#"["NET_RAW"]"#)
            .default("[]"),
        key("drop", Kind::Array(&Kind::Text(ANY)), "Taken away.", r#"["ALL"]"#).default("[]"),
    ],
};
