//! Registries that want to know who asks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::server::{Server, respond};
use super::*;
use crate::image::progress::Unwatched;
use crate::sys::file::{Durability, replace};

/// The base64 of `me:geheim`.
const BASIC: &str = "Basic bWU6Z2VoZWlt";

fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("auth.json");
    replace(&path, content.as_bytes(), 0o600, Durability::Volatile).unwrap();
    (tmp, path)
}

fn password(server: &Server) -> (tempfile::TempDir, PathBuf) {
    file(&format!(r#"{{"auths":{{"{}":{{"auth":"bWU6Z2VoZWlt"}}}}}}"#, server.host()))
}

fn login(password: &str) -> Login {
    Login { user: "me".to_owned(), password: Secret::new(password) }
}

/// A registry that wants a user and a password.
fn basic() -> Server {
    Server::start(|asked, stream| match asked.header("authorization") {
        Some(BASIC) => respond(stream, 200, &[], MANIFEST),
        _ => respond(
            stream,
            401,
            &[("WWW-Authenticate", "Basic realm=\"r\"")],
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
        ),
    })
}

/// A registry, and its token server `tokens`, whose tokens are `token-1`, `token-2` and so on.
struct Guarded {
    registry: Server,
    tokens: Server,
}

/// `accepts` says whether a token is good for a request.
fn guarded(
    expires_in: &'static str,
    accepts: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Guarded {
    let count = AtomicUsize::new(0);
    let tokens = Server::start(move |asked, stream| {
        if asked.header("authorization").is_some_and(|value| value != BASIC) {
            return respond(stream, 401, &[], r#"{"details":"incorrect username or password"}"#);
        }
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        let kind = if asked.method == "POST" { "access_token" } else { "token" };
        let body = format!(r#"{{"{kind}":"token-{number}"{expires_in}}}"#);
        respond(stream, 200, &[], body);
    });
    let challenge = format!(r#"Bearer realm="http://{}/token?x=1",service="the r""#, tokens.host());
    let registry = Server::start(move |asked, stream| {
        match asked.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
            Some(token) if accepts(token) => respond(stream, 200, &[], MANIFEST),
            _ => respond(stream, 401, &[("WWW-Authenticate", &challenge)], ""),
        }
    });
    Guarded { registry, tokens }
}

#[test]
fn a_password_is_sent_once_it_is_asked_for() {
    let _limit = Limit::seconds(30);
    let server = basic();
    let (_tmp, path) = password(&server);
    let client = client_with(&[&server], 0, path);
    for _ in 0..3 {
        manifest(&client, &server, &Unwatched).unwrap();
    }
    let sent: Vec<_> =
        server.asked().iter().map(|asked| asked.header("authorization").is_some()).collect();
    assert_eq!(sent, [false, true, true, true]);
}

#[test]
fn who_is_denied_learns_which_credentials_were_used() {
    let _limit = Limit::seconds(30);
    let server = basic();
    let error = manifest(&client(&[&server], 3), &server, &Unwatched).unwrap_err().to_string();
    assert!(error.contains("(no credentials): authentication required"), "{error}");
    assert_eq!(server.count(), 1);

    let server = Server::start(|_, stream| {
        respond(stream, 401, &[("WWW-Authenticate", "Basic realm=x")], "");
    });
    let (_tmp, path) = password(&server);
    let error = manifest(&client_with(&[&server], 3, path.clone()), &server, &Unwatched);
    let error = error.unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    assert!(!error.contains("geheim"), "{error}");
    assert_eq!(server.count(), 2, "a loop of 401 ends");
}

#[test]
fn tokens_are_asked_for_once() {
    let _limit = Limit::seconds(30);
    let Guarded { registry, tokens } = guarded(r#","expires_in":300"#, |_| true);
    let client = client(&[&registry, &tokens], 0);
    for _ in 0..3 {
        manifest(&client, &registry, &Unwatched).unwrap();
    }
    assert_eq!((registry.count(), tokens.count()), (4, 1));
    let asked = &tokens.asked()[0];
    assert_eq!(asked.path, "/token?x=1&service=the%20r&scope=repository%3Aa%2Fb%3Apull");
    assert_eq!(asked.header("authorization"), None);
}

#[test]
fn a_password_goes_to_the_token_server_and_a_token_to_the_registry() {
    let _limit = Limit::seconds(30);
    let Guarded { registry, tokens } = guarded("", |_| true);
    let (_tmp, path) = password(&registry);
    manifest(&client_with(&[&registry, &tokens], 0, path), &registry, &Unwatched).unwrap();
    assert_eq!(tokens.asked()[0].header("authorization"), Some(BASIC));
    assert!(tokens.asked()[0].path.ends_with("&account=me"));
    assert_eq!(registry.asked()[1].header("authorization"), Some("Bearer token-1"));
}

#[test]
fn an_identity_token_is_exchanged() {
    let _limit = Limit::seconds(30);
    let Guarded { registry, tokens } = guarded("", |_| true);
    let auth = r#"{"auth":"bWU6","identitytoken":"re/fresh"}"#;
    let (_tmp, path) = file(&format!(r#"{{"auths":{{"{}":{auth}}}}}"#, registry.host()));
    manifest(&client_with(&[&registry, &tokens], 0, path), &registry, &Unwatched).unwrap();
    let asked = &tokens.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/token?x=1"));
    assert_eq!(
        asked.body,
        "service=the%20r&scope=repository%3Aa%2Fb%3Apull&grant_type=refresh_token&client_id=tank\
         &refresh_token=re%2Ffresh"
    );
}

#[test]
fn a_token_that_ended_is_not_used() {
    let _limit = Limit::seconds(30);
    // Less than the margin: each is good for the request that it was asked for only.
    let Guarded { registry, tokens } = guarded(r#","expires_in":3"#, |_| true);
    let client = client(&[&registry, &tokens], 0);
    for _ in 0..2 {
        manifest(&client, &registry, &Unwatched).unwrap();
    }
    assert_eq!(tokens.count(), 2);
    assert_eq!(registry.asked()[3].header("authorization"), Some("Bearer token-2"));
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    let _limit = Limit::seconds(30);
    let is_revoked = Arc::new(AtomicBool::new(false));
    let revoked = Arc::clone(&is_revoked);
    let Guarded { registry, tokens } = guarded(r#","expires_in":300"#, move |token| {
        token != "token-1" || !revoked.load(Ordering::SeqCst)
    });
    let client = client(&[&registry, &tokens], 0);
    manifest(&client, &registry, &Unwatched).unwrap();
    is_revoked.store(true, Ordering::SeqCst);
    manifest(&client, &registry, &Unwatched).unwrap();
    assert_eq!((registry.count(), tokens.count()), (4, 2));

    let Guarded { registry, tokens } = guarded("", |_| false);
    let client = super::client(&[&registry, &tokens], 3);
    let error = manifest(&client, &registry, &Unwatched).unwrap_err();
    assert!(matches!(error, Error::Denied { status: 401, .. }), "{error}");
    assert_eq!((registry.count(), tokens.count()), (2, 1), "a loop of 401 ends");
}

#[test]
fn threads_share_a_token() {
    let _limit = Limit::seconds(30);
    let Guarded { registry, tokens } = guarded(r#","expires_in":300"#, |_| true);
    let client = client(&[&registry, &tokens], 0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| manifest(&client, &registry, &Unwatched).unwrap());
        }
    });
    assert_eq!(tokens.count(), 1);
}

#[test]
fn token_servers_are_not_believed_either() {
    let _limit = Limit::seconds(60);
    for (status, body) in [
        (200, String::new()),
        (200, "{}".to_owned()),
        (200, r#"{"token":""}"#.to_owned()),
        (200, r#"{"token":"a\r\nb"}"#.to_owned()),
        (200, " ".repeat((1 << 20) + 1)),
        (302, String::new()),
        (401, r#"{"details":"no"}"#.to_owned()),
    ] {
        let tokens = Server::start(move |_, stream| respond(stream, status, &[], &body));
        let challenge = format!("Bearer realm=http://{}/", tokens.host());
        let server = Server::start(move |_, stream| {
            respond(stream, 401, &[("WWW-Authenticate", &challenge)], "");
        });
        let error = manifest(&client(&[&server, &tokens], 2), &server, &Unwatched).unwrap_err();
        assert!(!error.is_passing(), "{error}");
        assert_eq!((server.count(), tokens.count()), (1, 1), "{error}");
    }
    for realm in ["ftp://x/", "/token", "http://user:password@127.0.0.1/", "nonsense"] {
        let server = Server::start(move |_, stream| {
            respond(stream, 401, &[("WWW-Authenticate", &format!("Bearer realm=\"{realm}\""))], "");
        });
        let error = manifest(&client(&[&server], 2), &server, &Unwatched).unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{realm}: {error}");
    }
}

#[test]
fn a_token_server_that_fails_for_a_while_is_asked_again() {
    let _limit = Limit::seconds(30);
    let tokens: &'static OnceLock<String> = Box::leak(Box::new(OnceLock::new()));
    let count = AtomicUsize::new(0);
    let server = Server::start(move |asked, stream| match asked.header("authorization") {
        Some("Bearer x") => respond(stream, 200, &[], MANIFEST),
        _ if asked.path.starts_with("/token") => match count.fetch_add(1, Ordering::SeqCst) {
            0 => respond(stream, 503, &[], ""),
            _ => respond(stream, 200, &[], r#"{"access_token":"x"}"#),
        },
        _ => {
            let challenge = format!("Bearer realm=http://{}/token", tokens.get().unwrap());
            respond(stream, 401, &[("WWW-Authenticate", &challenge)], "");
        }
    });
    tokens.set(server.host()).unwrap();
    manifest(&client(&[&server], 1), &server, &Unwatched).unwrap();
}

#[test]
fn logins_are_checked() {
    let _limit = Limit::seconds(30);
    let server = basic();
    let client_of_basic = client(&[&server], 0);
    client_of_basic.check_login(&server.host(), &login("geheim")).unwrap();
    assert_eq!(server.asked()[0].path, "/v2/");
    let error = client_of_basic.check_login(&server.host(), &login("falsch")).unwrap_err();
    assert!(error.to_string().contains("with the credentials given"), "{error}");

    let Guarded { registry, tokens } = guarded("", |_| true);
    let client = client(&[&registry, &tokens], 0);
    client.check_login(&registry.host(), &login("geheim")).unwrap();
    let error = client.check_login(&registry.host(), &login("falsch")).unwrap_err().to_string();
    assert!(error.contains("incorrect username or password"), "{error}");
    assert!(tokens.asked()[0].path.starts_with("/token?x=1&service=the%20r&account=me"));
}
