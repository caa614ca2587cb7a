//! An image from its registry: from a name to layers that are ready to be published.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::claim::Claim;
use super::codec::Codec;
use super::complete::{LayerSource, complete};
use super::dirs::ImageDirs;
use super::document::{self, Descriptor, Document};
use super::error::{Error, Result};
use super::hashing::check_size;
use super::install::{self, Claimed, Prepared, Verified, Wanted};
use super::layer::Budget;
use super::limits;
use super::load::Ledger;
use super::oci::choose;
use super::platform::Platform;
use super::progress::{LayerState, PullEvent, Watch};
use super::registry::{Client, Reference};
use super::stream::{Blob, Staged, stage};
use crate::model::Digest;
use crate::model::image_name::ImageName;
use crate::model::settings::ImageSettings;

/// Where an image comes from, what it is for, and who waits for it.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "who watches is nothing to look at")]
pub struct Source<'a> {
    /// The way to the registries.
    pub client: &'a Client,
    /// The image's name.
    pub name: &'a ImageName,
    /// What it should run on.
    pub platform: &'a Platform,
    /// Who watches.
    pub watch: &'a dyn Watch,
}

/// What a name stands for at its registry now, for one platform.
#[derive(Debug)]
pub struct Resolved {
    manifest: Verified,
    config: Descriptor,
    layers: Vec<Blob>,
}

impl Resolved {
    /// The digest of the manifest.
    pub fn digest(&self) -> &Digest {
        &self.manifest.digest
    }
}

/// Asks a registry what a name stands for.
///
/// # Errors
/// Those of the registry; what it answers is not an image, or not one for the platform.
pub fn resolve(source: &Source<'_>) -> Result<Resolved> {
    let name = source.name;
    let ask =
        |reference: &Reference<'_>| source.client.manifest(name, reference, true, source.watch);
    let mut fetched = ask(&Reference::of(name))?;
    for _ in 0..limits::INDEX_DEPTH {
        let what = format!("manifest {} of {name}", fetched.digest);
        let best = match document::parse(&what, &fetched.content, known_type(&fetched.media_type))?
        {
            Document::Manifest { config, layers } => {
                let layers = layers.into_iter().map(blob).collect::<Result<_>>()?;
                let manifest = Verified { digest: fetched.digest, content: fetched.content };
                return Ok(Resolved { manifest, config, layers });
            }
            Document::Index(descriptors) => choose(descriptors, source.platform)?.pop(),
        };
        let best = best.ok_or_else(|| Error::document(&what, "is an index of nothing"))?;
        fetched = ask(&Reference::Digest(&best.digest))?;
        check_size(format!("manifest {}", best.digest), best.size, fetched.content.len() as u64)?;
    }
    let limit = limits::INDEX_DEPTH as u64;
    Err(Error::TooLarge { what: name.to_string(), limit, unit: "indexes in one another" })
}

/// What a registry says a document is, as far as that says anything: some know only of JSON.
fn known_type(media_type: &str) -> &str {
    if media_type.starts_with("application/vnd.") { media_type } else { "" }
}

fn blob(descriptor: Descriptor) -> Result<Blob> {
    let Descriptor { media_type, digest, size, .. } = descriptor;
    let what = || format!("layer {digest}");
    if media_type.contains("nondistributable") || media_type.contains("foreign") {
        let problem = "is a foreign layer, which registries do not hand out";
        return Err(Error::media_type(what(), problem, media_type));
    }
    let Some(codec) = Codec::from_media_type(&media_type) else {
        let problem = "is no layer, or one that is not supported";
        return Err(Error::media_type(what(), problem, media_type));
    };
    Ok(Blob { digest, codec, size })
}

/// Brings an image here, or what is missing of it, and writes it down.
///
/// Layers that another process is fetching are waited for, not fetched again. Nothing but claims
/// is held while the network is waited for: whoever only wants to load or remove an image goes on.
///
/// # Errors
/// Those of the registry; content that is not what its digest says; the disk is full.
pub fn pull<L: Ledger>(
    source: &Source<'_>,
    resolved: Resolved,
    dirs: &ImageDirs,
    settings: &ImageSettings,
    ledger: &mut L,
) -> std::result::Result<L::Image, L::Error> {
    let Resolved { manifest, config, layers } = resolved;
    let config = read_config(source, &config)?;
    let parsed = install::config(&config, source.platform)?;
    let blobs = layers.iter().map(|blob| blob.digest.clone());
    let what = format!("config {}", config.digest);
    let wanted = install::wanted(&what, &parsed.diff_ids, blobs)?;
    let name = source.name.to_string();
    let size = layers.iter().map(|blob| blob.size).fold(0, u64::saturating_add);
    source.watch.tell(&PullEvent::Resolved {
        name: &name,
        digest: &manifest.digest,
        layers: layers.len(),
        size,
    });
    let waiting = || source.watch.tell(&PullEvent::Waiting { name: &name });
    let claimed = install::claim(dirs, &wanted, &|| ledger.ready(), &waiting)?;
    check_space(dirs, &claimed, &layers)?;
    let budget = Budget::new(settings.max_unpacked, settings.max_entries);
    let completed = fetch(source, dirs, settings, &budget, &wanted, claimed, &layers)
        .and_then(|layers| complete(dirs, layers, &budget))
        .inspect_err(|error| give_up(dirs, &layers, error))?;
    let mut prepared =
        Prepared { names: vec![name.clone()], manifest, config, parsed, completed, size };
    let exclusive = dirs.exclusive().map_err(Error::from)?;
    let ready = ledger.ready()?;
    let image = prepared.publish(&exclusive, &ready, settings.keep_blobs)?;
    let recorded = ledger.record(&image)?;
    source.watch.tell(&PullEvent::Done { name: &name, digest: &image.manifest });
    Ok(recorded)
}

fn read_config(source: &Source<'_>, config: &Descriptor) -> Result<Verified> {
    let Source { client, name, watch, .. } = *source;
    let content = client.document(name, &config.digest, config.size, watch)?;
    Ok(Verified { digest: config.digest.clone(), content })
}

/// Refuses what obviously does not fit: a layer does not get smaller by unpacking, and is written
/// down as it comes, too.
fn check_space(dirs: &ImageDirs, claimed: &Claimed, layers: &[Blob]) -> Result<()> {
    let missing = claimed.claims.iter().filter_map(|(digest, claim)| {
        let blob = layers.iter().find(|blob| blob.digest == *digest)?;
        Some(blob.size.saturating_sub(claim.have()).saturating_add(blob.size))
    });
    let need = missing.fold(0, u64::saturating_add);
    let free = dirs.free_space()?;
    if need <= free {
        Ok(())
    } else {
        Err(Error::NoSpace { path: dirs.layers().to_owned(), need, free })
    }
}

/// Removes what has arrived of an image that will not be gone on with, or for which there is no
/// room. What fails to go now goes with a prune.
fn give_up(dirs: &ImageDirs, layers: &[Blob], error: &Error) {
    if error.is_refusal() {
        for blob in layers {
            if let Ok(Some(claim)) = dirs.claim(&blob.digest, false) {
                drop(claim.discard());
            }
        }
    }
}

/// Fetches the layers that were claimed; gives those of the image, in their order.
fn fetch(
    source: &Source<'_>,
    dirs: &ImageDirs,
    settings: &ImageSettings,
    budget: &Budget,
    wanted: &[Wanted],
    Claimed { ready, mut claims }: Claimed,
    layers: &[Blob],
) -> Result<Vec<LayerSource>> {
    let mut sources = Vec::with_capacity(layers.len());
    let mut work = Vec::new();
    let mut first: BTreeMap<&Digest, usize> = BTreeMap::new();
    for (index, ((wanted, ready), blob)) in wanted.iter().zip(ready).zip(layers).enumerate() {
        let (digest, size) = (&blob.digest, blob.size);
        if let Some(id) = ready {
            source.watch.tell(&PullEvent::Layer { index, digest, state: LayerState::Present });
            let diff_id = wanted.diff_id.clone();
            let blob = digest.clone();
            sources.push(Some(LayerSource::Ready { id, diff_id, blob, blob_size: size }));
        } else if let Some(mut claim) = claims.remove(digest) {
            if claim.have() > size {
                claim.truncate(0)?;
            }
            first.insert(digest, index);
            work.push(Work { index, diff_id: &wanted.diff_id, blob, claim });
            sources.push(None);
        } else {
            sources.push(first.get(digest).map(|earlier| LayerSource::Same(*earlier)));
        }
    }
    for (index, staged) in fetch_side_by_side(source, dirs, settings, budget, work)? {
        sources[index] = Some(LayerSource::New(Box::new(staged)));
    }
    let gone = |wanted: &Wanted| Error::LayerGone { layer: wanted.diff_id.clone() };
    let all = sources.into_iter().zip(wanted);
    all.map(|(source, wanted)| source.ok_or_else(|| gone(wanted))).collect()
}

/// A layer that is to be fetched.
struct Work<'a> {
    index: usize,
    diff_id: &'a Digest,
    blob: &'a Blob,
    claim: Claim,
}

/// What the threads of a pull share.
struct Shared<'a> {
    source: &'a Source<'a>,
    dirs: &'a ImageDirs,
    budget: &'a Budget,
    queue: Mutex<Vec<Work<'a>>>,
    staged: Mutex<Vec<(usize, Staged)>>,
    failure: Mutex<Option<Error>>,
    is_over: AtomicBool,
}

/// Fetches layers side by side. The first error ends them all.
fn fetch_side_by_side(
    source: &Source<'_>,
    dirs: &ImageDirs,
    settings: &ImageSettings,
    budget: &Budget,
    mut work: Vec<Work<'_>>,
) -> Result<Vec<(usize, Staged)>> {
    // The largest first: the one that takes longest should not be the last to begin.
    work.sort_by_key(|work| work.blob.size);
    let threads = settings.parallel.min(work.len());
    let shared = Shared {
        source,
        dirs,
        budget,
        queue: Mutex::new(work),
        staged: Mutex::default(),
        failure: Mutex::default(),
        is_over: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            let name = std::thread::Builder::new().name("tank-pull".to_owned());
            // Without another thread this one does all the work.
            drop(name.spawn_scoped(scope, || shared.run()));
        }
        shared.run();
    });
    match into_inner(shared.failure) {
        Some(error) => Err(error),
        None => Ok(into_inner(shared.staged)),
    }
}

impl<'a> Shared<'a> {
    /// Takes work until there is none left.
    fn run(&self) {
        while let Some(work) = self.next() {
            let index = work.index;
            match self.fetch(work) {
                Ok(staged) => lock(&self.staged).push((index, staged)),
                Err(error) => {
                    // In this order: who is told to end fails after the one that counts.
                    lock(&self.failure).get_or_insert(error);
                    self.is_over.store(true, Ordering::Release);
                    lock(&self.queue).clear();
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// The next piece of work. The queue is free again when it returns.
    fn next(&self) -> Option<Work<'a>> {
        lock(&self.queue).pop()
    }

    fn fetch(&self, work: Work<'a>) -> Result<Staged> {
        let Work { index, diff_id, blob, claim } = work;
        let had = claim.have();
        match self.fetch_from(index, diff_id, blob, claim) {
            // What an earlier attempt left was damaged; it is gone now. Nobody is waited for: who
            // has the claim by now may wait for another of this process.
            Err(error) if had > 0 && error.is_corruption() && !self.is_over() => {
                match self.dirs.claim(&blob.digest, false)? {
                    Some(claim) => self.fetch_from(index, diff_id, blob, claim),
                    None => Err(error),
                }
            }
            result => result,
        }
        .map_err(|error| Error::Layer { blob: blob.digest.clone(), source: Box::new(error) })
    }

    fn fetch_from(
        &self,
        index: usize,
        diff_id: &Digest,
        blob: &Blob,
        claim: Claim,
    ) -> Result<Staged> {
        let Source { client, name, watch, .. } = *self.source;
        let tell = |state| watch.tell(&PullEvent::Layer { index, digest: &blob.digest, state });
        let have = claim.have();
        tell(LayerState::Started { have, size: blob.size });
        let input = client.blob(name, &blob.digest, blob.size, have, watch)?;
        let input = Interruptible { input, is_over: &self.is_over };
        let progress = |bytes| tell(LayerState::Progress(bytes));
        let staged = stage(diff_id, blob, claim, input, self.budget, &progress)?;
        tell(LayerState::Unpacked);
        Ok(staged)
    }
}

/// A stream that ends when another layer has failed.
struct Interruptible<'a, R> {
    input: R,
    is_over: &'a AtomicBool,
}

impl<R: Read> Read for Interruptible<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_over.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        self.input.read(buffer)
    }
}

/// A panic elsewhere is a panic of the whole pull; what is behind the lock is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
