//! What becomes of layers, and of their blobs.

use super::*;

#[test]
fn layers_of_docker_archives_may_be_compressed() {
    let bench = Bench::new();
    let content = layer("x");
    let packed = zstd::encode_all(content.as_slice(), 1).unwrap();
    let config = config("amd64", &[digest_of(&content)]).to_string();
    let manifest = json!([{"Config": "c", "Layers": ["l"]}]).to_string();
    let files: [(&str, &[u8]); 3] =
        [("c", config.as_bytes()), ("l", &packed), ("manifest.json", manifest.as_bytes())];
    bench.archive("a.tar", &files, &[]);
    let image = bench.load("a.tar").unwrap().remove(0);
    assert_eq!(image.layers[0].diff_id, digest_of(&content));
    assert_eq!(image.layers[0].blob, Some(digest_of(&packed)));
    assert_eq!(std::fs::read(bench.dirs.blob_path(&digest_of(&packed))).unwrap(), packed);
}

#[test]
fn blobs_are_kept_only_if_they_are_to_be() {
    let bench = Bench::new();
    bench.index(&[bench.image("amd64")]);
    let settings = ImageSettings { keep_blobs: false, ..ImageSettings::default() };
    let image =
        bench.load_with(&bench.path("layout"), &settings, BTreeSet::new()).unwrap().remove(0);
    let blob = bench.dirs.blob_path(image.layers[0].blob.as_ref().unwrap());
    assert!(!blob.exists());
    assert_eq!(std::fs::read_dir(bench.path("root/blobs/sha256")).unwrap().count(), 2);
    let image = bench.load("layout").unwrap().remove(0);
    assert!(blob.exists());
    assert_eq!(std::fs::read_dir(bench.path("root/blobs/sha256")).unwrap().count(), 3);
    assert_eq!(image.layers[0].blob_size, blob.metadata().unwrap().len());
}

#[test]
fn a_full_disk_leaves_no_debris() {
    let bench = Bench::new();
    // Two layers, the second of which is too much: the first goes with it.
    let layers = [layer("small"), layer(&"x".repeat(8 << 20))];
    let diff_ids = layers.each_ref().map(|layer| digest_of(layer));
    let blobs = layers.map(|layer| bench.blob(LAYER, &layer));
    bench.index(&[bench.manifest(&config("amd64", &diff_ids), &blobs)]);
    let root = bench.path("root");
    file::make_dir(&root, 0o700).unwrap();
    let options = Some(c"size=4m");
    let flags = rustix::mount::MountFlags::empty();
    rustix::mount::mount("tank-test", &root, "tmpfs", flags, options).unwrap();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let error = bench.refused("layout");
        let (Error::System(source) | Error::Create { source, .. }) = &error else {
            panic!("{error:?}");
        };
        assert!(source.is(libc::ENOSPC), "{error:?}");
    }));
    rustix::mount::unmount(&root, rustix::mount::UnmountFlags::DETACH).unwrap();
    result.unwrap();
}

#[test]
fn limits_are_those_that_are_set() {
    let bench = Bench::new();
    bench.index(&[bench.image("amd64")]);
    let within = |max_unpacked, max_entries| {
        let settings = ImageSettings { max_unpacked, max_entries, ..ImageSettings::default() };
        bench.load_with(&bench.path("layout"), &settings, BTreeSet::new())
    };
    assert!(matches!(within(4, 10), Err(Error::OverLimit { limit: 4, .. })));
    assert!(matches!(within(100, 0), Err(Error::OverLimit { limit: 0, .. })));
    assert!(within(5, 1).is_ok());
}

#[test]
fn layers_that_depend_on_others_are_kept_for_the_whole_chain() {
    let bench = Bench::new();
    let add = |tar: &mut tar::Builder<Vec<u8>>, kind: u8, path: &str, mode: u32| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_mode(mode);
        header.set_size(0);
        tar.append_data(&mut header, path, std::io::empty()).unwrap();
    };
    let lower = |mode: u32| {
        let mut tar = tar::Builder::new(Vec::new());
        add(&mut tar, b'5', "d", mode);
        tar.into_inner().unwrap()
    };
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, b'0', "d/file", 0o600);
    let upper = tar.into_inner().unwrap();
    let mut known = BTreeSet::new();
    let mut ids = Vec::new();
    for mode in [0o700, 0o711] {
        let layers = [lower(mode), upper.clone()];
        let diff_ids = [digest_of(&layers[0]), digest_of(&upper)];
        let blobs = layers.map(|layer| bench.blob(LAYER, &layer));
        bench.index(&[bench.manifest(&config("amd64", &diff_ids), &blobs)]);
        let image = bench.load_knowing("layout", known.clone()).unwrap().remove(0);
        let chain = digest_of(format!("{} {}", diff_ids[0], diff_ids[1]).as_bytes());
        assert_eq!([&image.layers[0].id, &image.layers[1].id], [&diff_ids[0], &chain]);
        assert_eq!(image.layers[1].diff_id, diff_ids[1]);
        let directory = bench.dirs.layer_path(&chain).join("d");
        let found = std::fs::metadata(directory).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&found) & 0o7777, mode);
        known.extend(image.layers.iter().map(|layer| layer.id.clone()));
        ids.push(chain);
        let again = bench.load_knowing("layout", known.clone()).unwrap().remove(0);
        assert_eq!(again.layers[1].unpacked, None);
        assert_eq!(again.layers[1].id, image.layers[1].id);
    }
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn more_layers_are_allowed_than_can_be_stacked_if_some_are_empty() {
    let bench = Bench::new();
    let nothing = vec![0; 1024];
    let image = |full: usize, empty: usize| {
        let full = (0..full).map(|number| layer(&number.to_string()));
        let all: Vec<_> = full.chain((0..empty).map(|_| nothing.clone())).collect();
        let diff_ids: Vec<_> = all.iter().map(|layer| digest_of(layer)).collect();
        let blobs: Vec<_> = all.iter().map(|layer| bench.blob(LAYER, layer)).collect();
        bench.index(&[bench.manifest(&config("amd64", &diff_ids), &blobs)]);
        let settings = ImageSettings { keep_blobs: false, ..ImageSettings::default() };
        bench.load_with(&bench.path("layout"), &settings, BTreeSet::new())
    };
    let loaded = image(500, 12).unwrap().remove(0);
    let ids: Vec<_> = loaded.layers.iter().map(|layer| layer.id.clone()).collect();
    let stack = bench.dirs.stack(&ids).unwrap();
    assert_eq!(stack.len(), 500);
    assert_eq!(stack[499], bench.dirs.layer_path(&ids[0]));
    assert!(matches!(image(501, 0), Err(Error::TooLarge { limit: 500, .. })));
    assert!(matches!(image(1, 512), Err(Error::TooLarge { limit: 512, .. })));
}

#[test]
fn a_layer_that_became_ready_meanwhile_is_left_alone() {
    let bench = Bench::new();
    bench.index(&[bench.image("amd64")]);
    let first = bench.load("layout").unwrap().remove(0);
    let id = first.layers[0].id.clone();
    file::create_new(&bench.dirs.layer_path(&id).join("marker"), 0o600).unwrap();
    // It is not ready when the image is looked at, and is when it is published.
    struct Later(std::cell::Cell<u32>, Digest);
    impl Ledger for Later {
        type Error = Error;
        type Image = LoadedImage;
        fn ready(&self) -> Result<BTreeSet<Digest>> {
            self.0.set(self.0.get() + 1);
            Ok(if self.0.get() > 2 { [self.1.clone()].into() } else { BTreeSet::new() })
        }
        fn record(&mut self, image: &LoadedImage) -> Result<LoadedImage> {
            Ok(image.clone())
        }
    }
    let mut ledger = Later(0.into(), id.clone());
    let settings = ImageSettings::default();
    let loaded = load(&bench.dirs, &bench.path("layout"), &amd64(), &settings, &mut ledger);
    assert_eq!(loaded.unwrap()[0].layers[0].unpacked, None);
    assert!(bench.dirs.layer_path(&id).join("marker").exists());
    let left: Vec<_> = std::fs::read_dir(bench.path("root/layers")).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn only_layers_that_are_ready_are_taken_as_they_are() {
    let bench = Bench::new();
    bench.index(&[bench.image("amd64")]);
    let first = bench.load("layout").unwrap().remove(0);
    let diff_id = first.layers[0].diff_id.clone();
    let marker = bench.dirs.layer_path(&diff_id).join("marker");
    file::create_new(&marker, 0o600).unwrap();

    let again = bench.load_knowing("layout", [diff_id].into()).unwrap().remove(0);
    assert_eq!(again.layers[0].unpacked, None);
    assert!(marker.exists());

    let anew = bench.load("layout").unwrap().remove(0);
    assert_eq!(anew.layers, first.layers);
    assert!(!marker.exists(), "what the database does not know is made anew");
}
