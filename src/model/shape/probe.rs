//! The tables of a probe.

use super::build::{ANY, DURATION, PATH, key};
use super::{Kind, Table};

const COUNT: Kind = Kind::Integer { min: 1, max: u32::MAX as u64 };
const PORT_NUMBER: Kind = Kind::Integer { min: 1, max: u16::MAX as u64 };

/// A probe of a container.
pub static PROBE: Table = Table {
    name: "a probe",
    doc: "A check that is made on a running container. It asks exactly one thing.",
    identity: None,
    inline: false,
    keys: &[
        key(
            "http",
            Kind::Table(&HTTP),
            "A GET that must answer 200 to 399.",
            r#"{ port = 80, path = "/healthz" }"#,
        )
        .live(),
        key("tcp", Kind::Table(&TCP), "A connection that must be accepted.", "{ port = 5432 }")
            .live(),
        key(
            "exec",
            Kind::Array(&Kind::Text(ANY)),
            "A command in the container that must return 0.",
            r#"["/check"]"#,
        )
        .live(),
        key(
            "initial_delay",
            Kind::Text(DURATION),
            "How long after the start the first check comes.",
            r#""0s""#,
        )
        .default("0s")
        .live(),
        key("period", Kind::Text(DURATION), "The time between two checks.", r#""10s""#)
            .default("10s")
            .live(),
        key("timeout", Kind::Text(DURATION), "How long a check may take.", r#""5s""#)
            .default("5s")
            .live(),
        key("failures", COUNT, "How many in a row must fail.", "3").default("3").live(),
        key("successes", COUNT, "How many in a row must succeed.", "1").default("1").live(),
    ],
};

/// An HTTP check.
pub static HTTP: Table = Table {
    name: "an http check",
    doc: "An HTTP GET.",
    identity: None,
    inline: true,
    keys: &[
        key("port", PORT_NUMBER, "The port in the pod.", "80").required().live(),
        key("path", Kind::Text(PATH), "The path of the request.", r#""/healthz""#)
            .default("/")
            .live(),
    ],
};

/// A TCP check.
pub static TCP: Table = Table {
    name: "a tcp check",
    doc: "A TCP connection.",
    identity: None,
    inline: true,
    keys: &[key("port", PORT_NUMBER, "The port in the pod.", "5432").required().live()],
};
