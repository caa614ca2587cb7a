//! Registries over TLS: whom to believe to be who.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::server::{Server, respond};
use super::*;
use crate::image::progress::Unwatched;
use crate::sys::file::{Durability, replace};

const AUTHORITY: &str = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
                         -subj /CN=authority -keyout ca.key -out ca.pem";
const REQUEST: &str = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                       -subj /CN=registry -keyout key -out request";
const SIGN: &str = "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out pem";

#[expect(clippy::disallowed_methods, reason = "certificates of their own are worth a program")]
fn openssl(directory: &Path, arguments: &str) {
    let output = std::process::Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A private authority, in `ca.pem`, and a server that has a certificate of it for `names`.
fn authority(names: &str) -> (tempfile::TempDir, Arc<ServerConfig>) {
    let tmp = tempfile::tempdir().unwrap();
    let names = format!("subjectAltName={names}\n");
    replace(&tmp.path().join("names"), names.as_bytes(), 0o600, Durability::Volatile).unwrap();
    for arguments in [AUTHORITY, REQUEST, SIGN] {
        openssl(tmp.path(), arguments);
    }
    let certificate = CertificateDer::from_pem_file(tmp.path().join("pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(tmp.path().join("key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    (tmp, Arc::new(config))
}

fn trusting(certificates: &[&Path]) -> Result<Client> {
    let settings = RegistrySettings {
        ca_certificates: certificates.iter().map(|path| path.display().to_string()).collect(),
        ..RegistrySettings::default()
    };
    Client::new(&settings, &impatient(3), CredentialFiles::default())
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named() {
    let _limit = Limit::seconds(60);
    let (tmp, tls) = authority("IP:127.0.0.1");
    let server = Server::start_with(Some(tls), |_, stream| respond(stream, 200, &[], MANIFEST));
    let client = trusting(&[&tmp.path().join("ca.pem")]).unwrap();
    assert_eq!(manifest(&client, &server, &Unwatched).unwrap().content, MANIFEST);

    let error = manifest(&trusting(&[]).unwrap(), &server, &Unwatched).unwrap_err();
    assert!(matches!(error, Error::UnknownAuthority { .. }), "{error}");
    assert!(error.to_string().contains("`[registries] ca_certificates`"), "{error}");
    assert!(error.to_string().contains(&server.host()), "{error}");
    assert_eq!(server.count(), 1);
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let _limit = Limit::seconds(60);
    let (tmp, tls) = authority("DNS:registry.example,IP:127.0.0.2");
    let server = Server::start_with(Some(tls), |_, stream| respond(stream, 200, &[], MANIFEST));
    let client = trusting(&[&tmp.path().join("ca.pem")]).unwrap();
    let error = manifest(&client, &server, &Unwatched).unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error}");
}

#[test]
fn what_began_with_tls_does_not_go_on_without() {
    let _limit = Limit::seconds(60);
    let (tmp, tls) = authority("IP:127.0.0.1");
    let plain = Server::start(|_, stream| respond(stream, 200, &[], MANIFEST));
    let location = format!("http://{}/", plain.host());
    let challenge = format!("Bearer realm=\"{location}\"");
    let redirects = Server::start_with(Some(Arc::clone(&tls)), move |_, stream| {
        respond(stream, 307, &[("Location", &location)], "");
    });
    let challenges = Server::start_with(Some(tls), move |_, stream| {
        respond(stream, 401, &[("WWW-Authenticate", &challenge)], "");
    });
    let client = trusting(&[&tmp.path().join("ca.pem")]).unwrap();
    for server in [redirects, challenges] {
        let error = manifest(&client, &server, &Unwatched).unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
    }
    assert_eq!(plain.count(), 0);
}

#[test]
fn a_registry_without_tls_is_not_used_unless_it_is_named() {
    let _limit = Limit::seconds(30);
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = plain.local_addr().unwrap();
    // It takes the first message of TLS for a bad request, as servers do.
    let answer = start(move || {
        let (mut stream, _) = plain.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").unwrap();
    });
    let name = ImageName::parse(&format!("{address}/a/b:1")).unwrap();
    let error = trusting(&[]).unwrap().resolve(&name, &Unwatched).unwrap_err();
    assert!(matches!(error, Error::PlainHttp { .. }), "{error}");
    assert!(error.to_string().contains("`[registries] insecure`"), "{error}");
    answer.join().unwrap();
}

#[test]
fn files_of_certificates_must_have_some() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("ca.pem");
    let error = trusting(&[&path]).unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    replace(&path, b"nothing", 0o600, Durability::Volatile).unwrap();
    let error = trusting(&[&path]).unwrap_err().to_string();
    assert!(error.contains("no certificate"), "{error}");
}
