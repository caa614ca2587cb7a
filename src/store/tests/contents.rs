use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::model::pod::{HostFile, Mount, MountSource};

/// A pod that shows a file with the content of this digest.
fn showing(pod_name: &str, content: u8) -> Pod {
    let mut pod = pod(pod_name, "one");
    let path = Path::new("/etc/site.conf").to_owned();
    let file = HostFile { path, content: digest(content), executable: false };
    let source = MountSource::File(file);
    let mount = Mount { target: "/conf".into(), source, read_only: false, secret: false };
    pod.containers[0].mounts.push(mount);
    pod
}

fn apply(store: &mut Store, pod: &Pod, content: u8) -> Result<Put> {
    let contents = Contents::from([(digest(content), Arc::from([content].as_slice()))]);
    store.write(|tx| {
        tx.put_contents(&contents)?;
        let put = tx.put_pod(pod, &images(1), at(0))?;
        tx.drop_unseen_contents()?;
        Ok(put)
    })
}

fn known(store: &Store) -> Vec<u8> {
    let known = (0..100).filter_map(|byte| store.read(|s| s.content(&digest(byte))).unwrap());
    known.flatten().collect()
}

#[test]
fn contents_stay_for_as_long_as_a_revision_shows_them() {
    let (_root, mut store) = fresh();
    for content in 1..=3 {
        apply(&mut store, &showing("web", content), content).unwrap();
    }
    apply(&mut store, &showing("other", 2), 2).unwrap();
    assert_eq!(known(&store), [1, 2, 3]);
    // What the pod has shown before can be shown again without anybody bringing it.
    store.write(|tx| tx.put_pod(&showing("web", 1), &images(1), at(1))).unwrap();
    for revision in 10..40 {
        let changed = pod("web", &format!("image-{revision}"));
        store.write(|tx| tx.put_pod(&changed, &images(1), at(2))).unwrap();
    }
    store.write(|tx| tx.drop_unseen_contents()).unwrap();
    assert_eq!(known(&store), [2]);
    store.write(|tx| tx.forget_pod(&name("other"))).unwrap();
    assert_eq!(known(&store), [0_u8; 0]);
}

#[test]
fn a_pod_cannot_show_what_nobody_brought() {
    let (_root, mut store) = fresh();
    let put = store.write(|tx| tx.put_pod(&showing("web", 1), &images(1), at(0)));
    assert!(put.is_err());
    assert_eq!(store.read(|s| s.pods()).unwrap(), []);
}
