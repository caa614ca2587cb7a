//! Registries that refuse, fail, or send elsewhere: each pull ends, in time, with an image or with
//! an error that names what failed, and nothing is left that could be taken for an image.

use std::time::Duration;

use super::{
    PATIENCE, assert_failed, assert_gets, assert_gives_up, assert_pulled, hasty, of_blob,
    one_layer, pull, serve, tank,
};
use crate::support::fault_registry::{Answer, FaultRegistry, Step, refusal};
use crate::support::made::Made;

#[test]
fn too_many_requests_are_repeated_when_the_registry_says() {
    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    let later = || refusal(429, "TOOMANYREQUESTS", "slow down").header("Retry-After", 1);
    registry.rule_times(1, of_blob(&blob, move |_, _| later()));
    registry.rule_times(1, move |request| request.path.contains("/manifests/").then(later));
    let output = pull(&tank, &name).ok();
    assert!(output.elapsed >= Duration::from_secs(2), "{output}");
    assert!(output.elapsed < PATIENCE, "{output}");
    assert_pulled(&tank, &name);
}

#[test]
fn too_many_requests_for_ever_are_told() {
    let (registry, tank) = hasty();
    let (name, _) = serve(&registry);
    registry.rule(|request| {
        let later = refusal(429, "TOOMANYREQUESTS", "you have reached your pull rate limit");
        request.path.contains("/manifests/").then(|| later.header("Retry-After", 0))
    });
    assert_gives_up(&tank, &name, &[&registry.host(), "too many requests", "pull rate limit"]);
    assert_eq!(registry.log().iter().filter(|asked| asked.status == 429).count(), 4);
}

#[test]
fn errors_of_the_server_are_repeated() {
    for status in [500, 502, 503, 504] {
        let (registry, tank) = hasty();
        let (name, blob) = serve(&registry);
        registry.rule_times(2, of_blob(&blob, move |_, _| Answer::with(status, "broken")));
        registry.rule_times(1, move |request| {
            request.path.ends_with("/manifests/1").then(|| Answer::with(status, "broken"))
        });
        assert_gets(&tank, &name);
    }
}

#[test]
fn errors_of_the_server_for_ever_are_told() {
    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    registry.rule(of_blob(&blob, |_, _| refusal(500, "UNKNOWN", "the disk is on fire")));
    assert_gives_up(&tank, &name, &[&registry.host(), "500", "on fire"]);
    assert_eq!(registry.count(&blob), 4);
}

#[test]
fn refusals_are_not_repeated_and_are_escaped() {
    let (registry, tank) = hasty();
    let (name, _) = serve(&registry);
    registry.rule(|_| Some(refusal(403, "DENIED", "not \u{1b}[31mfor\u{1b}]0;you\u{7} \u{202e}")));
    let output = pull(&tank, &name).exits(1);
    assert_failed(&output, &[&registry.host(), "403"]);
    assert!(!output.stderr.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{output}");
    assert!(registry.log().len() <= 2, "{:?}", registry.log());
}

#[test]
fn endless_demands_for_credentials_end() {
    for challenge in
        ["Basic realm=\"tests\"", "Bearer realm=\"http://HOST/token\",service=\"tests\"", "Odd x"]
    {
        let (registry, tank) = hasty();
        let (name, _) = serve(&registry);
        let challenge = challenge.replace("HOST", &registry.host());
        registry.rule(move |request| match request.path.as_str() {
            "/token" => Some(Answer::with(200, "{\"token\":\"useless\"}")),
            _ => {
                let refused = refusal(401, "UNAUTHORIZED", "authentication required");
                Some(refused.header("WWW-Authenticate", &challenge))
            }
        });
        assert_gives_up(&tank, &name, &[&registry.host(), "401"]);
        assert!(registry.log().len() <= 12, "{:?}", registry.log());
    }
}

#[test]
fn token_is_fetched_used_and_fetched_anew_when_it_ran_out() {
    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    let host = registry.host();
    registry.rule(move |request| {
        let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"tests\"");
        match (request.path.as_str(), request.header("authorization")) {
            ("/token", _) => {
                assert!(
                    request.query.contains("scope=repository%3Aapp%3Apull")
                        || request.query.contains("scope=repository:app:pull"),
                    "{request:?}"
                );
                Some(Answer::with(200, "{\"token\":\"good\",\"expires_in\":300}"))
            }
            (_, Some("Bearer good")) => None,
            _ => Some(Answer::with(401, "").header("WWW-Authenticate", challenge)),
        }
    });
    let host = registry.host();
    registry.rule_times(
        1,
        of_blob(&blob, move |_, _| {
            let challenge = format!("Bearer realm=\"http://{host}/token\",error=\"invalid_token\"");
            Answer::with(401, "").header("WWW-Authenticate", challenge)
        }),
    );
    assert_gets(&tank, &name);
    let tokens = registry.log().iter().filter(|asked| asked.request.path == "/token").count();
    assert_eq!(tokens, 2);
}

#[test]
fn token_server_that_fails_is_told() {
    for answer in [
        refusal(403, "DENIED", "no token for you"),
        Answer::with(200, "{}"),
        Answer::with(200, "no JSON"),
        Answer::with(200, vec![b' '; 20 << 20]),
    ] {
        let (registry, tank) = hasty();
        let (name, _) = serve(&registry);
        let host = registry.host();
        registry.rule(move |request| match request.path.as_str() {
            "/token" => Some(answer.clone()),
            _ => Some(Answer::with(401, "").header(
                "WWW-Authenticate",
                format!("Bearer realm=\"http://{host}/token\",service=\"tests\""),
            )),
        });
        assert_gives_up(&tank, &name, &[&registry.host(), "token"]);
    }
}

#[test]
fn blobs_may_be_elsewhere_but_credentials_stay() {
    let (registry, elsewhere) = (FaultRegistry::new(), FaultRegistry::new());
    let (name, blob) = serve(&registry);
    serve(&elsewhere);
    let tank = tank(&format!(
        "[registries]\ninsecure = ['{}', '{}']\n{}",
        registry.host(),
        elsewhere.host(),
        super::HASTY
    ));
    registry.rule(|request| {
        let challenge = Answer::with(401, "").header("WWW-Authenticate", "Basic realm=\"tests\"");
        request.header("authorization").is_none().then_some(challenge)
    });
    let target = format!("http://{}/v2/app/blobs/{}?signed=yes", elsewhere.host(), blob.digest);
    registry.rule(of_blob(&blob, move |request, _| match request.header("authorization") {
        Some(_) => Answer::with(307, "").header("Location", &target),
        None => Answer::with(401, "").header("WWW-Authenticate", "Basic realm=\"tests\""),
    }));
    let login = ["login", "-u", "captain", "--password-stdin", &registry.host()];
    let _ = tank.run_with(&mut tank.command(login), b"secret").ok();
    assert_gets(&tank, &name);
    let log = elsewhere.log();
    assert!(log.iter().any(|asked| asked.request.query == "signed=yes"), "{log:?}");
    assert!(log.iter().all(|asked| asked.request.header("authorization").is_none()), "{log:?}");
}

#[test]
fn redirects_in_a_circle_end() {
    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    registry
        .rule(of_blob(&blob, |request, _| Answer::with(307, "").header("Location", &request.path)));
    assert_gives_up(&tank, &name, &[&registry.host(), "redirect"]);
    assert!(registry.count(&blob) <= 48, "{}", registry.count(&blob));
}

#[test]
fn redirects_to_what_is_no_web_address_are_refused() {
    for target in ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher:x", ""] {
        let (registry, tank) = hasty();
        let (name, blob) = serve(&registry);
        registry.rule(of_blob(&blob, move |_, _| Answer::with(307, "").header("Location", target)));
        assert_gives_up(&tank, &name, &[&registry.host()]);
    }
}
#[test]
fn documents_that_are_not_what_their_digests_say_are_refused() {
    let (registry, tank) = hasty();
    let image = one_layer();
    let name = registry.serve("app:1", &image);
    let digest = image.config.digest.clone();
    let config = String::from_utf8(image.config.content.clone()).unwrap().replace("true", "evil");
    registry.rule(move |request| {
        request.path.ends_with(&digest).then(|| Answer::with(200, config.clone()))
    });
    assert_gives_up(&tank, &name, &[&image.config.digest[..19]]);

    registry.behave();
    let by_digest = format!("{}/app@{}", registry.host(), image.manifest.digest);
    let other = Made::small().manifest;
    registry.rule(move |request| {
        let answer = Answer::with(200, other.content.clone());
        let answer = answer.header("Content-Type", &other.media_type);
        request.path.contains("/manifests/").then_some(answer)
    });
    assert_gives_up(&tank, &by_digest, &[&image.manifest.digest[..19]]);
}

#[test]
fn registry_that_says_nothing_at_all_is_given_up() {
    let (registry, tank) = hasty();
    let (name, _) = serve(&registry);
    registry.rule(|_| Some(Answer::new(200).length(100).then(Step::Hold)));
    assert_gives_up(&tank, &name, &[&registry.host()]);
    // Nobody listens there.
    let host = registry.host();
    let tank = super::tank(&format!("{}[images]\nretries = 1\n", registry.settings()));
    drop(registry);
    assert_gives_up(&tank, &name, &[&host]);
}
