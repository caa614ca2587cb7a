//! Images that are damaged, for another machine, or hostile.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Healthy;
use crate::support::fixtures;

#[track_caller]
fn assert_refused(healthy: &Healthy, path: &Path, code: i32, parts: &[&str]) {
    let output = healthy.tank.run(["image", "load", path.to_str().unwrap()]);
    healthy.assert_refused(output, code, parts);
}

/// A copy of the busybox image's layout that a test may damage.
fn layout(healthy: &Healthy) -> PathBuf {
    let copy = healthy.tank.dir().join("layout");
    let source = fixtures::busybox_image().layout();
    let _ = fixtures::tool(
        "cp",
        "coreutils",
        &["-r", source.to_str().unwrap(), copy.to_str().unwrap()],
    );
    copy
}

/// The largest blob: a layer.
fn largest_blob(layout: &Path) -> PathBuf {
    let blobs = fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|blob| blob.unwrap().path());
    blobs.max_by_key(|blob| fs::metadata(blob).unwrap().len()).unwrap()
}

#[test]
fn a_layer_that_is_not_what_its_digest_says() {
    let healthy = Healthy::new();
    let layout = layout(&healthy);
    let blob = largest_blob(&layout);
    let mut bytes = fs::read(&blob).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&blob, bytes).unwrap();
    assert_refused(&healthy, &layout, 2, &["cannot load", "layer sha256:"]);
}

#[test]
fn archives_that_were_cut() {
    let healthy = Healthy::new();
    let image = fixtures::busybox_image();
    for archive in [image.oci_archive(), image.docker_archive(), image.docker_archive_gzip()] {
        let bytes = fs::read(&archive).unwrap();
        for length in [0, 100, 512, bytes.len() / 2] {
            let cut = healthy.tank.file("cut", &bytes[..length]);
            assert_refused(&healthy, &cut, 2, &["cut"]);
        }
    }
    assert_refused(&healthy, &healthy.tank.dir().join("missing"), 1, &["missing"]);
}

#[test]
fn an_image_for_another_machine() {
    let healthy = Healthy::new();
    let layout = layout(&healthy);
    let image = format!("{}:latest", layout.display());
    let _ =
        fixtures::tool("umoci", "umoci", &["config", "--image", &image, "--architecture", "s390x"]);
    assert_refused(&healthy, &layout, 2, &["s390x"]);
}

#[test]
fn layers_that_climb_out() {
    let healthy = Healthy::new();
    let canary = healthy.tank.file("canary", "canary\n");
    let outside = canary.to_str().unwrap();
    let up = format!("{}{outside}", "../".repeat(20).trim_end_matches('/'));
    let entry = |kind, name: &str, link: &str, data: &[u8]| {
        (kind, name.to_owned(), link.to_owned(), data.to_vec())
    };
    use tar::EntryType::{Link, Regular, Symlink};
    for (n, entries) in [
        vec![entry(Regular, &up, "", b"escaped\n")],
        vec![entry(Regular, outside, "", b"escaped\n")],
        vec![entry(Symlink, "link", outside, b""), entry(Regular, "link", "", b"escaped\n")],
        vec![
            entry(Symlink, "dir", healthy.tank.dir().to_str().unwrap(), b""),
            entry(Regular, "dir/canary", "", b"escaped\n"),
        ],
        vec![entry(Link, "hard", outside, b""), entry(Regular, "hard", "", b"escaped\n")],
        vec![entry(Link, "hard", &up, b"")],
        vec![
            entry(Symlink, "soft", outside, b""),
            entry(Link, "hard", "soft", b""),
            entry(Regular, "hard", "", b"escaped\n"),
        ],
        vec![entry(Regular, &format!("{}/.wh.canary", up.trim_end_matches("/canary")), "", b"")],
    ]
    .into_iter()
    .enumerate()
    {
        let archive = healthy.tank.file("hostile.tar", hostile_archive(&entries));
        let output = healthy.tank.run(["image", "load", archive.to_str().unwrap()]);
        assert!(matches!(output.status.code(), Some(0 | 2)), "{n}: {output}");
        assert_eq!(fs::read_to_string(&canary).unwrap(), "canary\n", "{n}: {output}");
        if output.status.code() == Some(2) {
            healthy.assert_unchanged();
        } else {
            let _ = healthy.tank.run(["image", "rm", "localhost/hostile:1"]).ok();
        }
    }
}

/// A docker archive with one layer of these entries, which no archiver would write.
fn hostile_archive(entries: &[(tar::EntryType, String, String, Vec<u8>)]) -> Vec<u8> {
    let mut layer = Vec::new();
    for (kind, name, link, data) in entries {
        let mut header = tar::Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(data.len() as u64);
        header.set_cksum();
        layer.extend(header.as_bytes());
        layer.extend(data);
        layer.resize(layer.len().next_multiple_of(512), 0);
    }
    layer.extend([0; 1024]);
    let hex = |bytes: &[u8]| -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let diff_id = hex(&layer);
    let config = format!(
        "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{}},\
         \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"sha256:{diff_id}\"]}}}}"
    );
    let config_name = format!("{}.json", hex(config.as_bytes()));
    let manifest = format!(
        "[{{\"Config\":\"{config_name}\",\"RepoTags\":[\"localhost/hostile:1\"],\
         \"Layers\":[\"layer.tar\"]}}]"
    );
    let mut archive = tar::Builder::new(Vec::new());
    for (name, data) in [
        ("layer.tar", layer.as_slice()),
        (&config_name, config.as_bytes()),
        ("manifest.json", manifest.as_bytes()),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(data.len() as u64);
        archive.append_data(&mut header, name, data).unwrap();
    }
    archive.into_inner().unwrap()
}
