//! Reading `config.toml`.

use toml::Spanned;
use toml::de::DeTable;

use super::MAX_BYTES;
use super::diagnostic::Diagnostic;
use super::report::Report;
use super::section::Section;
use super::{log, text};
use crate::model::quantity::Bytes;
use crate::model::settings::{
    ImageSettings, Ipv6Setting, LogSettings, NetworkSettings, RegistrySettings, Settings,
};
use crate::model::shape::CONFIG;
use crate::model::{image_name, path, subnet};

/// Reads `config.toml`. What it does not say has its default.
///
/// # Errors
/// Those of [`parse`](super::parse).
pub fn parse(source: &str) -> Result<Settings, Vec<Diagnostic>> {
    if source.len() > MAX_BYTES {
        let message = format!("the file is longer than {MAX_BYTES} bytes");
        return Err(vec![Diagnostic::new(0..0, message)]);
    }
    let (root, syntax) = DeTable::parse_recoverable(source);
    let report = Report::new(source, &syntax);
    let config = Section::open(&CONFIG, root.get_ref(), 0..0, &report);
    let registries = config.table("registries").map(|section| read_registries(&section));
    let images = match config.table("images") {
        Some(section) => read_images(&section),
        None => Some(ImageSettings::default()),
    };
    let network = config.table("network").map(|section| read_network(&section));
    let logs = match config.table("logs") {
        Some(section) => log::read_settings(&section),
        None => Some(LogSettings::default()),
    };
    let detach_keys = config.parse("detach_keys");
    report.finish(images.is_some() && logs.is_some())?;
    Ok(Settings {
        registries: registries.unwrap_or_default(),
        images: images.unwrap_or_default(),
        network: network.unwrap_or_default(),
        logs: logs.unwrap_or_default(),
        detach_keys: detach_keys.unwrap_or_default(),
    })
}

fn read_registries(section: &Section<'_>) -> RegistrySettings {
    let mirrored = section.names("mirrors").filter_map(|name| {
        let registry = image_name::registry(name.get_ref()).ok()?;
        Some(Spanned::new(name.span(), registry.into()))
    });
    section.report().unique(mirrored, |name| format!("{name:?} has its mirrors twice"));
    RegistrySettings {
        insecure: section.list("insecure", image_name::registry),
        mirrors: section.lists("mirrors", image_name::registry, image_name::mirror),
        ca_certificates: section.list("ca_certificates", |text| {
            path::absolute(text).map(|path| path.display().to_string())
        }),
    }
}

/// Nothing if a value is wrong, which has been reported.
fn read_images(section: &Section<'_>) -> Option<ImageSettings> {
    let (parallel, retries) = (section.integer("parallel"), section.integer("retries"));
    let stall_timeout = section.positive_span("stall_timeout");
    let max_unpacked: Option<Bytes> = section.parse("max_unpacked");
    if max_unpacked == Some(Bytes(0)) {
        section.error("max_unpacked", "max_unpacked must be more than 0");
    }
    let max_entries = section.integer("max_entries");
    Some(ImageSettings {
        parallel: parallel?,
        retries: retries?,
        stall_timeout: stall_timeout?,
        max_unpacked: max_unpacked?.0,
        max_entries: max_entries?,
        keep_blobs: section.flag("keep_blobs"),
    })
}

fn read_network(section: &Section<'_>) -> NetworkSettings {
    NetworkSettings {
        bridge: section.read("bridge", text::interface),
        ipv4: section.read("ipv4", subnet::ipv4),
        ipv6: section.read("ipv6", |text| match text {
            "none" => Ok(Ipv6Setting::Off),
            _ => subnet::ipv6(text).map(Ipv6Setting::Subnet),
        }),
        mtu: section.integer("mtu"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::model::file::line_column;

    /// What is wrong with a file: a line of place, message and help each.
    fn errors(source: &str) -> String {
        let line = |error: &Diagnostic| {
            let (line, column) = line_column(source, error.span.start);
            let help = error.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{line}:{column} {}{help}\n", error.message)
        };
        parse(source).unwrap_err().iter().map(line).collect()
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        for source in ["", "# nothing\n", "[registries]\n[images]\n[network]\n[logs]\n"] {
            assert_eq!(parse(source), Ok(Settings::default()), "{source}");
        }
    }

    #[test]
    fn every_key_is_read_and_normalised() {
        let settings = parse(
            r#"
            detach_keys = "ctrl-a,d"
            [registries]
            insecure = ["localhost:5000", "127.0.0.1:5000"]
            ca_certificates = ["/etc//ssl/./ca.pem"]
            [registries.mirrors]
            "index.docker.io" = ["mirror.example:5000", "cache.example/hub"]
            [images]
            parallel = 8
            retries = 0
            stall_timeout = "1m30s"
            max_unpacked = "1.5GiB"
            max_entries = 1000
            keep_blobs = false
            [network]
            bridge = "br-pods"
            ipv4 = "10.88.0.0/16"
            ipv6 = "fd00:88:0::/64"
            mtu = 9000
            [logs]
            max_size = "1MiB"
            max_files = 3
            "#,
        )
        .unwrap();
        assert_eq!(settings.registries.insecure.len(), 2);
        assert_eq!(settings.registries.ca_certificates, ["/etc/ssl/ca.pem"]);
        let mirrors = &settings.registries.mirrors["docker.io"];
        assert_eq!(mirrors, &["mirror.example:5000", "cache.example/hub"]);
        let expected = ImageSettings {
            parallel: 8,
            retries: 0,
            stall_timeout: Duration::from_secs(90),
            max_unpacked: 3 << 29,
            max_entries: 1000,
            keep_blobs: false,
        };
        assert_eq!(settings.images, expected);
        let expected = NetworkSettings {
            bridge: Some("br-pods".to_owned()),
            ipv4: Some("10.88.0.0/16".parse().unwrap()),
            ipv6: Some(Ipv6Setting::Subnet("fd00:88::/64".parse().unwrap())),
            mtu: Some(9000),
        };
        assert_eq!(settings.network, expected);
        assert_eq!(settings.logs, LogSettings { max_size: 1 << 20, max_files: 3 });
        assert_eq!(settings.detach_keys.bytes(), b"\x01d");
    }

    #[test]
    fn keys_may_be_none_and_must_be_keys() {
        assert!(parse("detach_keys = \"none\"").unwrap().detach_keys.is_none());
        insta::assert_snapshot!(errors("detach_keys = \"ctrl-P\"\n"), @r#"
        1:15 detach keys "ctrl-P" has a part that is no character, ctrl- with a letter or one of @[\]^_, or DEL (write keys such as "ctrl-p,ctrl-q", or "none")
        "#);
    }

    #[test]
    fn pods_may_have_no_ipv6() {
        let settings = parse("[network]\nipv6 = \"none\"\n").unwrap();
        let expected = NetworkSettings { ipv6: Some(Ipv6Setting::Off), ..Default::default() };
        assert_eq!(settings.network, expected);
    }

    #[test]
    fn what_is_wrong_with_a_network_is_explained() {
        let source = "[network]\nbridge = \"tank/0\"\nipv4 = \"10.88.0.1/16\"\nipv6 = \"off\"\n\
            mtu = 576\nmtus = 1\nisolated = true\n";
        insta::assert_snapshot!(errors(source), @r#"
        2:10 interface name "tank/0" may only have printable ASCII characters, without /, : and % (for example: bridge = "tank0")
        3:8 subnet "10.88.0.1/16" has an address beyond its prefix (the subnet of this address is "10.88.0.0/16")
        4:8 subnet "off" is not ADDRESS/PREFIX (for example: ipv6 = "fd00:88::/64")
        5:7 mtu: expected an integer from 1280 to 65535, found 576
        6:1 unknown key "mtus" (did you mean "mtu"?)
        7:1 unknown key "isolated"
        "#);
    }

    #[test]
    fn what_is_wrong_with_logs_is_explained() {
        let source = "[logs]\nmax_size = \"1KiB\"\nmax_files = 1\nmax_file = 2\n";
        insta::assert_snapshot!(errors(source), @r#"
        2:1 max_size must be at least 64KiB
        3:13 max_files: expected an integer from 2 to 1000, found 1
        4:1 unknown key "max_file" (did you mean "max_files"?)
        "#);
    }

    #[test]
    fn all_errors_are_found_at_once_in_their_places() {
        let source = "[registry]\n[registries]\ninsecure = [\"http://a.example\", 5]\n\
            mirrors = { \"docker.io\" = \"a.example\", \"x.example\" = [\"UP.example/A\"] }\n\
            ca_certificates = [\"ca.pem\"]\nparallel = 2\n[images]\nparalel = 2\nretries = -1\n\
            stall_timeout = \"0s\"\nmax_unpacked = \"many\"\nmax_entries = 0\nkeep_blobs = 1\n";
        insta::assert_snapshot!(errors(source), @r#"
        1:2 unknown key "registry"
        3:13 registry "http://a.example" is not a registry like docker.io or registry.example:5000 (write it without its scheme: "a.example")
        3:33 insecure: expected a string, found an integer (write it in quotes: "5")
        4:27 mirrors: expected an array of strings, found a string (for example: mirrors = { "docker.io" = ["mirror.example:5000"] })
        4:55 mirror "UP.example/A" is not a mirror like mirror.example:5000 or mirror.example/hub (for example: mirrors = { "docker.io" = ["mirror.example:5000"] })
        5:20 path "ca.pem" is not absolute (for example: ca_certificates = ["/etc/ssl/private-ca.pem"])
        6:1 unknown key "parallel" ("parallel" is a key of [images])
        8:1 unknown key "paralel" (did you mean "parallel"?)
        9:11 retries: expected an integer from 0 to 1000, found -1
        10:1 stall_timeout must be longer than 0s
        11:16 size "many" has an unknown unit (units are KiB, MiB, GiB, TiB (powers of 1024) and kB, MB, GB, TB (powers of 1000))
        12:15 max_entries: expected an integer from 1 to 9223372036854775807, found 0
        13:14 keep_blobs: expected true or false, found an integer (for example: keep_blobs = true)
        "#);
    }

    #[test]
    fn a_registry_that_has_its_mirrors_twice_is_an_error() {
        let source = "[registries.mirrors]\n\"docker.io\" = []\n\"index.docker.io\" = []\n";
        insta::assert_snapshot!(errors(source), @r#"
        3:1 "docker.io" has its mirrors twice (the first is in line 2)
        "#);
    }

    #[test]
    fn a_long_file_is_refused() {
        assert!(errors(&"#".repeat(MAX_BYTES + 1)).contains("is longer than"));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(source in "(\\[|\\]|\\{|\\}|=|\"|'|\\.|,|\n|[a-z_]{1,12}|registries|images|network|logs|[0-9]{1,3}| ){0,40}") {
            let _ = parse(&source);
        }
    }
}
