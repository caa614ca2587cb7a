//! The tables of a file and of a pod.

use super::build::{ADDRESS, ANY, DURATION, NAME, key};
use super::{CONTAINER, Kind, Table};

/// A file of several pods. A file of one pod is a [`POD`] itself.
pub static FILE: Table = Table {
    name: "a file of several pods",
    doc: "Several pods in one file.",
    identity: None,
    inline: false,
    keys: &[key("pods", Kind::Tables(&POD), "The pods.", "[[pods]]").required()],
};

/// A pod.
pub static POD: Table = Table {
    name: "a pod",
    doc: "A named group of containers that share network, IPC and host name.",
    identity: Some("name"),
    inline: false,
    keys: &[
        key(
            "name",
            Kind::Text(NAME),
            "Its name: at most 63 of a-z, 0-9 and -, with a letter or a digit at both ends.",
            r#""web""#,
        )
        .required(),
        key(
            "hostname",
            Kind::Text(ANY),
            "The host name its containers see; the pod's name if left out.",
            r#""web""#,
        ),
        key(
            "restart",
            Kind::Short(&RESTART),
            "What happens when a container ends: a policy alone, or a table.",
            r#""on-failure""#,
        )
        .default("always")
        .live(),
        key(
            "stop_timeout",
            Kind::Text(DURATION),
            "How long a container may take to end after its stop signal before it is killed.",
            r#""30s""#,
        )
        .default("30s")
        .live(),
        key(
            "network",
            Kind::Choice(&["bridge", "host", "none"]),
            "The network it lives in: its own on tank's bridge, the host's, or only a loopback.",
            r#""none""#,
        )
        .default("bridge"),
        key(
            "isolated",
            Kind::Boolean,
            "Whether it is kept from other pods. Only with network = \"bridge\".",
            "true",
        )
        .default("false")
        .live(),
        key(
            "share_pids",
            Kind::Boolean,
            "Whether its containers share one pid namespace: they see and may signal each other.",
            "true",
        )
        .default("false"),
        key(
            "dns",
            Kind::Array(&Kind::Text(ADDRESS)),
            "Addresses of name servers to ask instead of the host's, in this order, at most 3.",
            r#"["9.9.9.9", "2620:fe::fe"]"#,
        )
        .default("[]")
        .live(),
        key(
            "dns_search",
            Kind::Array(&Kind::Text(ANY)),
            "Domains in which short host names are looked for, in this order, at most 6.",
            r#"["example.org"]"#,
        )
        .default("[]")
        .live(),
        key(
            "extra_hosts",
            Kind::Map(&Kind::Text(ADDRESS)),
            "Host names and the addresses they have in the /etc/hosts of its containers.",
            r#"{ "db.example.org" = "192.0.2.10" }"#,
        )
        .default("{}")
        .live(),
        key(
            "depends_on",
            Kind::Array(&Kind::Text(NAME)),
            "Pods that must be ready before it starts; it is stopped before them.",
            r#"["db"]"#,
        )
        .default("[]")
        .live(),
        key(
            "labels",
            Kind::Map(&Kind::Text(ANY)),
            "Free text for people and selections.",
            r#"{ tier = "front" }"#,
        )
        .default("{}")
        .live(),
        key(
            "init_containers",
            Kind::Tables(&CONTAINER),
            "Containers that run one after the other, each to exit code 0, before the others start.",
            "[[init_containers]]",
        )
        .default("[]"),
        // What is live about the list is the order of its members.
        key("containers", Kind::Tables(&CONTAINER), "Its containers.", "[[containers]]")
            .required()
            .live(),
    ],
};

/// What happens when a container ends, and how fast.
pub static RESTART: Table = Table {
    name: "a restart policy",
    doc: "When and how fast a container that ended is started again.",
    identity: None,
    inline: true,
    keys: &[
        key(
            "policy",
            Kind::Choice(&["always", "on-failure", "never"]),
            "When a container that ended is started again.",
            r#""on-failure""#,
        )
        .required()
        .live(),
        key(
            "max_retries",
            Kind::Integer { min: 0, max: u32::MAX as u64 },
            "After how many restarts in a row to give up; never if left out.",
            "5",
        )
        .live(),
        key(
            "initial",
            Kind::Text(DURATION),
            "The delay before the first restart; it doubles with every further one.",
            r#""1s""#,
        )
        .default("1s")
        .live(),
        key("max", Kind::Text(DURATION), "The longest delay.", r#""60s""#).default("1m").live(),
    ],
};
