//! Registries that fail, and registries that lie.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::server::{Server, respond};
use super::*;
use crate::image::progress::Unwatched;
use crate::sys;

/// A registry that answers every request in the same way.
fn always(status: u16, headers: &'static [(&str, &str)], body: &'static str) -> Server {
    Server::start(move |_, stream| respond(stream, status, headers, body))
}

#[test]
fn too_many_requests_are_repeated_when_the_registry_wants() {
    let _limit = Limit::seconds(30);
    let count = AtomicUsize::new(0);
    let server = Server::start(move |_, stream| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            respond(stream, 429, &[("Retry-After", "2")], "");
        } else {
            respond(stream, 200, &[("Content-Type", "a/b; charset=utf-8")], MANIFEST);
        }
    });
    let notes = Notes::default();
    let start = sys::clock::monotonic();
    let fetched = manifest(&client(&[&server], 1), &server, &notes).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(2));
    assert_eq!(fetched.content, MANIFEST);
    assert_eq!(fetched.media_type, "a/b");
    assert_eq!(fetched.digest, digest_of(MANIFEST));
    assert_eq!(notes.all()[0].1, Duration::from_secs(2));
    let asked = &server.asked()[0];
    assert_eq!(asked.path, "/v2/a/b/manifests/1");
    assert_eq!(asked.header("user-agent"), Some(concat!("tank/", env!("CARGO_PKG_VERSION"))));
    assert!(asked.header("accept").unwrap().contains("vnd.oci.image.index.v1+json"));
    assert_eq!(asked.header("authorization"), None);
}

#[test]
fn failures_are_repeated_until_the_retries_are_used_up() {
    let _limit = Limit::seconds(30);
    for status in [500, 502, 503, 429] {
        let server =
            Server::start(move |_, stream| respond(stream, status, &[], r#"{"errors":[]}"#));
        let error = manifest(&client(&[&server], 1), &server, &Unwatched).unwrap_err();
        assert_eq!(server.count(), 2, "{status}");
        match error {
            Error::TooManyRequests { .. } => assert_eq!(status, 429),
            Error::Status { status: answered, .. } => assert_eq!(status, answered),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn what_does_not_pass_is_not_repeated() {
    let _limit = Limit::seconds(30);
    for status in [400, 401, 403, 404, 418, 501, 505] {
        let server = Server::start(move |_, stream| respond(stream, status, &[], ""));
        let error = manifest(&client(&[&server], 5), &server, &Unwatched).unwrap_err();
        assert_eq!(server.count(), 1, "{error}");
        assert!(error.to_string().contains(&server.host()), "{error}");
        assert_eq!(matches!(error, Error::NotFound { .. }), status == 404, "{error}");
        assert_eq!(matches!(error, Error::Denied { .. }), matches!(status, 401 | 403), "{error}");
    }
}

#[test]
fn the_registrys_words_are_escaped_and_cut() {
    let _limit = Limit::seconds(30);
    let server = always(
        404,
        &[],
        r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no \u001b[2J\u202e such\n"},{"code":"X"}]}"#,
    );
    let error = manifest(&client(&[&server], 0), &server, &Unwatched).unwrap_err().to_string();
    assert!(error.contains(r"no \u{1b}[2J\u{202e} such"), "{error}");
    assert!(error.ends_with("; X"), "{error}");

    let server = Server::start(|_, stream| {
        let message = "x".repeat(100_000);
        respond(stream, 403, &[], format!(r#"{{"errors":[{{"message":"{message}"}}]}}"#));
    });
    let error = manifest(&client(&[&server], 0), &server, &Unwatched).unwrap_err().to_string();
    assert!(error.len() < 500, "{error}");
}

#[test]
fn manifests_are_what_their_digest_says() {
    let _limit = Limit::seconds(30);
    let other = digest_of(b"other");
    let server = always(200, &[], r#"{"schemaVersion":2}"#);
    let client = client(&[&server], 0);
    let by_digest = |digest: &Digest| {
        client.manifest(&image(&server), &Reference::Digest(digest), false, &Unwatched)
    };
    assert_eq!(by_digest(&digest_of(MANIFEST)).unwrap().content, MANIFEST);
    assert!(
        matches!(by_digest(&other), Err(Error::WrongDigest { expected, .. }) if expected == other)
    );

    for announced in [other.to_string(), "sha256:../../x".to_owned()] {
        let server = Server::start(move |_, stream| {
            respond(stream, 200, &[("Docker-Content-Digest", &announced)], MANIFEST);
        });
        let error = manifest(&super::client(&[&server], 0), &server, &Unwatched).unwrap_err();
        assert!(matches!(error, Error::WrongDigest { .. } | Error::Protocol { .. }), "{error}");
    }
}

#[test]
fn a_tag_is_resolved_without_its_manifest_where_the_registry_can() {
    let _limit = Limit::seconds(30);
    let digest = digest_of(b"manifest");
    let text = digest.to_string();
    let server = Server::start(move |asked, stream| {
        assert_eq!(asked.method, "HEAD");
        respond(stream, 200, &[("Docker-Content-Digest", &text), ("Content-Length", "8")], "");
    });
    assert_eq!(client(&[&server], 0).resolve(&image(&server), &Unwatched).unwrap(), digest);

    for head in [200, 404, 405] {
        let server = Server::start(move |asked, stream| match asked.method.as_str() {
            "HEAD" => respond(stream, head, &[("Content-Length", "0")], ""),
            _ => respond(stream, 200, &[], MANIFEST),
        });
        let digest = client(&[&server], 0).resolve(&image(&server), &Unwatched).unwrap();
        assert_eq!(digest, digest_of(MANIFEST));
    }
}

#[test]
fn too_much_is_not_read() {
    let _limit = Limit::seconds(30);
    let declared = always(200, &[("Content-Length", "4194305")], "");
    let endless = Server::start(|_, stream| {
        respond(stream, 200, &[("Transfer-Encoding", "chunked")], "");
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        while stream.write_all(chunk.as_bytes()).is_ok() {}
    });
    for server in [declared, endless] {
        let error = manifest(&client(&[&server], 3), &server, &Unwatched).unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: limits::DOCUMENT_BYTES, .. }), "{error}");
        assert_eq!(server.count(), 1);
    }
}

#[test]
fn headers_that_are_bombs_are_refused() {
    let _limit = Limit::seconds(30);
    let endless = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let many = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X: y\r\n").is_ok() {}
    });
    let garbage = Server::start(|_, stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n");
    });
    for server in [endless, many, garbage] {
        let error = manifest(&client(&[&server], 3), &server, &Unwatched).unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
        assert_eq!(server.count(), 1, "{error}");
    }
}

#[test]
fn silence_ends() {
    let _limit = Limit::seconds(30);
    let silent = Server::start(|_, stream| stream.wait_for_hangup());
    let stalled = Server::start(|_, stream| {
        respond(stream, 200, &[("Content-Length", "100")], "{");
        let _ = stream.flush();
        stream.wait_for_hangup();
    });
    for server in [silent, stalled] {
        let error = manifest(&client(&[&server], 1), &server, &Unwatched).unwrap_err();
        assert!(matches!(error, Error::Stalled { .. }), "{error}");
        assert_eq!(server.count(), 2);
    }
}

#[test]
fn connections_that_break_are_repeated() {
    let _limit = Limit::seconds(30);
    let half_closed = Server::start(|_, _| {});
    let cut = Server::start(|_, stream| respond(stream, 200, &[("Content-Length", "100")], "{"));
    for server in [half_closed, cut] {
        let error = manifest(&client(&[&server], 1), &server, &Unwatched).unwrap_err();
        assert!(matches!(error, Error::Connection { .. }), "{error}");
        assert_eq!(server.count(), 2, "{error}");
    }
}

#[test]
fn a_registry_that_is_not_there_is_named() {
    let _limit = Limit::seconds(30);
    let server = always(200, &[], "");
    let (client, name) = (client(&[&server], 1), image(&server));
    let host = server.host();
    drop(server);
    let notes = Notes::default();
    let error = client.resolve(&name, &notes).unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error}");
    assert!(error.to_string().contains(&host), "{error}");
    assert!(notes.all()[0].0.contains("refused"), "{:?}", notes.all());
}
