//! Mirrors before the registry.

use super::server::{Server, respond};
use super::*;

fn mirrored(mirrors: &[&Server], registry: &Server) -> Client {
    let mut servers = mirrors.to_vec();
    servers.push(registry);
    let mut settings = insecure(&servers);
    let mirrors = mirrors.iter().map(|mirror| format!("{}/cache", mirror.host())).collect();
    settings.mirrors.insert(registry.host(), mirrors);
    Client::new(&settings, &impatient(1), CredentialFiles::default()).unwrap()
}

#[test]
fn mirrors_are_asked_first() {
    let _limit = Limit::seconds(30);
    let mirror = Server::start(|asked, stream| {
        assert_eq!(asked.path, "/v2/cache/a/b/manifests/1");
        respond(stream, 200, &[], MANIFEST);
    });
    let registry = Server::start(|_, stream| respond(stream, 500, &[], ""));
    let client = mirrored(&[&mirror], &registry);
    let notes = Notes::default();
    assert_eq!(manifest(&client, &registry, &notes).unwrap().content, MANIFEST);
    assert_eq!(registry.count(), 0);
    assert_eq!(notes.all(), []);
}

#[test]
fn what_a_mirror_does_not_give_the_registry_does() {
    let _limit = Limit::seconds(30);
    let empty = Server::start(|_, stream| respond(stream, 404, &[], ""));
    let broken = Server::start(|_, stream| respond(stream, 503, &[], ""));
    let content = content(5000);
    let blob = content.clone();
    let registry = Server::start(move |asked, stream| {
        assert_eq!(asked.header("authorization"), None);
        respond(stream, 200, &[], if asked.path.contains("blobs") { &blob[..] } else { MANIFEST });
    });
    let client = mirrored(&[&empty, &broken], &registry);
    let notes = Notes::default();
    assert_eq!(manifest(&client, &registry, &notes).unwrap().content, MANIFEST);
    assert_eq!(read_blob(&client, &registry, &content, &notes).unwrap(), content);
    assert_eq!((empty.count(), broken.count(), registry.count()), (2, 2, 2));
    assert!(notes.all().iter().all(|(_, pause)| pause.is_zero()));
    assert!(notes.all()[0].0.contains(&empty.host()), "{:?}", notes.all());
}

#[test]
fn a_blob_that_a_mirror_cuts_and_then_refuses_comes_from_the_registry() {
    let _limit = Limit::seconds(30);
    let content = content(5000);
    let blob = content.clone();
    let mirror = Server::start(move |asked, stream| match asked.from() {
        None => respond(stream, 200, &[("Content-Length", "5000")], &blob[..3000]),
        Some(_) => respond(stream, 404, &[], ""),
    });
    let blob = content.clone();
    let registry = Server::start(move |asked, stream| {
        assert_eq!(asked.from(), Some(3000));
        respond(stream, 206, &[("Content-Range", "bytes 3000-4999/5000")], &blob[3000..]);
    });
    let client = mirrored(&[&mirror], &registry);
    assert_eq!(read_blob(&client, &registry, &content, &Notes::default()).unwrap(), content);
    assert_eq!((mirror.count(), registry.count()), (2, 1));
}
