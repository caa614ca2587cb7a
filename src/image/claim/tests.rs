use std::collections::BTreeSet;
use std::io::Write;

use super::super::dirs::Swept;
use super::*;

fn blob(digit: char) -> Digest {
    format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap()
}

fn dirs() -> (tempfile::TempDir, ImageDirs) {
    let tmp = tempfile::tempdir().unwrap();
    let dirs = ImageDirs::below(tmp.path());
    (tmp, dirs)
}

fn sweep(dirs: &ImageDirs) -> Swept {
    dirs.exclusive().unwrap().sweep(&BTreeSet::new(), &BTreeSet::new()).unwrap()
}

#[test]
fn one_has_a_claim_and_the_next_goes_on_from_there() {
    let (_tmp, dirs) = dirs();
    let claim = dirs.claim(&blob('a'), true).unwrap().unwrap();
    assert!(dirs.claim(&blob('a'), false).unwrap().is_none());
    assert!(dirs.claim(&blob('b'), false).unwrap().is_some());
    claim.copy().unwrap().write_all(b"some").unwrap();
    drop(claim);
    let mut claim = dirs.claim(&blob('a'), false).unwrap().unwrap();
    assert_eq!(claim.have(), 4);
    claim.truncate(1).unwrap();
    assert_eq!(claim.have(), 1);
    claim.discard().unwrap();
    assert_eq!(dirs.claim(&blob('a'), false).unwrap().unwrap().have(), 0);
}

#[test]
fn what_nothing_arrived_of_leaves_no_file() {
    let (tmp, dirs) = dirs();
    drop(dirs.claim(&blob('a'), true).unwrap().unwrap());
    let claim = dirs.claim(&blob('b'), true).unwrap().unwrap();
    claim.copy().unwrap().write_all(b"some").unwrap();
    drop(claim.without_copy().unwrap());
    let claim = dirs.claim(&blob('c'), true).unwrap().unwrap().without_resuming().unwrap();
    claim.copy().unwrap().write_all(b"some").unwrap();
    drop(claim);
    assert_eq!(std::fs::read_dir(tmp.path().join("blobs/sha256")).unwrap().count(), 0);
}

#[test]
fn whoever_waited_gets_a_claim_on_the_file_that_has_the_name() {
    let (_tmp, dirs) = dirs();
    let mut first = dirs.claim(&blob('a'), true).unwrap().unwrap();
    first.copy().unwrap().write_all(b"some").unwrap();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| dirs.claim(&blob('a'), true).unwrap().unwrap());
        first.finish(&dirs.blob_path(&blob('a')), true).unwrap();
        drop(first);
        let second = second.join().unwrap();
        assert_eq!(second.have(), 0);
        assert!(dirs.claim(&blob('a'), false).unwrap().is_none());
    });
    assert_eq!(std::fs::read(dirs.blob_path(&blob('a'))).unwrap(), b"some");
}

#[test]
fn a_sweep_leaves_alone_what_somebody_has_a_claim_on() {
    let (_tmp, dirs) = dirs();
    let claim = dirs.claim(&blob('a'), true).unwrap().unwrap();
    let staging = claim.new_staging().unwrap();
    claim.copy().unwrap().write_all(b"some").unwrap();
    assert_eq!(sweep(&dirs), Swept::default());
    assert!(staging.path().exists());
    // Its process dies: what is being unpacked goes, what arrived stays.
    std::mem::forget(staging);
    drop(claim);
    assert_eq!(sweep(&dirs), Swept { layers: 1, blobs: 0 });
    let claim = dirs.claim(&blob('a'), true).unwrap().unwrap();
    assert!(!claim.staging.exists());
    assert_eq!(claim.have(), 4);
    claim.file.set_modified(std::time::UNIX_EPOCH).unwrap();
    drop(claim);
    assert_eq!(sweep(&dirs), Swept { layers: 0, blobs: 1 });
    assert_eq!(sweep(&dirs), Swept::default());
}

#[test]
fn a_blob_that_goes_takes_the_name_along_under_which_it_arrived() {
    let (tmp, dirs) = dirs();
    let blobs = tmp.path().join("blobs/sha256");
    // The power goes before the claims are given up; a directory has no order to rely on.
    for digit in "0123456789abcdef".chars() {
        let mut claim = dirs.claim(&blob(digit), true).unwrap().unwrap();
        claim.copy().unwrap().write_all(b"whole").unwrap();
        claim.finish(&dirs.blob_path(&blob(digit)), true).unwrap();
        claim.is_resumable = true;
    }
    assert_eq!(std::fs::read_dir(&blobs).unwrap().count(), 32);
    sweep(&dirs);
    assert_eq!(std::fs::read_dir(&blobs).unwrap().count(), 0);
}

#[test]
fn what_a_crash_left_of_unpacking_is_replaced() {
    let (_tmp, dirs) = dirs();
    let claim = dirs.claim(&blob('a'), true).unwrap().unwrap();
    std::mem::forget(claim.new_staging().unwrap());
    file::make_dirs(&claim.staging.join("left/over"), 0o700).unwrap();
    let staging = claim.new_staging().unwrap();
    assert_eq!(std::fs::read_dir(staging.path()).unwrap().count(), 0);
}
