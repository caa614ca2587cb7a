//! Pods whose program cannot be started: the reason is said and recorded, and others run on.

use super::Healthy;
use crate::container::{pod_file, with_source};

/// Applies a pod `wrong` that cannot start; gives what was said and what was recorded.
#[track_caller]
fn start(healthy: &Healthy, command: &[&str], container: &str) -> (String, serde_json::Value) {
    let pod = pod_file("restart = \"never\"", command, container);
    let pod = pod.replace("name = \"box\"", "name = \"wrong\"");
    let output = healthy.tank.apply(&pod).exits(1);
    let report = healthy.tank.run(["ps", "-o", "json"]).ok().json();
    let containers = report["containers"].as_array().unwrap();
    let wrong = containers.iter().find(|seen| seen["pod"] == "wrong").expect("it is recorded");
    assert_eq!((&wrong["state"], &wrong["reason"]), (&"failed".into(), &"start-failed".into()));
    let wrong = wrong.clone();
    healthy.tank.run(["delete", "wrong"]).ok();
    (output.stderr, wrong)
}

#[test]
fn codes_are_those_of_a_shell() {
    let healthy = Healthy::new();
    for (command, code) in [
        (&["/no/such/program"][..], 127),
        (&["no-such-program"], 127),
        (&["/etc/passwd"], 126),
        (&["/etc"], 126),
        (&["/etc/passwd/x"], 126),
    ] {
        let (said, recorded) = start(&healthy, command, "");
        assert!(said.contains(command[0]), "{said}");
        assert_eq!(recorded["exit_code"], code, "{recorded}");
        assert!(recorded["detail"].as_str().unwrap().contains(command[0]), "{recorded}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let healthy = Healthy::new();
    for (container, part) in [
        ("working_dir = \"/no/such/directory\"", "/no/such/directory"),
        ("working_dir = \"/etc/passwd\"", "/etc/passwd"),
        ("user = \"nobody-here\"", "nobody-here"),
        ("user = \"root:no-such-group\"", "no-such-group"),
        ("devices = [\"/dev/no-such-device\"]", "/dev/no-such-device"),
        ("seccomp = \"/no/such/profile.json\"", "/no/such/profile.json"),
    ] {
        let (said, recorded) = start(&healthy, &["/bin/true"], container);
        assert!(said.contains(part), "no {part} in\n{said}");
        assert!(recorded["exit_code"].is_null(), "{recorded}");
    }
}

#[test]
fn a_missing_image_or_root_changes_nothing_or_is_recorded() {
    let healthy = Healthy::new();
    let pod = with_source("", "image = \"no-such-image:1\"", &["/bin/true"], "pull = \"never\"")
        .replace("name = \"box\"", "name = \"wrong\"");
    let output = healthy.tank.apply(&pod);
    healthy.assert_refused(output, 1, &["no-such-image:1", "not on this machine"]);

    let pod = with_source("", "rootfs = \"/no/such/root\"", &["/bin/true"], "")
        .replace("name = \"box\"", "name = \"wrong\"");
    let output = healthy.tank.apply(&pod).exits(1);
    assert!(output.stderr.contains("/no/such/root"), "{output}");
}
