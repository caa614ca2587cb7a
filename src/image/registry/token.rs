//! Tokens of a registry's token server.
//!
//! <https://distribution.github.io/distribution/spec/auth/token/> for users with a password and
//! for nobody, <https://distribution.github.io/distribution/spec/auth/oauth/> for identity tokens.

use std::io::Read;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use ureq::http::header::AUTHORIZATION;
use ureq::http::{Method, Request, Uri};

use super::authorization::header_value;
use super::credentials::{Credential, CredentialSource, Secret};
use super::endpoint::Endpoint;
use super::error::Result;
use super::http::Http;
use super::login::basic;
use super::subject::Subject;

/// The longest answer of a token server, in bytes.
const TOKEN_BYTES: u64 = 1 << 20;

/// How long a token lives whose server does not say.
const DEFAULT_LIFE: u64 = 60;

/// What is not encoded in a query or a form (RFC 3986, 2.3).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where and what for a token is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenServer<'a> {
    pub(super) realm: &'a str,
    pub(super) service: Option<&'a str>,
    pub(super) scope: Option<&'a str>,
}

/// A token and how long it lives.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) token: Secret,
    pub(super) life: Duration,
}

#[derive(Deserialize)]
struct Answered {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// Gets a token for `endpoint`, anonymous without a `credential`.
pub(super) fn get(
    http: &Http,
    endpoint: &Endpoint,
    server: TokenServer<'_>,
    credential: Option<&Credential>,
    source: &CredentialSource,
) -> Result<Token> {
    let what = if endpoint.repository.is_empty() {
        format!("a token for {}", endpoint.registry)
    } else {
        format!("a token for {}/{}", endpoint.registry, endpoint.repository)
    };
    let asked = Subject { registry: &endpoint.registry, what: &what };
    let realm = realm(asked, endpoint, server.realm)?;
    let host = realm.authority().map_or_else(String::new, ToString::to_string);
    let subject = Subject { registry: &host, what: &what };

    let scope = match server.scope {
        Some(scope) => Some(scope.to_owned()),
        None if endpoint.repository.is_empty() => None,
        None => Some(format!("repository:{}:pull", endpoint.repository)),
    };
    let mut fields: Vec<(&str, &str)> = Vec::new();
    fields.extend(server.service.map(|service| ("service", service)));
    fields.extend(scope.as_deref().map(|scope| ("scope", scope)));
    let response = match credential {
        Some(Credential::Identity(token)) => {
            fields.push(("grant_type", "refresh_token"));
            fields.push(("client_id", "tank"));
            fields.push(("refresh_token", token.reveal()));
            http.post(subject, &realm, &encode(&fields))?
        }
        other => {
            let mut request = Request::new(());
            *request.method_mut() = Method::GET;
            if let Some(Credential::Login(login)) = other {
                fields.push(("account", &login.user));
                let value = header_value(subject, &format!("Basic {}", basic(login)))?;
                request.headers_mut().insert(AUTHORIZATION, value);
            }
            *request.uri_mut() = with_query(asked, &realm, &encode(&fields))?;
            http.send(subject, request)?
        }
    };
    if !response.status.is_success() {
        return Err(subject.refused(response, source));
    }
    let mut body = Vec::new();
    let read = response.body.take(TOKEN_BYTES + 1).read_to_end(&mut body);
    read.map_err(|e| subject.cut(e, http.stall_timeout()))?;
    if body.len() as u64 > TOKEN_BYTES {
        return Err(subject.too_large(TOKEN_BYTES));
    }
    let answered: Answered =
        serde_json::from_slice(&body).map_err(|_| subject.protocol("is not a token"))?;
    let token = answered.token.or(answered.access_token).filter(|token| !token.is_empty());
    let life = Duration::from_secs(answered.expires_in.unwrap_or(DEFAULT_LIFE));
    let token = token.ok_or_else(|| subject.protocol("has no token"))?;
    Ok(Token { token: Secret::new(token), life })
}

/// The address of a token server. A registry that is spoken to over TLS must not send the
/// credentials elsewhere without.
fn realm(subject: Subject<'_>, endpoint: &Endpoint, realm: &str) -> Result<Uri> {
    let uri: Uri = realm
        .parse()
        .map_err(|_| subject.protocol("names a token server without a valid address"))?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    match uri.scheme_str() {
        _ if authority.is_empty() || authority.contains('@') => {
            Err(subject.protocol("names a token server without a valid address"))
        }
        Some("https") => Ok(uri),
        Some("http") if endpoint.insecure => Ok(uri),
        _ => Err(subject.protocol("names a token server that is not reached over TLS")),
    }
}

fn with_query(subject: Subject<'_>, realm: &Uri, query: &str) -> Result<Uri> {
    let before = realm.path_and_query().map_or("/", |path| path.as_str());
    let separator = if realm.query().is_some() { '&' } else { '?' };
    let mut parts = realm.clone().into_parts();
    parts.path_and_query = format!("{before}{separator}{query}").parse().ok();
    Uri::from_parts(parts)
        .map_err(|_| subject.protocol("names a token server without a valid address"))
}

fn encode(fields: &[(&str, &str)]) -> String {
    let field =
        |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, PLAIN));
    fields.iter().map(field).collect::<Vec<_>>().join("&")
}
