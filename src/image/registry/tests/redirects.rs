//! Registries that send one elsewhere.

use std::sync::OnceLock;

use super::server::{Server, respond};
use super::*;
use crate::image::progress::Unwatched;
use crate::sys::file::{Durability, replace};

/// A file with a password for each server.
fn credentials(servers: &[&Server]) -> (tempfile::TempDir, PathBuf) {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("auth.json");
    replace(&path, b"{}", 0o600, Durability::Volatile).unwrap();
    for server in servers {
        let login = Login { user: "me".to_owned(), password: Secret::new(server.host()) };
        store(&path, &server.host(), &login).unwrap();
    }
    (tmp, path)
}

#[test]
fn credentials_stay_with_their_host() {
    let _limit = Limit::seconds(30);
    let storage = Server::start(|_, stream| respond(stream, 200, &[], "content"));
    let location = format!("http://{}/signed?x=y", storage.host());
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let server = Server::start(move |asked, stream| match asked.header("authorization") {
            None => respond(stream, 401, &[("WWW-Authenticate", "Basic realm=x")], ""),
            Some(_) => respond(stream, status, &[("Location", &location)], "elsewhere"),
        });
        let (_tmp, path) = credentials(&[&server, &storage]);
        let client = client_with(&[&server, &storage], 0, path);
        assert_eq!(read_blob(&client, &server, b"content", &Unwatched).unwrap(), b"content");
        assert!(server.asked().last().unwrap().header("authorization").is_some());
    }
    assert_eq!(storage.count(), 5);
    for asked in storage.asked() {
        assert_eq!(asked.path, "/signed?x=y");
        assert_eq!(asked.header("authorization"), None);
    }
}

#[test]
fn another_host_is_not_told_who_asks() {
    let _limit = Limit::seconds(30);
    let evil = Server::start(|_, stream| respond(stream, 200, &[], "{\"token\": \"x\"}"));
    let challenge = format!("Bearer realm=\"http://{}/token\",service=\"x\"", evil.host());
    let storage = Server::start(move |_, stream| {
        respond(stream, 401, &[("WWW-Authenticate", &challenge)], "");
    });
    let location = format!("http://{}/signed", storage.host());
    let server = Server::start(move |_, stream| {
        respond(stream, 307, &[("Location", &location)], "");
    });
    let (_tmp, path) = credentials(&[&server, &storage, &evil]);
    let client = client_with(&[&server, &storage, &evil], 0, path);
    assert!(read_blob(&client, &server, b"content", &Unwatched).is_err());
    assert_eq!((storage.count(), evil.count()), (1, 0));
}

#[test]
fn a_redirect_within_the_host_keeps_them() {
    let _limit = Limit::seconds(30);
    let server = Server::start(|asked, stream| match asked.header("authorization") {
        None => respond(stream, 401, &[("WWW-Authenticate", "Basic realm=x")], ""),
        Some(_) if asked.path == "/there" => respond(stream, 200, &[], "content"),
        Some(_) => respond(stream, 307, &[("Location", "/there")], ""),
    });
    let (_tmp, path) = credentials(&[&server]);
    let client = client_with(&[&server], 0, path);
    assert_eq!(read_blob(&client, &server, b"content", &Unwatched).unwrap(), b"content");
}

#[test]
fn a_chain_that_leaves_and_returns_does_not_get_them_back() {
    let _limit = Limit::seconds(30);
    let home: &'static OnceLock<String> = Box::leak(Box::new(OnceLock::new()));
    let other = Server::start(move |_, stream| {
        let location = format!("http://{}/back", home.get().unwrap());
        respond(stream, 302, &[("Location", &location)], "");
    });
    let location = format!("http://{}/", other.host());
    let server = Server::start(move |asked, stream| match asked.header("authorization") {
        _ if asked.path == "/back" => respond(stream, 200, &[], "content"),
        None => respond(stream, 401, &[("WWW-Authenticate", "Basic realm=x")], ""),
        Some(_) => respond(stream, 302, &[("Location", &location)], ""),
    });
    home.set(server.host()).unwrap();
    let (_tmp, path) = credentials(&[&server]);
    let client = client_with(&[&server, &other], 0, path);
    assert_eq!(read_blob(&client, &server, b"content", &Unwatched).unwrap(), b"content");
    assert_eq!(server.asked().last().unwrap().header("authorization"), None);
}

#[test]
fn redirects_end() {
    let _limit = Limit::seconds(30);
    for (location, requests) in [("/again", 11), ("file:///etc/shadow", 1), ("", 1)] {
        let server = Server::start(move |_, stream| {
            respond(stream, 302, &[("Location", location)], "");
        });
        let error = manifest(&client(&[&server], 3), &server, &Unwatched).unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
        assert_eq!(server.count(), requests, "{location}");
    }
}
