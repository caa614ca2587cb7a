//! The client against a server on the loopback that does what registries do and what they should
//! not. Each test ends, well or with an error, within its time limit.

mod access;
mod blobs;
mod faults;
mod mirrors;
mod redirects;
mod server;
mod trust;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::*;
use crate::image::hashing::digest_of;
use crate::image::progress::PullEvent;
use crate::model::image_name::ImageName;
use server::{Server, start};

/// Ends the test program when a test takes longer than this.
struct Limit(
    #[expect(dead_code, reason = "it is dropped, which is what the other side sees")] Sender<()>,
);

impl Limit {
    fn seconds(seconds: u64) -> Self {
        let (sender, receiver) = channel();
        start(move || {
            let ended = receiver.recv_timeout(Duration::from_secs(seconds));
            if ended == Err(RecvTimeoutError::Timeout) {
                std::process::abort();
            }
        });
        Self(sender)
    }
}

/// Remembers how often something was repeated, and why.
#[derive(Default)]
struct Notes(Mutex<Vec<(String, Duration)>>);

impl Watch for Notes {
    fn tell(&self, event: &PullEvent<'_>) {
        if let PullEvent::Retry { problem, pause, .. } = event {
            self.0.lock().unwrap().push(((*problem).to_owned(), *pause));
        }
    }
}

impl Notes {
    fn all(&self) -> Vec<(String, Duration)> {
        self.0.lock().unwrap().clone()
    }
}

const MANIFEST: &[u8] = br#"{"schemaVersion":2}"#;

/// Settings for servers that are spoken to over plain HTTP.
fn insecure(servers: &[&Server]) -> RegistrySettings {
    let insecure = servers.iter().map(|server| server.host()).collect();
    RegistrySettings { insecure, ..RegistrySettings::default() }
}

fn impatient(retries: u32) -> ImageSettings {
    ImageSettings { retries, stall_timeout: Duration::from_secs(1), ..ImageSettings::default() }
}

/// A client of `servers` that has no credentials.
fn client(servers: &[&Server], retries: u32) -> Client {
    client_with(servers, retries, PathBuf::from("/nonexistent/auth.json"))
}

fn client_with(servers: &[&Server], retries: u32, own: PathBuf) -> Client {
    let files = CredentialFiles { own, others: Vec::new() };
    Client::new(&insecure(servers), &impatient(retries), files).unwrap()
}

/// The image `a/b:1` of a server.
fn image(server: &Server) -> ImageName {
    ImageName::parse(&format!("{}/a/b:1", server.host())).unwrap()
}

fn manifest(client: &Client, server: &Server, watch: &dyn Watch) -> Result<Fetched> {
    client.manifest(&image(server), &Reference::Tag("1"), true, watch)
}

/// Bytes that are nowhere the same.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| u8::try_from((n / 251 + n * 7) % 251).unwrap()).collect()
}

/// Reads a blob whole.
fn read_blob(
    client: &Client,
    server: &Server,
    content: &[u8],
    watch: &dyn Watch,
) -> Result<Vec<u8>> {
    let (name, digest) = (image(server), digest_of(content));
    let mut read = Vec::new();
    let mut blob = client.blob(&name, &digest, content.len() as u64, 0, watch)?;
    match std::io::Read::read_to_end(&mut blob, &mut read) {
        Ok(_) => Ok(read),
        Err(error) => Err(Error::from_read(error).unwrap()),
    }
}
