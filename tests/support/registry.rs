//! Debian's `docker-registry`, on a loopback port of its own, with its own files and, where the
//! test wants them, a password and a certificate.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::fixtures::{installed, tool};
use super::program::Running;

/// How long the registry may take to listen.
const SOON: Duration = Duration::from_secs(20);

/// The user of a registry that asks for one.
pub(crate) const USER: &str = "captain";

/// The user's password.
pub(crate) const PASSWORD: &str = "correct horse: battery";

/// A registry that runs. Dropping it ends it and removes its files.
#[derive(Debug)]
pub(crate) struct Registry {
    // Ends before its files go.
    _server: Running,
    dir: tempfile::TempDir,
    host: String,
    access: Access,
}

/// How a registry is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Plain HTTP, for everybody.
    Open,
    /// Plain HTTP, for [`USER`].
    Password,
    /// HTTPS with a certificate of a private authority, for everybody.
    Tls,
}

impl Registry {
    pub(crate) fn new(access: Access) -> Self {
        let dir = tempfile::Builder::new().prefix("tank-registry-").tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let mut settings = format!(
            "version: 0.1\nlog: {{level: info, accesslog: {{disabled: true}}}}\n\
             storage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\n",
            path("storage")
        );
        if access == Access::Password {
            let entry = tool("htpasswd", "apache2-utils", &["-nbB", USER, PASSWORD]);
            fs::write(path("htpasswd"), entry).unwrap();
            let file = path("htpasswd");
            writeln!(settings, "auth: {{htpasswd: {{realm: tests, path: {file}}}}}").unwrap();
        }
        settings.push_str("http:\n  addr: 127.0.0.1:0\n");
        if access == Access::Tls {
            make_certificates(dir.path());
            let (certificate, key) = (path("server.pem"), path("server.key"));
            writeln!(settings, "  tls: {{certificate: {certificate}, key: {key}}}").unwrap();
        }
        fs::write(path("config.yml"), settings).unwrap();
        let mut command = Command::new(installed("docker-registry", "docker-registry"));
        command.env_clear().args(["serve", &path("config.yml")]);
        let server = Running::start(&mut command, &[]);
        let told = server.await_stderr("listening on 127.0.0.1:", SOON);
        let port = told.rsplit("listening on 127.0.0.1:").next().unwrap();
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        Self { _server: server, host: format!("127.0.0.1:{port}"), dir, access }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The certificate of the authority that vouches for a registry with [`Access::Tls`].
    pub(crate) fn authority(&self) -> PathBuf {
        self.dir.path().join("certs/ca.crt")
    }

    /// What `config.toml` must say so that it can be reached.
    pub(crate) fn settings(&self) -> String {
        match self.access {
            Access::Open | Access::Password => {
                format!("[registries]\ninsecure = [\"{}\"]\n", self.host)
            }
            Access::Tls => {
                format!("[registries]\nca_certificates = [\"{}\"]\n", self.authority().display())
            }
        }
    }

    /// Pushes an OCI layout with the tag `latest` to `NAME:TAG` with skopeo; gives the full name.
    pub(crate) fn push(&self, layout: &Path, name: &str, options: &[&str]) -> String {
        let full = format!("{}/{name}", self.host);
        let source = format!("oci:{}:latest", layout.display());
        self.skopeo(
            &[&["copy", "--quiet"], options, &[&source, &format!("docker://{full}")]].concat(),
        );
        full
    }

    /// Pushes the same with `buildah manifest`, so that an index of this one image arrives.
    pub(crate) fn push_index_with_buildah(&self, layout: &Path, name: &str) -> String {
        let full = format!("{}/{name}", self.host);
        let storage = tempfile::tempdir_in(self.dir.path()).unwrap();
        let path = |name: &str| storage.path().join(name).display().to_string();
        let (root, run) = (path("root"), path("run"));
        let buildah = |args: &[&str]| {
            let global = ["--root", &root, "--runroot", &run, "--storage-driver", "vfs"];
            tool("buildah", "buildah", &[&global, args].concat())
        };
        buildah(&["manifest", "create", "built"]);
        let source = format!("oci:{}:latest", layout.display());
        buildah(&["manifest", "add", "built", &source]);
        let target = format!("docker://{full}");
        buildah(&["manifest", "push", "--all", "--tls-verify=false", "built", &target]);
        full
    }

    /// The digest that a tag stands for.
    pub(crate) fn digest(&self, full: &str) -> String {
        let format = ["inspect", "--format", "{{.Digest}}", &format!("docker://{full}")];
        self.skopeo(&format).trim().to_owned()
    }

    /// Runs skopeo with what it needs to reach this registry as source or target.
    fn skopeo(&self, args: &[&str]) -> String {
        let (verb, rest) = args.split_first().unwrap();
        let certificates = self.authority().parent().unwrap().display().to_string();
        let credentials = format!("{USER}:{PASSWORD}");
        let option = |name: &str| match *verb {
            "copy" => format!("--dest-{name}"),
            _ => format!("--{name}"),
        };
        let mut all = vec!["--insecure-policy".to_owned(), (*verb).to_owned()];
        match self.access {
            Access::Tls => all.extend([option("cert-dir"), certificates]),
            Access::Open => all.push(option("tls-verify=false")),
            Access::Password => {
                all.extend([option("tls-verify=false"), option("creds"), credentials]);
            }
        }
        all.extend(rest.iter().map(|arg| (*arg).to_owned()));
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        tool("skopeo", "skopeo", &all)
    }
}

/// Makes an authority and a certificate for 127.0.0.1 that it vouches for.
fn make_certificates(dir: &Path) {
    fs::create_dir(dir.join("certs")).unwrap();
    let path = |name: &str| dir.join(name).display().to_string();
    let openssl = |args: &[&str]| {
        let key = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
        tool("openssl", "openssl", &[&key[..], &["-nodes", "-days", "2"], args].concat());
    };
    openssl(&[
        "-subj",
        "/CN=authority of the tests",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
        "-keyout",
        &path("ca.key"),
        "-out",
        &path("certs/ca.crt"),
    ]);
    openssl(&[
        "-subj",
        "/CN=registry of the tests",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:localhost",
        "-CA",
        &path("certs/ca.crt"),
        "-CAkey",
        &path("ca.key"),
        "-keyout",
        &path("server.key"),
        "-out",
        &path("server.pem"),
    ]);
}
