use std::collections::BTreeSet;

use super::*;

fn layer(byte: u8) -> Layer {
    Layer { id: digest(byte), bytes: 100, entries: 7 }
}

/// Layer `byte`, which came as blob `byte + 50`.
fn image_layer(byte: u8) -> ImageLayer {
    ImageLayer { id: digest(byte), blob: Some(digest(byte + 50)), blob_size: 50 }
}

fn manifest(byte: u8, layers: &[u8]) -> Manifest {
    Manifest {
        digest: digest(byte),
        config_digest: digest(byte + 100),
        config: r#"{"os":"linux"}"#.into(),
        platform: "linux/amd64".into(),
        size: 5,
        created: Some(at(0)),
        layers: layers.iter().map(|byte| image_layer(*byte)).collect(),
    }
}

/// Images 1 (layers 11, 12) and 2 (layers 11, 13), named `one` and `two`.
fn with_images() -> (TempDir, Store) {
    let (root, mut store) = fresh();
    store
        .write(|tx| {
            for byte in [11, 12, 13] {
                tx.put_layer_ready(&layer(byte), at(0))?;
            }
            tx.put_image(Some("one"), &manifest(1, &[11, 12]), at(0))?;
            tx.put_image(Some("two"), &manifest(2, &[11, 13]), at(0))
        })
        .unwrap();
    (root, store)
}

#[test]
fn images_are_found_by_name_digest_and_prefix() {
    let (_root, store) = with_images();
    store
        .read(|s| {
            assert_eq!(s.image_by_reference("one")?, Some(manifest(1, &[11, 12])));
            assert_eq!(s.image_by_reference("three")?, None);
            assert_eq!(s.image_by_digest(&digest(2))?, Some(manifest(2, &[11, 13])));
            assert_eq!(s.image_by_digest_prefix("0101")?, [manifest(1, &[11, 12])]);
            assert_eq!(s.image_by_digest_prefix("sha256:0202")?, [manifest(2, &[11, 13])]);
            assert_eq!(s.image_by_digest_prefix(digest(101).hex())?, [manifest(1, &[11, 12])]);
            assert_eq!(s.image_by_digest_prefix("0")?.len(), 2);
            assert_eq!(s.image_by_digest_prefix("")?, []);
            assert_eq!(s.image_by_digest_prefix("%")?, []);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_name_moves_and_the_old_image_loses_it() {
    let (_root, mut store) = with_images();
    store.write(|tx| tx.put_image(Some("one"), &manifest(2, &[11, 13]), at(1))).unwrap();
    let images = store.read(|s| s.list_images()).unwrap();
    let names: Vec<_> = images.into_iter().map(|image| image.references).collect();
    assert_eq!(names, [vec![], vec!["one".to_owned(), "two".to_owned()]]);
}

#[test]
fn an_image_with_a_layer_that_is_not_ready_is_refused() {
    let (_root, mut store) = with_images();
    let result = store.write(|tx| tx.put_image(Some("three"), &manifest(3, &[11, 99]), at(0)));
    let Err(Error::LayersMissing { image, layers }) = result else { panic!("{result:?}") };
    assert_eq!((image, layers), (digest(3), vec![digest(99)]));
    assert_eq!(store.read(|s| s.image_by_digest(&digest(3))).unwrap(), None);
}

#[test]
fn used_images_and_referenced_layers_are_not_removed() {
    let (_root, mut store) = with_images();
    store
        .write(|tx| {
            tx.put_pod(&pod("web", "one"), &images(1), at(0))?;
            assert_eq!(tx.images_in_use()?, BTreeSet::from([digest(1)]));
            assert!(!tx.forget_image(&digest(1))?, "in use");
            assert!(!tx.forget_image(&digest(2))?, "has a name");
            assert!(!tx.begin_layer_removal(&digest(13))?, "an image has it");
            assert!(tx.remove_reference("one")?);
            assert!(tx.remove_reference("two")?);
            assert!(!tx.remove_reference("two")?);
            assert!(!tx.forget_image(&digest(1))?, "still in use");
            assert!(tx.forget_image(&digest(2))?);
            assert_eq!(tx.unreferenced_layers()?, [digest(13)]);
            Ok(())
        })
        .unwrap();
    let running = Instance { image: Some(digest(77)), ..instance("web", 1) };
    store.write(|tx| tx.insert_instance(&running)).unwrap();
    let used = store.read(|s| s.images_in_use()).unwrap();
    assert_eq!(used, BTreeSet::from([digest(1), digest(77)]));
}

#[test]
fn blobs_are_those_of_all_images() {
    let (_root, mut store) = with_images();
    let all = [1, 2, 61, 62, 63, 101, 102];
    assert_eq!(store.read(|s| s.blobs()).unwrap(), all.map(digest).into());
    let moved = Manifest {
        layers: vec![ImageLayer { blob: None, ..image_layer(12) }, image_layer(13)],
        ..manifest(1, &[])
    };
    store.write(|tx| tx.put_image(Some("one"), &moved, at(1))).unwrap();
    assert_eq!(store.read(|s| s.image_by_digest(&digest(1))).unwrap(), Some(moved));
    assert!(!store.read(|s| s.blobs()).unwrap().contains(&digest(62)));
}

#[test]
fn a_layer_whose_removal_began_is_not_ready() {
    let (_root, mut store) = fresh();
    let ids = [digest(1), digest(2), digest(3)];
    let ready = |store: &Store| store.read(|s| s.layers_ready(&ids)).unwrap();
    store.write(|tx| tx.put_layer_ready(&layer(1), at(0))).unwrap();
    store.write(|tx| tx.put_layer_ready(&layer(2), at(0))).unwrap();
    assert_eq!(ready(&store), BTreeSet::from([digest(1), digest(2)]));

    assert!(store.write(|tx| tx.begin_layer_removal(&digest(1))).unwrap());
    assert_eq!(ready(&store), BTreeSet::from([digest(2)]));
    assert_eq!(store.read(|s| s.unreferenced_layers()).unwrap(), [digest(1), digest(2)]);
    store.write(|tx| tx.forget_layer(&digest(1))).unwrap();
    store.write(|tx| tx.forget_layer(&digest(2))).unwrap();
    assert_eq!(store.read(|s| s.layers()).unwrap(), [layer(2)]);

    store.write(|tx| tx.begin_layer_removal(&digest(2))).unwrap();
    store.write(|tx| tx.put_layer_ready(&layer(2), at(1))).unwrap();
    assert_eq!(ready(&store), BTreeSet::from([digest(2)]));
}
