//! Blobs from registries that cut, stall, lie and do not stop.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::{Asked, Server, Stream, respond};
use super::*;
use crate::image::progress::Unwatched;

const LENGTH: usize = 40_000;

/// Answers as a registry does that knows ranges, with at most `most` bytes of the body.
fn serve(asked: &Asked, stream: &mut dyn Stream, content: &[u8], most: usize) {
    let from = asked.from().unwrap_or(0);
    let part = &content[from..];
    let length = part.len().to_string();
    let sent = &part[..part.len().min(most)];
    if from == 0 {
        return respond(stream, 200, &[("Content-Length", &length)], sent);
    }
    let range = format!("bytes {from}-{}/{}", content.len() - 1, content.len());
    respond(stream, 206, &[("Content-Range", &range), ("Content-Length", &length)], sent);
}

#[test]
fn a_blob_that_is_cut_at_every_tenth_resumes() {
    let _limit = Limit::seconds(60);
    let content = content(LENGTH);
    let blob = content.clone();
    let server = Server::start(move |asked, stream| serve(asked, stream, &blob, LENGTH / 10));
    let notes = Notes::default();
    assert_eq!(read_blob(&client(&[&server], 1), &server, &content, &notes).unwrap(), content);
    let from: Vec<_> = server.asked().iter().map(|asked| asked.from().unwrap_or(0)).collect();
    assert_eq!(from, (0..10).map(|n| n * LENGTH / 10).collect::<Vec<_>>());
    assert_eq!(notes.all().len(), 9);
    let path = format!("/v2/a/b/blobs/{}", digest_of(&content));
    assert!(server.asked().iter().all(|asked| asked.path == path));
}

#[test]
fn a_blob_begins_where_it_is_asked_to() {
    let _limit = Limit::seconds(30);
    let content = content(LENGTH);
    let blob = content.clone();
    let knows_ranges = Server::start(move |asked, stream| serve(asked, stream, &blob, LENGTH));
    let blob = content.clone();
    let ignores_ranges = Server::start(move |_, stream| respond(stream, 200, &[], &blob));
    for server in [knows_ranges, ignores_ranges] {
        let (client, name, digest) = (client(&[&server], 0), image(&server), digest_of(&content));
        for from in [1, 777, LENGTH - 1, LENGTH] {
            let size = LENGTH as u64;
            let mut read = Vec::new();
            let mut blob = client.blob(&name, &digest, size, from as u64, &Unwatched).unwrap();
            std::io::Read::read_to_end(&mut blob, &mut read).unwrap();
            assert_eq!(read, content[from..]);
        }
        assert_eq!(server.count(), 3, "nothing is asked for when all is there");
    }
}

#[test]
fn a_registry_without_ranges_starts_over() {
    let _limit = Limit::seconds(30);
    let content = content(LENGTH);
    let blob = content.clone();
    let count = AtomicUsize::new(0);
    let server = Server::start(move |_, stream| {
        let sent = if count.fetch_add(1, Ordering::SeqCst) == 0 { LENGTH / 2 } else { LENGTH };
        respond(stream, 200, &[("Content-Length", &LENGTH.to_string())], &blob[..sent]);
    });
    assert_eq!(read_blob(&client(&[&server], 1), &server, &content, &Unwatched).unwrap(), content);
    assert_eq!(server.count(), 2);
}

#[test]
fn a_registry_that_always_cuts_at_the_same_byte_is_given_up() {
    let _limit = Limit::seconds(30);
    let content = content(LENGTH);
    let blob = content.clone();
    let server = Server::start(move |_, stream| {
        respond(stream, 200, &[("Content-Length", &LENGTH.to_string())], &blob[..LENGTH / 2]);
    });
    let error = read_blob(&client(&[&server], 1), &server, &content, &Unwatched).unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error}");
    // The second attempt gets no further than the first.
    assert_eq!(server.count(), 2);
}

#[test]
fn parts_that_were_not_asked_for_are_refused() {
    let _limit = Limit::seconds(60);
    let content = content(LENGTH);
    for range in [
        "bytes 0-39999/40000",
        "bytes 19999-39999/40000",
        "bytes 20000-40000/40001",
        "bytes 20000-39999/39999",
        "bytes 20000-19999/40000",
        "bytes */40000",
        "20000-39999",
        "",
    ] {
        let blob = content.clone();
        let server = Server::start(move |asked, stream| match asked.from() {
            None => serve(asked, stream, &blob, LENGTH / 2),
            Some(from) => respond(stream, 206, &[("Content-Range", range)], &blob[from..]),
        });
        let error = read_blob(&client(&[&server], 2), &server, &content, &Unwatched).unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{range}: {error}");
        assert_eq!(server.count(), 2, "{range}");
    }
}

#[test]
fn a_range_outside_of_the_blob_is_an_error() {
    let _limit = Limit::seconds(30);
    let content = content(LENGTH);
    let blob = content.clone();
    let server = Server::start(move |asked, stream| match asked.from() {
        None => serve(asked, stream, &blob, LENGTH / 2),
        Some(_) => respond(stream, 416, &[], ""),
    });
    let error = read_blob(&client(&[&server], 2), &server, &content, &Unwatched).unwrap_err();
    assert!(matches!(error, Error::Status { status: 416, .. }), "{error}");
    assert_eq!(server.count(), 2);
}

#[test]
fn blobs_of_another_size_are_refused() {
    let _limit = Limit::seconds(60);
    let content = content(LENGTH);
    for actual in [LENGTH - 1, LENGTH + 1, 0] {
        let blob = super::content(actual);
        let declared = Server::start(move |_, stream| respond(stream, 200, &[], &blob));
        let error = read_blob(&client(&[&declared], 3), &declared, &content, &Unwatched);
        assert!(matches!(error, Err(Error::WrongSize { .. })), "{actual}: {error:?}");
        assert_eq!(declared.count(), 1);

        let blob = super::content(actual);
        let undeclared = Server::start(move |_, stream| {
            let body = format!("{:x}\r\n{}", blob.len(), "");
            respond(stream, 200, &[("Transfer-Encoding", "chunked")], body);
            let _ = stream.write_all(&blob);
            let _ = stream.write_all(if blob.is_empty() { b"\r\n" } else { b"\r\n0\r\n\r\n" });
        });
        let error = read_blob(&client(&[&undeclared], 1), &undeclared, &content, &Unwatched);
        if actual > LENGTH {
            assert!(matches!(error, Err(Error::WrongSize { .. })), "{error:?}");
        } else {
            assert!(matches!(error, Err(Error::Connection { .. })), "{error:?}");
        }
    }
}

#[test]
fn a_body_without_end_is_not_read_beyond_its_size() {
    let _limit = Limit::seconds(30);
    let content = content(LENGTH);
    let server = Server::start(|_, stream| {
        respond(stream, 200, &[("Transfer-Encoding", "chunked")], "");
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        while stream.write_all(chunk.as_bytes()).is_ok() {}
    });
    let error = read_blob(&client(&[&server], 3), &server, &content, &Unwatched).unwrap_err();
    assert!(matches!(&error, Error::WrongSize { actual, .. } if actual == "more"), "{error}");
    assert_eq!(server.count(), 1);
}

#[test]
fn a_registry_that_stalls_is_left_and_asked_for_the_rest() {
    let _limit = Limit::seconds(30);
    let content = content(LENGTH);
    let blob = content.clone();
    let count = AtomicUsize::new(0);
    let server = Server::start(move |asked, stream| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            serve(asked, stream, &blob, LENGTH / 2);
            let _ = stream.flush();
            stream.wait_for_hangup();
        } else {
            serve(asked, stream, &blob, LENGTH);
        }
    });
    let notes = Notes::default();
    assert_eq!(read_blob(&client(&[&server], 1), &server, &content, &notes).unwrap(), content);
    assert!(notes.all()[0].0.contains("stalled for 1 s"), "{:?}", notes.all());
}

#[test]
fn a_slow_blob_arrives_and_one_that_drips_does_not() {
    let _limit = Limit::seconds(60);
    let drip = |part: usize| {
        move |asked: &Asked, stream: &mut dyn Stream| {
            let blob = super::content(LENGTH);
            serve(asked, stream, &blob, 0);
            let from = asked.from().unwrap_or(0);
            for bytes in blob[from..].chunks(part) {
                if stream.write_all(bytes).and_then(|()| stream.flush()).is_err() {
                    return;
                }
                crate::sys::poll::wait(&mut [], Some(Duration::from_millis(200))).unwrap();
            }
        }
    };
    let content = content(LENGTH);
    // 20 parts take four times as long as a registry may be silent.
    let slow = Server::start(drip(LENGTH / 20));
    assert_eq!(read_blob(&client(&[&slow], 0), &slow, &content, &Unwatched).unwrap(), content);
    assert_eq!(slow.count(), 1);
    let dripping = Server::start(drip(1));
    let error = read_blob(&client(&[&dripping], 1), &dripping, &content, &Unwatched).unwrap_err();
    assert!(matches!(error, Error::Stalled { .. }), "{error}");
    assert_eq!(dripping.count(), 2);
}

#[test]
fn documents_are_verified_and_bounded() {
    let _limit = Limit::seconds(30);
    let server = Server::start(|_, stream| respond(stream, 200, &[], "config"));
    let (client, name) = (client(&[&server], 1), image(&server));
    let document = |of: &[u8], size| client.document(&name, &digest_of(of), size, &Unwatched);
    assert_eq!(document(b"config", 6).unwrap(), b"config");
    assert!(matches!(document(b"other!", 6), Err(Error::WrongDigest { .. })));
    assert!(matches!(document(b"config", 7), Err(Error::WrongSize { .. })));
    let asked = server.count();
    assert!(matches!(document(b"config", u64::MAX), Err(Error::TooLarge { .. })));
    assert_eq!(server.count(), asked);
}

#[test]
fn blobs_can_be_read_by_other_threads() {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    is_send::<BlobReader<'_>>();
    is_shared::<Client>();
}
