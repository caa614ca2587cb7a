//! A registry in the test's own process that answers as the test wants: blobs and manifests in
//! memory, rules for what goes wrong, and a log of what was asked.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufReader;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::made::{Blob, Made};

pub(crate) use super::http::{Answer, Gate, Request, Step};

/// How long a test waits for a request.
const SOON: Duration = Duration::from_secs(20);

/// Answers a request, or leaves it to the next rule.
type Rule = Box<dyn Fn(&Request) -> Option<Answer> + Send + Sync>;

/// What was asked, and what of the answer went out.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) status: u16,
    /// Bytes of the body that went out; `None` while it is not done, or when the client went.
    pub(crate) sent: Option<u64>,
}

impl Asked {
    /// Whether it was for the bytes of this blob.
    pub(crate) fn is_for(&self, digest: &str) -> bool {
        self.request.method == "GET" && self.request.path.ends_with(&format!("/blobs/{digest}"))
    }
}

/// The registry. Dropping it closes its port and its connections.
pub(crate) struct FaultRegistry {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl fmt::Debug for FaultRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultRegistry").field("address", &self.address).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Shared {
    content: Mutex<Content>,
    rules: Mutex<Vec<Arc<Rule>>>,
    log: Mutex<Vec<Asked>>,
    logged: Condvar,
    connections: Mutex<Vec<TcpStream>>,
    is_over: AtomicBool,
}

#[derive(Default)]
struct Content {
    /// By digest.
    blobs: BTreeMap<String, Vec<u8>>,
    /// By digest: the media type and the document.
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    /// The digest of a `REPOSITORY:TAG`.
    tags: BTreeMap<String, String>,
}

impl FaultRegistry {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if server.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let server = Arc::clone(&server);
                std::thread::spawn(move || server.serve(connection));
            }
        });
        Self { address, shared }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// What `config.toml` must say so that it can be reached.
    pub(crate) fn settings(&self) -> String {
        format!("[registries]\ninsecure = [\"{}\"]\n", self.host())
    }

    /// Has an image under `NAME:TAG`; gives its full name.
    pub(crate) fn serve(&self, tag: &str, image: &Made) -> String {
        for blob in image.layers.iter().chain([&image.config]) {
            self.serve_blob(blob);
        }
        self.serve_manifest(tag, &image.manifest)
    }

    pub(crate) fn serve_blob(&self, blob: &Blob) {
        let mut content = self.shared.content.lock().unwrap();
        content.blobs.insert(blob.digest.clone(), blob.content.clone());
    }

    /// Has a manifest or an index under `NAME:TAG` and its digest; gives the full name.
    pub(crate) fn serve_manifest(&self, tag: &str, manifest: &Blob) -> String {
        let mut content = self.shared.content.lock().unwrap();
        let document = (manifest.media_type.clone(), manifest.content.clone());
        content.manifests.insert(manifest.digest.clone(), document);
        content.tags.insert(tag.to_owned(), manifest.digest.clone());
        format!("{}/{tag}", self.host())
    }

    /// Adds a rule that is asked for every request, before the ones added earlier.
    pub(crate) fn rule(&self, rule: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) {
        self.shared.rules.lock().unwrap().insert(0, Arc::new(Box::new(rule)));
    }

    /// Adds a rule that answers so many requests, then no more.
    pub(crate) fn rule_times(
        &self,
        times: usize,
        rule: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
    ) {
        let used = AtomicUsize::new(0);
        self.rule(move |request| {
            if used.load(Ordering::SeqCst) >= times {
                return None;
            }
            rule(request).inspect(|_| {
                used.fetch_add(1, Ordering::SeqCst);
            })
        });
    }

    /// Forgets all rules.
    pub(crate) fn behave(&self) {
        self.shared.rules.lock().unwrap().clear();
    }

    /// Everything that was asked so far.
    pub(crate) fn log(&self) -> Vec<Asked> {
        self.shared.log.lock().unwrap().clone()
    }

    /// How often the bytes of a blob were asked for.
    pub(crate) fn count(&self, blob: &Blob) -> usize {
        self.log().iter().filter(|asked| asked.is_for(&blob.digest)).count()
    }

    /// Waits until what was asked satisfies the test.
    #[track_caller]
    pub(crate) fn await_log(&self, what: &str, wanted: impl Fn(&[Asked]) -> bool) {
        let end = Instant::now() + SOON;
        let mut log = self.shared.log.lock().unwrap();
        while !wanted(&log) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not asked: {what}; but {log:#?}");
            log = self.shared.logged.wait_timeout(log, left).unwrap().0;
        }
    }
}

impl Drop for FaultRegistry {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect(self.address));
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            connection.shutdown(std::net::Shutdown::Both).unwrap_or_default();
        }
    }
}

impl Shared {
    /// Serves a connection to its end.
    fn serve(&self, mut connection: TcpStream) {
        connection.set_nodelay(true).unwrap_or_default();
        let Ok(reader) = connection.try_clone() else { return };
        if let Ok(connection) = connection.try_clone() {
            self.connections.lock().unwrap().push(connection);
        }
        let mut reader = BufReader::new(reader);
        while let Some(request) = Request::read(&mut reader) {
            let answer = self.answer(&request);
            let is_head = request.method == "HEAD";
            let number = self.note(request, answer.status);
            let (sent, goes_on) = match answer.write(&mut connection, is_head) {
                Ok((sent, goes_on)) => (Some(sent), goes_on),
                Err(_) => (None, false),
            };
            self.log.lock().unwrap()[number].sent = sent;
            self.logged.notify_all();
            if !goes_on {
                break;
            }
        }
        connection.shutdown(std::net::Shutdown::Both).unwrap_or_default();
    }

    fn note(&self, request: Request, status: u16) -> usize {
        let mut log = self.log.lock().unwrap();
        log.push(Asked { request, status, sent: None });
        self.logged.notify_all();
        log.len() - 1
    }

    fn answer(&self, request: &Request) -> Answer {
        let rules = self.rules.lock().unwrap().clone();
        let ruled = rules.iter().find_map(|rule| rule(request));
        let answer = ruled.unwrap_or_else(|| self.content.lock().unwrap().answer(request));
        if request.method == "HEAD" { answer.without_body() } else { answer }
    }
}

impl Content {
    /// What a registry that behaves answers.
    fn answer(&self, request: &Request) -> Answer {
        let path = request.path.strip_prefix("/v2/");
        if path == Some("") {
            return Answer::with(200, "{}");
        }
        let manifest = path.and_then(|path| path.split_once("/manifests/"));
        let manifest = manifest.and_then(|(repository, reference)| {
            let tagged = self.tags.get(&format!("{repository}:{reference}"));
            let digest = tagged.map_or(reference, String::as_str);
            self.manifests.get(digest).map(|document| (digest, document))
        });
        if let Some((digest, (media_type, document))) = manifest {
            return Answer::with(200, document.clone())
                .header("Content-Type", media_type)
                .header("Docker-Content-Digest", digest);
        }
        let blob = path.and_then(|path| path.split_once("/blobs/"));
        match blob.and_then(|(_, digest)| self.blobs.get(digest)) {
            Some(blob) => part(blob, request),
            None => refusal(404, "MANIFEST_UNKNOWN", "the tests have no such thing"),
        }
    }
}

/// The bytes of a blob that a request asks for.
pub(crate) fn part(blob: &[u8], request: &Request) -> Answer {
    let total = blob.len();
    let Some(start) = request.range_start().map(|start| usize::try_from(start).unwrap()) else {
        return Answer::with(200, blob);
    };
    if start >= total {
        return Answer::with(416, "").header("Content-Range", format!("bytes */{total}"));
    }
    Answer::with(206, &blob[start..])
        .header("Content-Range", format!("bytes {start}-{}/{total}", total - 1))
}

/// An error as registries tell it.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let told = serde_json::json!({ "errors": [{ "code": code, "message": message }] });
    Answer::with(status, told.to_string()).header("Content-Type", "application/json")
}
