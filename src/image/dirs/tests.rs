use super::*;

fn id(digit: char) -> Digest {
    digest(&digit.to_string().repeat(64)).unwrap()
}

/// Names an empty layer that came as the blob of the same digest.
fn publish(exclusive: &Exclusive<'_>, id: &Digest) {
    let mut claim = exclusive.dirs().claim(id, false).unwrap().unwrap();
    exclusive.name_layer(&claim.new_staging().unwrap(), id).unwrap();
    claim.finish(&exclusive.dirs().blob_path(id), true).unwrap();
}

#[test]
fn a_sweep_removes_only_what_is_ours_and_unknown() {
    let tmp = tempfile::tempdir().unwrap();
    let dirs = ImageDirs::below(tmp.path());
    let exclusive = dirs.exclusive().unwrap();
    for digit in ['a', 'b'] {
        publish(&exclusive, &id(digit));
        exclusive.write_blob(&id(digit), b"x").unwrap();
    }
    file::make_dir(&tmp.path().join("layers/.tmp-0"), 0o700).unwrap();
    let unfinished = dirs.blob_path(&id('a')).with_added_extension("tmp");
    file::create_new(&unfinished, 0o600).unwrap();
    file::make_dir(&tmp.path().join("layers/mine"), 0o700).unwrap();
    let keep = BTreeSet::from([id('a')]);
    assert_eq!(exclusive.sweep(&keep, &keep).unwrap(), Swept { layers: 2, blobs: 2 });
    let mut left = names(&tmp.path().join("layers")).unwrap();
    left.sort();
    assert_eq!(left, [".", "..", ".lock", id('a').hex(), "mine"]);
    assert!(dirs.blob_path(&id('a')).exists());
    assert_eq!(exclusive.sweep(&keep, &keep).unwrap(), Swept::default());
}

#[test]
fn only_one_has_the_turn() {
    let tmp = tempfile::tempdir().unwrap();
    let dirs = ImageDirs::below(tmp.path());
    let exclusive = dirs.exclusive().unwrap();
    assert!(dirs.try_exclusive().unwrap().is_none());
    drop(exclusive);
    assert!(dirs.try_exclusive().unwrap().is_some());
}

#[test]
fn publishing_replaces_what_a_crash_left() {
    let tmp = tempfile::tempdir().unwrap();
    let dirs = ImageDirs::below(tmp.path());
    let exclusive = dirs.exclusive().unwrap();
    file::make_dirs(&dirs.layer_path(&id('a')).join("left/over"), 0o700).unwrap();
    publish(&exclusive, &id('a'));
    assert_eq!(names(&dirs.layer_path(&id('a'))).unwrap().len(), 2);
}

#[test]
fn what_is_there_twice_is_stacked_once_where_it_is_higher() {
    let tmp = tempfile::tempdir().unwrap();
    let dirs = ImageDirs::below(tmp.path());
    let stack = dirs.stack(&[id('a'), id('b'), id('a'), id('c')]).unwrap();
    assert_eq!(stack, ['c', 'a', 'b'].map(|digit| dirs.layer_path(&id(digit))));
}
