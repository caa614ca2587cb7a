//! Whom to trust.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use super::error::{Error, Result};
use crate::sys;

/// The longest file of certificates, in bytes; those of distributions have a quarter of that.
const FILE_BYTES: u64 = 1 << 20;

/// Trusts the authorities that are embedded, those of this host, and those in `files` (PEM).
pub(super) fn config(files: &[String]) -> Result<TlsConfig> {
    // A host without certificates, or with broken ones, still has the embedded ones.
    let native = rustls_native_certs::load_native_certs().certs;
    let embedded = TLS_SERVER_ROOT_CERTS.iter();
    let mut roots: Vec<Certificate<'static>> =
        native.iter().chain(embedded).map(|der| Certificate::from_der(der).to_owned()).collect();
    for file in files {
        roots.extend(read(file)?);
    }
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(RootCerts::from(roots))
        .build())
}

fn read(file: &str) -> Result<Vec<Certificate<'static>>> {
    let path = Path::new(file);
    let open = File::open(path).map_err(|e| sys::Error::new("open", file, e))?;
    let pem = sys::file::read_open_bounded(open, path, FILE_BYTES)?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(Error::NoCertificate { file: file.to_owned() });
    }
    Ok(certificates)
}
