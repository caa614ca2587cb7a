//! One request and what is answered, over connections that are kept.
//!
//! Redirects are followed here and not by the HTTP library: credentials go to nobody but the host
//! they are for, and nothing that began with TLS goes on without.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use ureq::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, TRANSFER_ENCODING,
};
use ureq::http::uri::{Authority, PathAndQuery, Scheme};
use ureq::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use ureq::{Agent, BodyReader};

use super::error::Result;
use super::subject::Subject;
use super::tls;
use crate::sys;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How often one request is redirected.
const REDIRECTS: usize = 10;

/// The longest header of an answer, in bytes.
const HEADER_BYTES: usize = 64 << 10;

/// The longest body that is read only to keep its connection, in bytes.
const DISCARDED_BYTES: u64 = 64 << 10;

/// The fewest bytes that must arrive within the stall timeout: a body that drips is a stall too.
const SLOWEST: u64 = 1 << 10;

/// Connections to registries.
#[derive(Debug)]
pub(super) struct Http {
    agent: Agent,
    stall_timeout: Duration,
}

/// An answer, of any status, whose body is still to be read.
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// Whether it comes from another host than the one that was asked, which redirected there:
    /// what it wants to know is not answered.
    pub(super) is_from_elsewhere: bool,
}

impl Response {
    /// Reads what is left of an answer that is not needed, which leaves its connection free for
    /// the next request, unless it is too much.
    pub(super) fn discard(self) {
        // A failure shows with the next request, if it matters.
        let _ = io::copy(&mut self.body.take(DISCARDED_BYTES), &mut io::sink());
    }
}

impl Http {
    /// Prepares connections that trust the host's certificates, the embedded ones and those of
    /// the files `ca_certificates`.
    pub(super) fn new(ca_certificates: &[String], stall_timeout: Duration) -> Result<Self> {
        // No time limit on looking up names: the library would start a thread that outlives it.
        let config = Agent::config_builder()
            .tls_config(tls::config(ca_certificates)?)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("tank/", env!("CARGO_PKG_VERSION")))
            .max_response_header_size(HEADER_BYTES)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(stall_timeout))
            .timeout_send_request(Some(stall_timeout))
            .timeout_send_body(Some(stall_timeout))
            .timeout_per_read(Some(stall_timeout))
            .build();
        Ok(Self { agent: config.new_agent(), stall_timeout })
    }

    pub(super) fn stall_timeout(&self) -> Duration {
        self.stall_timeout
    }

    /// Sends a request without a body, and again where it is redirected to.
    pub(super) fn send(&self, subject: Subject<'_>, request: Request<()>) -> Result<Response> {
        let (mut parts, ()) = request.into_parts();
        let asked = parts.uri.clone();
        for _ in 0..=REDIRECTS {
            let mut request = Request::new(());
            *request.method_mut() = parts.method.clone();
            *request.uri_mut() = parts.uri.clone();
            *request.headers_mut() = parts.headers.clone();
            let response = self.agent.run(request);
            let mut response = self.answered(subject, response)?;
            if !is_redirect(response.status) {
                response.is_from_elsewhere = !is_same_host(&asked, &parts.uri);
                return Ok(response);
            }
            let target = response
                .headers
                .get(LOCATION)
                .and_then(|location| resolve(&parts.uri, location.to_str().ok()?))
                .ok_or_else(|| subject.protocol("redirects to no address"))?;
            if parts.uri.scheme() == Some(&Scheme::HTTPS) && target.scheme() != Some(&Scheme::HTTPS)
            {
                return Err(subject.protocol("redirects from TLS to plain HTTP"));
            }
            if !is_same_host(&parts.uri, &target) {
                parts.headers.remove(AUTHORIZATION);
            }
            response.discard();
            parts.uri = target;
        }
        Err(subject.protocol("redirects too often"))
    }

    /// Posts a form. A redirect is an answer like any other: the form holds a secret.
    pub(super) fn post(&self, subject: Subject<'_>, url: &Uri, form: &str) -> Result<Response> {
        let mut request = Request::new(form.to_owned());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.clone();
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        self.answered(subject, self.agent.run(request))
    }

    fn answered(
        &self,
        subject: Subject<'_>,
        response: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Response> {
        let response = response.map_err(|e| subject.failed(e, self.stall_timeout))?;
        let (parts, body) = response.into_parts();
        let body = Body {
            length: declared_length(&parts.headers),
            inner: body.into_reader(),
            window: self.stall_timeout,
            waited: Duration::ZERO,
            arrived: 0,
        };
        let (status, headers) = (parts.status, parts.headers);
        Ok(Response { status, headers, body, is_from_elsewhere: false })
    }
}

/// A body that fails when it comes too slowly.
pub(super) struct Body {
    length: Option<u64>,
    inner: BodyReader<'static>,
    window: Duration,
    /// How long it was waited for the bytes of this window. What the one who reads does in between
    /// does not count.
    waited: Duration,
    arrived: u64,
}

impl Body {
    /// The length that the header declares.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start: Instant = sys::clock::monotonic();
        let read = self.inner.read(buffer)?;
        self.waited += sys::clock::monotonic().duration_since(start);
        self.arrived += read as u64;
        if self.waited >= self.window && read > 0 {
            if self.arrived < SLOWEST {
                return Err(io::Error::other(ureq::Error::Timeout(ureq::Timeout::RecvBody)));
            }
            self.waited = Duration::ZERO;
            self.arrived = 0;
        }
        Ok(read)
    }
}

/// The length in a header, unless another one says that it means nothing (RFC 9112, 6.2).
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Whether both are the same scheme, host and port.
fn is_same_host(one: &Uri, other: &Uri) -> bool {
    let origin = |uri: &Uri| {
        let scheme = uri.scheme_str()?.to_owned();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        Some((scheme, uri.host()?.to_ascii_lowercase(), port))
    };
    origin(one).is_some() && origin(one) == origin(other)
}

/// The absolute address of what a `Location` header names (RFC 9110, 10.2.2), if it is one of
/// HTTP and holds no credentials of its own.
fn resolve(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next().filter(|location| !location.is_empty())?;
    let authority: Authority;
    let path: PathAndQuery;
    let mut scheme = base.scheme()?.clone();
    if let Some((name, _)) = location.split_once("://").filter(|(name, _)| is_scheme(name)) {
        let uri: Uri = location.parse().ok()?;
        scheme = name.to_ascii_lowercase().parse().ok()?;
        authority = uri.authority()?.clone();
        path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    } else if let Some(rest) = location.strip_prefix("//") {
        let (host, rest) = rest.split_once('/').unwrap_or((rest, ""));
        authority = host.parse().ok()?;
        path = format!("/{rest}").parse().ok()?;
    } else {
        authority = base.authority()?.clone();
        let directory = base.path().rsplit_once('/').map_or("", |(directory, _)| directory);
        path = match location.as_bytes().first() {
            Some(b'/') => location.parse().ok()?,
            Some(b'?') => format!("{}{location}", base.path()).parse().ok()?,
            _ => format!("{directory}/{location}").parse().ok()?,
        };
    }
    let is_http = scheme == Scheme::HTTP || scheme == Scheme::HTTPS;
    if !is_http || authority.as_str().contains('@') || authority.host().is_empty() {
        return None;
    }
    Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().ok()
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_resolved() {
        let base: Uri = "https://r.example:5000/v2/a/blobs/x?y=1".parse().unwrap();
        for (location, resolved) in [
            ("https://cdn.example/blob?sig=a%2Fb", Some("https://cdn.example/blob?sig=a%2Fb")),
            ("HTTPS://cdn.example", Some("https://cdn.example/")),
            ("//cdn.example/blob", Some("https://cdn.example/blob")),
            ("/other", Some("https://r.example:5000/other")),
            ("next#top", Some("https://r.example:5000/v2/a/blobs/next")),
            ("?z=2", Some("https://r.example:5000/v2/a/blobs/x?z=2")),
            ("/to?u=http://x", Some("https://r.example:5000/to?u=http://x")),
            ("https://user:secret@cdn.example/", None),
            ("file:///etc/shadow", None),
            ("https://", None),
            ("//", None),
            ("#top", None),
        ] {
            let uri = resolve(&base, location).map(|uri| uri.to_string());
            assert_eq!(uri.as_deref(), resolved, "{location}");
        }
    }

    #[test]
    fn the_port_and_the_scheme_are_part_of_a_host() {
        let same =
            |one: &str, other: &str| is_same_host(&one.parse().unwrap(), &other.parse().unwrap());
        assert!(same("https://a/x", "https://A:443/y"));
        assert!(!same("https://a/x", "http://a:443/x"));
        assert!(!same("https://a/x", "https://a:444/x"));
        assert!(!same("https://a/x", "https://a.b/x"));
    }
}
