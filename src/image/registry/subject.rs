//! What is asked of whom, and the errors that say so.

use std::io::{self, Read};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use rustls::{CertificateError, InvalidMessage};
use serde::Deserialize;
use ureq::http::header::RETRY_AFTER;
use ureq::http::{HeaderMap, StatusCode};

use super::credentials::CredentialSource;
use super::error::{Answer, Error};
use super::http::Response;
use crate::sys;

/// The most bytes of an error's body that are read.
const ERROR_BYTES: u64 = 64 << 10;

/// The longest a registry can make tank wait.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(2);

/// What is asked, and the host that is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) registry: &'a str,
    pub(super) what: &'a str,
}

impl Subject<'_> {
    pub(super) fn protocol(&self, problem: impl Into<String>) -> Error {
        Error::Protocol {
            registry: self.registry.to_owned(),
            what: self.what.to_owned(),
            problem: problem.into(),
        }
    }

    pub(super) fn too_large(&self, limit: u64) -> Error {
        Error::TooLarge { registry: self.registry.to_owned(), what: self.what.to_owned(), limit }
    }

    /// What a status other than success means.
    pub(super) fn refused(&self, response: Response, credentials: &CredentialSource) -> Error {
        let registry = self.registry.to_owned();
        let what = self.what.to_owned();
        let status = response.status;
        let retry_after = retry_after(&response.headers, sys::clock::now());
        let answer = answer(response);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::Denied {
                registry,
                what,
                status: status.as_u16(),
                credentials: credentials.clone(),
                answer,
            },
            StatusCode::NOT_FOUND => Error::NotFound { registry, what, answer },
            StatusCode::TOO_MANY_REQUESTS => {
                Error::TooManyRequests { registry, what, answer, retry_after }
            }
            _ => Error::Status { registry, what, status: status.as_u16(), answer, retry_after },
        }
    }

    /// What a failure of the connection means; `timeout` is how long the registry may stall.
    pub(super) fn failed(&self, error: ureq::Error, timeout: Duration) -> Error {
        let registry = self.registry.to_owned();
        let what = self.what.to_owned();
        match error {
            ureq::Error::Io(source) => match tls_error(source) {
                Ok(error) => self.untrusted(error),
                Err(source) => Error::Connection { registry, what, source },
            },
            ureq::Error::Rustls(error) => self.untrusted(error),
            ureq::Error::Timeout(ureq::Timeout::Connect) => {
                Error::Connection { registry, what, source: io::ErrorKind::TimedOut.into() }
            }
            ureq::Error::Timeout(_) => Error::Stalled { registry, what, timeout },
            ureq::Error::Protocol(_) => self.protocol("is not HTTP"),
            ureq::Error::LargeResponseHeader(..) => self.protocol("has too long a header"),
            other => Error::Connection { registry, what, source: io::Error::other(other) },
        }
    }

    /// As [`Self::failed`], of an error that reading a body ended with.
    pub(super) fn cut(&self, error: io::Error, timeout: Duration) -> Error {
        self.failed(ureq::Error::from(error), timeout)
    }

    fn untrusted(&self, error: rustls::Error) -> Error {
        let registry = self.registry.to_owned();
        match error {
            source @ rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                Error::UnknownAuthority { registry, source }
            }
            source @ rustls::Error::InvalidCertificate(_) => {
                Error::Certificate { registry, source }
            }
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                Error::PlainHttp { registry }
            }
            source => Error::Tls { registry, source },
        }
    }
}

/// The error of TLS that a failed handshake or read hides in an I/O error.
fn tls_error(error: io::Error) -> Result<rustls::Error, io::Error> {
    error.downcast::<rustls::Error>()
}

/// The seconds or the date of a `Retry-After` header (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = rfc2822::parse(text).ok()?.timestamp().duration_since(now);
            Duration::try_from(until).unwrap_or_default()
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// The error envelope of the OCI distribution specification ("Error Codes"), or that of a token
/// server.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Envelope {
    errors: Vec<Reported>,
    details: Option<String>,
    error_description: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Reported {
    code: String,
    message: Option<String>,
}

fn answer(response: Response) -> Answer {
    let mut body = Vec::new();
    // What could be read of an explanation is better than nothing.
    let _ = response.body.take(ERROR_BYTES).read_to_end(&mut body);
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&body) else {
        return Answer::default();
    };
    let mut words = Vec::new();
    for error in &envelope.errors {
        words.push(error.message.as_deref().filter(|text| !text.is_empty()).unwrap_or(&error.code));
    }
    words.extend(envelope.details.as_deref());
    words.extend(envelope.error_description.as_deref());
    Answer::new(&words.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_long() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("7", Some(7)),
            ("0", Some(0)),
            ("99999999", Some(120)),
            ("Sat, 21 Nov 2026 10:00:30 GMT", Some(30)),
            ("Sat, 21 Nov 2026 09:00:30 GMT", Some(0)),
            ("Sun, 21 Nov 2027 10:00:30 GMT", Some(120)),
            ("-1", None),
            ("soon", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
