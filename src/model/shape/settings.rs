//! The tables of `config.toml`.

use super::build::{ANY, DURATION, PATH, SIZE, key};
use super::{Kind, LOGS, Table};

/// The most layers that are fetched at once: more only compete for the same line and disk.
const MAX_PARALLEL: u64 = 64;
/// The most repetitions: with the longest pause between them, a day.
const MAX_RETRIES: u64 = 1000;
/// The least that IPv6 asks of a link (RFC 8200, section 5).
const MIN_MTU: u64 = 1280;
/// The most that the kernel gives an interface of type veth or bridge.
const MAX_MTU: u64 = 65535;
/// The largest integer of TOML.
const MAX_INTEGER: u64 = i64::MAX as u64;

/// `config.toml`.
pub static CONFIG: Table = Table {
    name: "config.toml",
    doc: "How this host is, not what should run on it.",
    identity: None,
    inline: false,
    keys: &[
        key("registries", Kind::Table(&REGISTRIES), "How registries are reached.", "{}")
            .default("{}"),
        key("images", Kind::Table(&IMAGES), "How images are fetched and kept.", "{}").default("{}"),
        key("network", Kind::Table(&NETWORK), "How pods are connected.", "{}").default("{}"),
        key("logs", Kind::Table(&LOGS), "How much of logs is kept.", "{}").default("{}"),
        key(
            "detach_keys",
            Kind::Text(ANY),
            "The keys that leave tank attach, or none.",
            r#""ctrl-p,ctrl-q""#,
        )
        .default("ctrl-p,ctrl-q"),
    ],
};

/// How registries are reached.
pub static REGISTRIES: Table = Table {
    name: "[registries]",
    doc: "How registries are reached.",
    identity: None,
    inline: false,
    keys: &[
        key(
            "insecure",
            Kind::Array(&Kind::Text(ANY)),
            "Registries that are spoken to over plain HTTP.",
            r#"["localhost:5000"]"#,
        )
        .default("[]"),
        key(
            "mirrors",
            Kind::Map(&Kind::Array(&Kind::Text(ANY))),
            "For a registry, those that are asked before it, in this order.",
            r#"{ "docker.io" = ["mirror.example:5000"] }"#,
        )
        .default("{}"),
        key(
            "ca_certificates",
            Kind::Array(&Kind::Text(PATH)),
            "Files of certificates (PEM) that are trusted beside the host's.",
            r#"["/etc/ssl/private-ca.pem"]"#,
        )
        .default("[]"),
    ],
};

/// How images are fetched and kept.
pub static IMAGES: Table = Table {
    name: "[images]",
    doc: "How images are fetched and kept.",
    identity: None,
    inline: false,
    keys: &[
        key(
            "parallel",
            Kind::Integer { min: 1, max: MAX_PARALLEL },
            "How many layers are fetched at once.",
            "4",
        )
        .default("4"),
        key(
            "retries",
            Kind::Integer { min: 0, max: MAX_RETRIES },
            "How often a request that failed for a passing reason is repeated.",
            "5",
        )
        .default("5"),
        key(
            "stall_timeout",
            Kind::Text(DURATION),
            "How long a registry may send nothing.",
            r#""30s""#,
        )
        .default("30s"),
        key(
            "max_unpacked",
            Kind::TextOrInteger(SIZE),
            "The most bytes the layers of one image may unpack to.",
            r#""64GiB""#,
        )
        .default("64GiB"),
        key(
            "max_entries",
            Kind::Integer { min: 1, max: MAX_INTEGER },
            "The most files, directories and links the layers of one image may have.",
            "2000000",
        )
        .default("2000000"),
        key(
            "keep_blobs",
            Kind::Boolean,
            "Whether layers are also kept as they came, which `tank image save` needs.",
            "true",
        )
        .default("true"),
    ],
};

/// How pods are connected.
pub static NETWORK: Table = Table {
    name: "[network]",
    doc: "How pods with network = \"bridge\" are connected. What is left out, tank chooses.",
    identity: None,
    inline: false,
    keys: &[
        key(
            "bridge",
            Kind::Text("^[^/:%\\s]{1,15}$"),
            "The name of the bridge interface.",
            r#""tank0""#,
        ),
        key(
            "ipv4",
            Kind::Text(r"^[0-9.]+/[0-9]+$"),
            "The subnet of the pods' IPv4 addresses, in CIDR form.",
            r#""10.88.0.0/22""#,
        ),
        key(
            "ipv6",
            Kind::Text(r"^(none|[0-9a-fA-F.:]+/[0-9]+)$"),
            "The subnet of the pods' IPv6 addresses, in CIDR form, or none.",
            r#""fd00:88::/64""#,
        ),
        key(
            "mtu",
            Kind::Integer { min: MIN_MTU, max: MAX_MTU },
            "The largest packet of the pods' interfaces, in bytes.",
            "1500",
        ),
    ],
};
