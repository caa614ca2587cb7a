//! The keys about a pod's network: what is read, and what is refused.

use std::net::IpAddr;

use super::{check, in_bridged_pod, in_container, in_pod, text};
use crate::model::Pod;
use crate::model::pod::Network;
use crate::model::strategy::parse;

fn pod(source: &str) -> Pod {
    let mut file = parse(source).unwrap();
    file.pods.remove(0)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn the_bridge_is_the_default() {
    let said =
        pod(&in_bridged_pod("isolated = false\ndns = []\ndns_search = []\nextra_hosts = {}"));
    let left_out = pod(&in_bridged_pod("").replace("network = \"bridge\"", ""));
    assert_eq!(said, left_out);
    assert_eq!((said.network, said.isolated), (Network::Bridge, false));
    assert!(said.dns.is_empty() && said.dns_search.is_empty() && said.extra_hosts.is_empty());
    let ports = in_container("ports = [\"8080:80\"]").replace("\"none\"", "\"bridge\"");
    assert_eq!(pod(&ports).containers[0].ports[0].host, 8080);
}

#[test]
fn names_are_kept_in_their_order_and_addresses_normalised() {
    let pod = pod(&in_bridged_pod(
        r#"isolated = true
        dns = ["::ffff:9.9.9.9", "127.0.0.1", "2620:fe:0::FE"]
        dns_search = ["z.example.org", "example.org"]
        extra_hosts = { "db_1.example.org" = "192.0.2.10", cache = "FD00::0:1" }"#,
    ));
    assert!(pod.isolated);
    assert_eq!(pod.dns, ["9.9.9.9", "127.0.0.1", "2620:fe::fe"].map(address));
    assert_eq!(pod.dns_search, ["z.example.org", "example.org"]);
    let hosts = [("cache", "fd00::1"), ("db_1.example.org", "192.0.2.10")];
    assert!(pod.extra_hosts.into_iter().eq(hosts.map(|(host, ip)| (host.to_owned(), address(ip)))));
}

#[test]
fn what_a_network_does_not_have_is_refused() {
    let host = |keys| in_pod(keys).replace("\"none\"", "\"host\"");
    check(&[
        (
            in_pod("isolated = true\ndns = [\"9.9.9.9\"]\ndns_search = [\"a\"]"),
            &[
                "3:1 isolated only has a meaning with network = \"bridge\"",
                "4:1 dns has no meaning with network = \"none\"",
                "5:1 dns_search has no meaning with network = \"none\"",
            ],
        ),
        (
            host("isolated = true\ndns = [\"9.9.9.9\"]\ndns_search = [\"a\"]"),
            &["3:1 isolated only has a meaning with network = \"bridge\""],
        ),
    ]);
    pod(&in_pod("isolated = false\ndns = []\ndns_search = []\nextra_hosts = { a = \"::1\" }"));
}

#[test]
fn no_more_is_said_than_resolvers_read() {
    let label = "x".repeat(63);
    let long = format!("dns_search = [\"{label}\", \"{label}\", \"{label}\", \"{label}\"]");
    assert!(parse(&in_bridged_pod(&long)).is_ok());
    let longer = long.replacen("x", "xx.", 1);
    check(&[
        (
            in_bridged_pod("dns = [\"1.1.1.1\", \"1.1.1.2\", \"1.1.1.3\", \"1.1.1.4\"]"),
            &["3:1 dns has 4 entries, at most 3 are allowed"],
        ),
        (
            in_bridged_pod("dns_search = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\"]"),
            &["3:1 dns_search has 7 entries, at most 6 are allowed"],
        ),
        (
            in_bridged_pod(&longer),
            &["3:1 dns_search has 257 characters with its spaces, at most 256 are allowed"],
        ),
        (
            in_bridged_pod("dns = [\"fd00::1\", \"9.9.9.9\", \"fd00:0::1\"]"),
            &["3:30 name server \"fd00::1\" is there twice (the first is in line 3)"],
        ),
    ]);
}

#[test]
fn nothing_can_add_a_line_to_a_file_in_etc() {
    check(&[
        (
            in_bridged_pod(
                "hostname = \"a\\u0000\"\nlabels = { a = \"b\\nc\", \"d\\u0007\" = \"\" }",
            ),
            &[
                r#"3:12 hostname "a\0" may only have letters, digits and -, with single dots between (for example: hostname = "web")"#,
                r#"4:16 label "b\nc" has control characters (for example: labels = { tier = "front" })"#,
                r#"4:24 label name "d\u{7}" has spaces, = or control characters (for example: labels = { tier = "front" })"#,
            ],
        ),
        (
            text("name = \"a\\n\"\n[[containers]]\nname = \"b\\u0000\"\nimage = \"a\""),
            &[
                r#"1:8 pod name "a\n" may only have the characters a-z, 0-9 and - (for example: name = "web")"#,
                r#"3:8 container name "b\0" may only have the characters a-z, 0-9 and - (for example: name = "app")"#,
            ],
        ),
        (
            in_bridged_pod(
                "extra_hosts = { \"a\\n1.2.3.4 b\" = \"1.1.1.1\", \"c#\" = \"1.1.1.1\" }",
            ),
            &[
                r#"3:17 host name "a\n1.2.3.4 b" may only have letters, digits, - and _, with single dots between (for example: extra_hosts = { "db.example.org" = "192.0.2.10" })"#,
                r#"3:45 host name "c#" may only have letters, digits, - and _, with single dots between (for example: extra_hosts = { "db.example.org" = "192.0.2.10" })"#,
            ],
        ),
        (
            in_bridged_pod("extra_hosts = { a = \"1.1.1.1\\n2.2.2.2 b\", b = 5 }"),
            &[
                r#"3:21 address "1.1.1.1\n2.2.2.2 b" is not an IPv4 or IPv6 address (for example: extra_hosts = { "db.example.org" = "192.0.2.10" })"#,
                r#"3:47 extra_hosts: expected a string, found an integer (for example: extra_hosts = { "db.example.org" = "192.0.2.10" })"#,
            ],
        ),
        // One error does not hide another.
        (
            text("extra_hosts = { \"#\" = \"::1\" }\n[[containers]]\nname = \"b\"\nimage = \"a\""),
            &[
                r#"1:1 a pod has no key "name" (add: name = "web")"#,
                r##"1:17 host name "#" may only have letters, digits, - and _, with single dots between (for example: extra_hosts = { "db.example.org" = "192.0.2.10" })"##,
            ],
        ),
        (
            in_bridged_pod("dns = [\"dns.example\", \"1.1.1.1\\u0000\", \"fe80::1%eth0\"]"),
            &[
                r#"3:8 address "dns.example" is not an IPv4 or IPv6 address (for example: dns = ["9.9.9.9", "2620:fe::fe"])"#,
                r#"3:23 address "1.1.1.1\0" is not an IPv4 or IPv6 address (for example: dns = ["9.9.9.9", "2620:fe::fe"])"#,
                r#"3:40 address "fe80::1%eth0" is not an IPv4 or IPv6 address (for example: dns = ["9.9.9.9", "2620:fe::fe"])"#,
            ],
        ),
        (
            in_bridged_pod("dns_search = [\"a\\nnameserver 1.1.1.1\", \"\"]"),
            &[
                r#"3:15 domain "a\nnameserver 1.1.1.1" may only have letters, digits, - and _, with single dots between (for example: dns_search = ["example.org"])"#,
                r#"3:40 domain "" may only have letters, digits, - and _, with single dots between (for example: dns_search = ["example.org"])"#,
            ],
        ),
    ]);
}

#[test]
fn ports_that_could_not_be_reached_are_refused() {
    check(&[(
        in_container("ports = [\"[::1]:8443:443\", \"224.0.0.1:80:80\"]")
            .replace("\"none\"", "\"bridge\""),
        &[
            r#"6:10 port "[::1]:8443:443" is for the IPv6 loopback, and the kernel does not translate connections to it (publish on 127.0.0.1, or on no address, which includes it)"#,
            r#"6:28 port "224.0.0.1:80:80" is for a multicast or broadcast address (for example: ports = ["8080:80", "127.0.0.1:8443:443", "5353:53/udp"])"#,
        ],
    )]);
}
