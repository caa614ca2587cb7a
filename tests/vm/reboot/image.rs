//! Images for machines that have nothing to make them with.

use crate::support::fixtures;
use crate::support::made::{noise, sha256};

/// The archive of an image, as `docker save` writes it.
pub(super) struct Image {
    pub(super) archive: Vec<u8>,
    /// What `sha256sum` says of its files.
    pub(super) sums: String,
    /// The command that says it.
    pub(super) command: String,
}

impl Image {
    /// One named `localhost/NAME:1` of busybox, and of so many layers of so many bytes that no
    /// packer makes smaller.
    pub(super) fn new(name: &str, layers: u64, size: usize) -> Self {
        let busybox = std::fs::read(fixtures::busybox_rootfs().join("bin/busybox")).unwrap();
        let noises: Vec<_> = (0..layers).map(|n| noise(n + size as u64, size)).collect();
        let mut files = vec![("bin/busybox".to_owned(), busybox)];
        files.extend(noises.into_iter().enumerate().map(|(n, noise)| (format!("noise{n}"), noise)));
        let tars: Vec<_> =
            files.iter().map(|(path, content)| tar(&[(path.clone(), content.clone())])).collect();
        let ids: Vec<_> = tars.iter().map(|tar| sha256(tar)).collect();
        let config = serde_json::json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": ids },
        });
        let names: Vec<_> = (0..tars.len()).map(|n| format!("layer{n}.tar")).collect();
        let manifest = serde_json::json!([{
            "Config": "config.json", "RepoTags": [format!("localhost/{name}:1")], "Layers": names,
        }]);
        let mut parts = vec![
            ("manifest.json".to_owned(), manifest.to_string().into_bytes()),
            ("config.json".to_owned(), config.to_string().into_bytes()),
        ];
        parts.extend(names.into_iter().zip(tars));
        let sum = |(path, content): &(String, Vec<u8>)| {
            format!("{}  /{path}\n", &sha256(content)["sha256:".len()..])
        };
        let paths: Vec<_> = files.iter().map(|(path, _)| format!("/{path}")).collect();
        Self {
            archive: tar(&parts),
            sums: files.iter().map(sum).collect(),
            command: format!("/bin/busybox sha256sum {}", paths.join(" ")),
        }
    }
}

/// A tar file of programs.
fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, path, content.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}
