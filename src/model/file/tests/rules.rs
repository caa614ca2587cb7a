//! What is missing, cannot stand together, or is there twice.

use super::{check, in_container, in_pod, text};

#[test]
fn what_is_missing_is_named() {
    check(&[
        (
            text("network = \"none\""),
            &[
                r#"1:1 a pod has no key "name" (add: name = "web")"#,
                r#"1:1 a pod has no key "containers" (add: [[containers]])"#,
            ],
        ),
        (
            text("[[pods]]\nname = \"a\"\n[[pods]]\ncontainers = []"),
            &[
                r#"1:1 a pod has no key "containers" (add: [[containers]])"#,
                r#"3:1 a pod has no key "name" (add: name = "web")"#,
                "4:1 containers has no entries, at least one is needed",
            ],
        ),
        (
            in_container(
                "[[containers]]\n[[containers.mounts]]\n[containers.liveness]\n[containers.startup]\ntcp = {}",
            ),
            &[
                r#"6:1 a container has no key "name" (add: name = "app")"#,
                r#"6:1 a container has no image (write one of "image" or "rootfs")"#,
                r#"7:1 a mount has no key "target" (add: target = "/data")"#,
                r#"7:1 a mount has no source (write one of "volume", "host", "tmpfs", "content" or "file")"#,
                r#"8:1 a probe has no check (write one of "http", "tcp" or "exec")"#,
                r#"10:7 a tcp check has no key "port" (add: port = 5432)"#,
            ],
        ),
        (
            in_pod("restart = { max_retries = 1 }"),
            &[r#"3:11 a restart policy has no key "policy" (add: policy = "on-failure")"#],
        ),
    ]);
}

#[test]
fn what_cannot_stand_together_is_refused() {
    check(&[
        (
            in_container("rootfs = \"/x\""),
            &[
                r#"6:1 "image" and "rootfs" cannot stand together (keep one of "image" or "rootfs")"#,
            ],
        ),
        (
            text("name = \"a\"\n[[containers]]\nname = \"a\"\nrootfs = \"/x\""),
            &[r#"4:1 a container with a rootfs needs a command (add: command = ["/bin/sh"])"#],
        ),
        (
            text(
                "name = \"a\"\n[[containers]]\nname = \"a\"\nrootfs = \"/x\"\ncommand = [\"a\"]\npull = \"never\"",
            ),
            &["6:1 pull has no meaning with a rootfs"],
        ),
        (
            in_container(
                "[[containers.mounts]]\ntarget = \"/a\"\nhost = \"/b\"\ntmpfs = 1\ncontent = \"\"",
            ),
            &[
                r#"9:1 "host" and "tmpfs" cannot stand together (keep one of "volume", "host", "tmpfs", "content" or "file")"#,
            ],
        ),
        (
            in_container("[[containers.mounts]]\ntarget = \"/a\"\nhost = \"/b\"\nsecret = true"),
            &["9:1 secret only has a meaning with content or file"],
        ),
        (
            in_container("[containers.liveness]\nexec = [\"a\"]\ntcp = { port = 1 }"),
            &[
                r#"7:1 "tcp" and "exec" cannot stand together (keep one of "http", "tcp" or "exec")"#,
            ],
        ),
        (
            in_container("capabilities = { add = [\"net_raw\"], drop = [\"CAP_NET_RAW\"] }"),
            &[r#"6:18 capability "NET_RAW" is both added and dropped"#],
        ),
        (
            in_container("ports = [\"80:80\"]"),
            &[r#"6:1 ports cannot be published with network = "none""#],
        ),
        (
            text(
                "name = \"a\"\nnetwork = \"host\"\n[[containers]]\nname = \"a\"\nimage = \"a\"\nports = [\"80:80\"]\nsysctls = { \"net.core.somaxconn\" = \"1\", \"kernel.sem\" = \"1\" }",
            ),
            &[
                r#"6:1 ports cannot be published with network = "host""#,
                r#"7:13 with network = "host" this is the host's own parameter"#,
            ],
        ),
        (
            in_pod("restart = { policy = \"never\", max_retries = 3 }"),
            &[r#"3:31 max_retries has no meaning with policy = "never""#],
        ),
        (
            in_pod("restart = { policy = \"always\", initial = \"2m\" }"),
            &["3:32 max must not be shorter than initial"],
        ),
        (
            in_pod("restart = { policy = \"always\", initial = \"2s\", max = \"1s\" }"),
            &["3:48 max must not be shorter than initial"],
        ),
        (in_pod("depends_on = [\"web\"]"), &["3:1 a pod cannot depend on itself"]),
        (
            text(
                "name = \"a\"\n[[init_containers]]\nname = \"i\"\nimage = \"a\"\nliveness = { exec = [\"a\"] }\n[[containers]]\nname = \"c\"\nimage = \"a\"",
            ),
            &["5:1 an init container has no probes: it runs to its end"],
        ),
        (
            text(
                "name = \"a\"\nlabels = {}\n[[pods]]\nname = \"a\"\n[[pods.containers]]\nname = \"a\"\nimage = \"a\"",
            ),
            &[
                r#"1:1 unknown key "name" (beside [[pods]] there are no other keys: put it into one of them)"#,
                r#"2:1 unknown key "labels" (beside [[pods]] there are no other keys: put it into one of them)"#,
            ],
        ),
    ]);
}

#[test]
fn names_are_unique_where_they_must_be() {
    check(&[
        (
            text(
                "[[pods]]\nname = \"a\"\ncontainers = [{ name = \"a\", image = \"a\" }]\n[[pods]]\nname = \"a\"\ncontainers = [{ name = \"a\", image = \"a\" }]",
            ),
            &[r#"5:8 two pods are named "a" (the first is in line 2)"#],
        ),
        (
            in_container("[[containers]]\nname = \"app\"\nimage = \"a\""),
            &[r#"7:8 two containers are named "app" (the first is in line 4)"#],
        ),
        (
            text(
                "name = \"a\"\n[[init_containers]]\nname = \"c\"\nimage = \"a\"\n[[containers]]\nname = \"c\"\nimage = \"a\"",
            ),
            &[r#"6:8 two containers are named "c" (the first is in line 3)"#],
        ),
        (
            in_container(
                "[[containers.mounts]]\ntarget = \"/a\"\nhost = \"/b\"\n[[containers.mounts]]\ntarget = \"/a/\"\ntmpfs = 1",
            ),
            &[r#"10:10 two mounts have the target "/a" (the first is in line 7)"#],
        ),
        (
            text(
                "name = \"a\"\n[[containers]]\nname = \"a\"\nimage = \"a\"\nports = [\"80:80\"]\n[[containers]]\nname = \"b\"\nimage = \"a\"\nports = [\"70-90:70-90\"]",
            ),
            &[r#"9:10 port "70-90:70-90" and port "80:80" want the same host port"#],
        ),
    ]);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_in_its_place() {
    check(&[(
        in_container("mounts = [{ target = \"/a\", file = \"./missing\" }]"),
        &[r#"6:35 file "./missing" is not there"#],
    )]);
}
