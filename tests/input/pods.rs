//! Pod files that are not valid: exit code 2, before anything is done.

use std::fs;

use super::Healthy;

/// A container that would run.
const CONTAINER: &str =
    "[[containers]]\nname = \"app\"\nrootfs = \"/\"\ncommand = [\"/bin/true\"]\n";

#[test]
fn keys_and_values_are_shown_in_their_place() {
    let healthy = Healthy::new();
    for (file, parts) in [
        (
            "name = \"a\"\nnetwrk = \"none\"\n",
            &["unknown key \"netwrk\"", ":2:1", "did you mean \"network\""][..],
        ),
        ("name = \"a\"\nstop_timeout = 3\n", &["stop_timeout", "expected a string", ":2:16"]),
        ("name = \"../x\"\n", &["../x", ":1:8"]),
        ("name = \"A\"\n", &["\"A\"", ":1:8"]),
        ("name = \"a\"\nname = \"b\"\n", &["name", ":2:1"]),
        ("name = \"a\"\nnetwork = [\n", &[":2:"]),
        ("name = \"a\"\nhostname = \"a\\u0000b\"\n", &["hostname", ":2:"]),
        ("name = \"a\"\ndns = [\"1.1.1.1\\n\"]\n", &["1.1.1.1\\n", ":2:8"]),
        ("name = \"a\"\nnetwork = \"none\"\nisolated = true\n", &["isolated", ":3:1"]),
    ] {
        let output = healthy.tank.apply(&format!("{file}{CONTAINER}"));
        healthy.assert_refused(output, 2, parts);
    }
}

#[test]
fn ports_of_the_ipv6_loopback_are_refused_with_another_way() {
    let healthy = Healthy::new();
    let output =
        healthy.tank.apply(&format!("name = \"a\"\n{CONTAINER}ports = [\"[::1]:80:80\"]\n"));
    healthy.assert_refused(output, 2, &["[::1]:80:80", "publish on 127.0.0.1", ":6:10"]);
}

#[test]
fn all_errors_of_a_file_are_shown_at_once() {
    let healthy = Healthy::new();
    let file = format!("name = \"../x\"\nnetwrk = 1\nrestart = \"sometimes\"\n{CONTAINER}");
    let output = healthy.tank.apply(&file);
    let parts = ["../x", "netwrk", "sometimes", "3 errors", "nothing was applied"];
    healthy.assert_refused(output, 2, &parts);
}

#[test]
fn two_pods_of_one_name_are_both_shown() {
    let healthy = Healthy::new();
    let pod = "[[pods]]\nname = \"a\"\nnetwork = \"none\"\n\
               [[pods.containers]]\nname = \"app\"\nrootfs = \"/\"\ncommand = [\"/bin/true\"]\n";
    let output = healthy.tank.apply(&pod.repeat(2));
    healthy.assert_refused(output, 2, &["two pods are named \"a\"", "line 2"]);
}

#[test]
fn files_that_are_no_pod_files_are_refused() {
    let healthy = Healthy::new();
    let apply = |file: &std::path::Path| healthy.tank.run(["apply", "-f", file.to_str().unwrap()]);
    let before = healthy.tank.dir().to_owned();

    let empty = healthy.tank.file("empty.toml", "");
    healthy.assert_refused(apply(&empty), 2, &["the file has no pod"]);
    let binary = healthy.tank.file("binary.toml", [0xff, 0xfe, 0, 1]);
    healthy.assert_refused(apply(&binary), 2, &["binary.toml"]);
    healthy.assert_refused(
        apply(&before.join("missing.toml")),
        2,
        &["missing.toml", "No such file"],
    );
    let nested = format!("a = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    let nested = healthy.tank.file("nested.toml", nested);
    healthy.assert_refused(apply(&nested), 2, &["nested.toml"]);
    let huge = healthy.tank.file("huge.toml", "");
    fs::File::options().write(true).open(&huge).unwrap().set_len(100 << 20).unwrap();
    healthy.assert_refused(apply(&huge), 2, &["huge.toml", "larger than 1 MiB"]);
    healthy.assert_refused(apply("/dev/zero".as_ref()), 2, &["/dev/zero"]);
}

#[test]
fn one_bad_file_of_a_directory_keeps_all_from_being_applied() {
    let healthy = Healthy::new();
    let dir = healthy.tank.dir().join("pods");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("good.toml"), format!("name = \"good\"\nnetwork = \"none\"\n{CONTAINER}"))
        .unwrap();
    fs::write(dir.join("bad.toml"), format!("name = \"bad\"\nnetwrk = \"none\"\n{CONTAINER}"))
        .unwrap();
    let output = healthy.tank.run(["apply", "-f", dir.to_str().unwrap()]);
    healthy.assert_refused(output, 2, &["bad.toml:2:1", "netwrk", "nothing was applied"]);
}

#[test]
fn names_on_the_command_line_are_checked() {
    let healthy = Healthy::new();
    for name in ["../x", "A", "", "a/b/c"] {
        let output = healthy.tank.run(["delete", name]);
        healthy.assert_refused(output, 2, &[]);
    }
    let output = healthy.tank.run(["delete", "nobody"]);
    healthy.assert_refused(output, 3, &["nobody"]);
}
