//! The config of an image: what it says about the program to run.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/config.md>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::platform::Platform;
use crate::model::Digest;

/// What an image asks for; a pod file may say otherwise. Every text is the image's own word: free
/// of NULs, but not to be shown unescaped nor trusted with anything of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// More arguments; the program itself if there is no entrypoint.
    pub cmd: Vec<String>,
    /// `KEY=value` each.
    pub env: Vec<String>,
    /// The working directory.
    pub working_dir: Option<String>,
    /// `user[:group]`, names or numbers.
    pub user: Option<String>,
    /// The signal that asks the program to end (`SIGTERM`, `15`).
    pub stop_signal: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Directories meant to be mounted over.
    pub volumes: Vec<String>,
    /// `port[/protocol]` each.
    pub exposed_ports: Vec<String>,
    /// What it runs on.
    pub platform: Platform,
}

/// A config with what concerns the image, not its program.
#[derive(Debug)]
pub(super) struct ParsedConfig {
    pub(super) config: ImageConfig,
    pub(super) created: Option<Timestamp>,
    pub(super) diff_ids: Vec<Digest>,
}

#[derive(Deserialize)]
struct Document {
    architecture: String,
    os: String,
    variant: Option<String>,
    created: Option<String>,
    config: Option<Execution>,
    rootfs: RootFs,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Execution {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    working_dir: Option<String>,
    user: Option<String>,
    stop_signal: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    volumes: Option<BTreeMap<String, IgnoredAny>>,
    exposed_ports: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(Deserialize)]
struct RootFs {
    r#type: String,
    diff_ids: Option<Vec<Digest>>,
}

/// Parses a config of at most [`DOCUMENT_BYTES`](super::limits::DOCUMENT_BYTES).
pub(super) fn parse(what: &str, content: &[u8]) -> Result<ParsedConfig> {
    let document: Document = serde_json::from_slice(content)
        .map_err(|source| Error::Json { what: what.to_owned(), source })?;
    if document.rootfs.r#type != "layers" {
        return Err(Error::document(what, "has a root file system that is not made of layers"));
    }
    let execution = document.config.unwrap_or_default();
    let present = |text: Option<String>| text.filter(|text| !text.is_empty());
    let platform = Platform {
        os: document.os,
        architecture: document.architecture,
        variant: present(document.variant),
    };
    let config = ImageConfig {
        entrypoint: execution.entrypoint.unwrap_or_default(),
        cmd: execution.cmd.unwrap_or_default(),
        env: execution.env.unwrap_or_default(),
        working_dir: present(execution.working_dir),
        user: present(execution.user),
        stop_signal: present(execution.stop_signal),
        labels: execution.labels.unwrap_or_default(),
        volumes: execution.volumes.unwrap_or_default().into_keys().collect(),
        exposed_ports: execution.exposed_ports.unwrap_or_default().into_keys().collect(),
        platform,
    };
    if config.texts().any(|text| text.contains('\0')) {
        return Err(Error::document(what, "has a NUL in a text"));
    }
    Ok(ParsedConfig {
        config,
        // A time that is none is of no consequence.
        created: document.created.and_then(|time| time.parse().ok()),
        diff_ids: document.rootfs.diff_ids.unwrap_or_default(),
    })
}

impl ImageConfig {
    /// Reads the config document of an image.
    pub fn from_json(content: &[u8]) -> Result<Self> {
        parse("the image's config", content).map(|parsed| parsed.config)
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let lists = [&self.entrypoint, &self.cmd, &self.env, &self.volumes, &self.exposed_ports];
        let options = [&self.working_dir, &self.user, &self.stop_signal, &self.platform.variant];
        let labels = self.labels.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
        lists
            .into_iter()
            .flatten()
            .map(String::as_str)
            .chain(options.into_iter().flatten().map(String::as_str))
            .chain(labels)
            .chain([self.platform.os.as_str(), self.platform.architecture.as_str()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(config: &str) -> String {
        format!(
            r#"{{"architecture":"amd64","os":"linux","created":"2024-01-02T03:04:05.6Z",
                "config":{config},"rootfs":{{"type":"layers","diff_ids":["sha256:{}"]}},
                "history":[{{"created_by":"x"}}],"container_config":{{"Cmd":null}}}}"#,
            "ab".repeat(32)
        )
    }

    #[test]
    fn what_docker_writes_is_understood() {
        let text = document(
            r#"{"Entrypoint":["/e"],"Cmd":null,"Env":["A=b\n"],"WorkingDir":"","User":"1:2",
                "Volumes":{"/v":{}},"ExposedPorts":{"80/tcp":{}},"Labels":{"a":"b"},
                "StopSignal":"SIGINT","OnBuild":null,"Healthcheck":{"Test":["NONE"]}}"#,
        );
        let parsed = parse("config", text.as_bytes()).unwrap();
        assert_eq!(parsed.created.unwrap().as_second(), 1_704_164_645);
        assert_eq!(parsed.diff_ids.len(), 1);
        let config = parsed.config;
        assert_eq!((config.entrypoint, config.cmd), (vec!["/e".to_owned()], vec![]));
        assert_eq!((config.working_dir, config.user.as_deref()), (None, Some("1:2")));
        assert_eq!((config.volumes, config.exposed_ports.len()), (vec!["/v".to_owned()], 1));
    }

    #[test]
    fn hostile_configs_are_refused() {
        let digest = "ab".repeat(32);
        for bad in [
            document(r#"{"Env":["A=\u0000"]}"#),
            document(r#"{"User":"a","User":"b"}"#),
            document(r#"{"Labels":{"\u0000":"b"}}"#),
            document("{}").replace("layers", "windows"),
            document("{}").replace(&digest, "../../../etc/passwd"),
            "[".repeat(100_000),
            "{}".to_owned(),
        ] {
            assert!(parse("config", bad.as_bytes()).is_err(), "{bad:.80}");
        }
    }
}
