//! Who tank says it is, and to whom.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{assert_failed, assert_nothing_visible, assert_pulled, pull, tank};
use crate::support::program::Output;
use crate::support::registry::{Access, PASSWORD, Registry, USER};
use crate::support::{Tank, fixtures};

/// A registry that asks for a password, a tank that knows of it, and the name of an image in it.
fn scene() -> (Registry, Tank, String) {
    let registry = Registry::new(Access::Password);
    let tank = tank(&format!("{}[images]\nretries = 1\n", registry.settings()));
    let name = registry.push(&fixtures::buildah_layout(), "private/built:1", &[]);
    (registry, tank, name)
}

#[track_caller]
fn login(tank: &Tank, host: &str, password: &str) -> Output {
    let mut command = tank.command(["login", "--username", USER, "--password-stdin", host]);
    tank.run_with(&mut command, password.as_bytes())
}

/// The directory that tank is told is the user's.
fn home(tank: &Tank) -> PathBuf {
    let home = tank.dir().join("home");
    fs::create_dir_all(&home).unwrap();
    home
}

#[track_caller]
fn pull_at_home(tank: &Tank, name: &str) -> Output {
    let mut command = tank.command(["image", "pull", name]);
    command.env("HOME", home(tank)).env("PATH", format!("{}:/usr/bin:/bin", tank.dir().display()));
    tank.run_with(&mut command, &[])
}

/// Writes a file of credentials, as `podman login` does.
fn write_auth(registry: &Registry, file: &Path, password: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let account = format!("{USER}:{password}");
    let code = base64(account.as_bytes());
    let told = serde_json::json!({ "auths": { registry.host(): { "auth": code } } });
    fs::write(file, told.to_string()).unwrap();
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(char::from(DIGITS[bits >> (18 - 6 * digit) & 63]));
        }
    }
    text.push_str(["", "==", "="][bytes.len() % 3]);
    text
}

#[test]
fn login_is_kept_for_root_alone_and_logout_forgets_it() {
    let (registry, tank, name) = scene();
    let _ = login(&tank, registry.host(), PASSWORD).ok();
    let file = tank.root().join("auth.json");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);

    tank.run(["logout", registry.host()]).ok();
    assert!(!fs::read_to_string(&file).unwrap_or_default().contains(registry.host()));
    tank.run(["image", "rm", &name]).ok();
    assert_failed(&pull(&tank, &name).exits(1), &[registry.host(), "401", "no credentials"]);
}

#[test]
fn login_with_a_wrong_password_keeps_nothing() {
    let (registry, tank, _) = scene();
    let output = login(&tank, registry.host(), "wrong").exits(1);
    assert_failed(&output, &[registry.host(), "401"]);
    let kept = fs::read_to_string(tank.root().join("auth.json")).unwrap_or_default();
    assert!(!kept.contains(registry.host()), "{kept}");
    assert!(!output.stderr.contains("wrong\n"), "{output}");
}

#[test]
fn login_takes_a_password_with_the_line_end_that_echo_adds() {
    let (registry, tank, _) = scene();
    let _ = login(&tank, registry.host(), &format!("{PASSWORD}\n")).ok();
}

#[test]
fn logout_where_nobody_logged_in_is_told() {
    let tank = tank("");
    let output = tank.run(["logout", "registry.example"]);
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{output}");
    assert!(format!("{output}").contains("registry.example"), "{output}");
}

#[test]
fn wrong_password_names_the_file_and_what_the_registry_said() {
    let (registry, tank, name) = scene();
    let file = home(&tank).join(".docker/config.json");
    write_auth(&registry, &file, "wrong");
    let output = pull_at_home(&tank, &name).exits(1);
    let file = file.display().to_string();
    assert_failed(&output, &[&file, registry.host(), "401", "authentication required"]);
    assert!(!output.stderr.contains(&base64(format!("{USER}:wrong").as_bytes())), "{output}");
    assert_nothing_visible(&tank);
}

#[test]
fn file_of_docker_is_used() {
    let (registry, tank, name) = scene();
    write_auth(&registry, &home(&tank).join(".docker/config.json"), PASSWORD);
    let _ = pull_at_home(&tank, &name).ok();
    assert_pulled(&tank, &name);
}

#[test]
fn file_that_podman_shares_is_used() {
    let (registry, tank, name) = scene();
    let file = home(&tank).join(".config/containers/auth.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let file = file.display().to_string();
    let options = ["login", "--tls-verify=false", "--authfile", &file, "-u", USER, "-p", PASSWORD];
    let _ = fixtures::tool("skopeo", "skopeo", &[&options[..], &[registry.host()]].concat());
    let _ = pull_at_home(&tank, &name).ok();
    assert_pulled(&tank, &name);
}

#[test]
fn own_file_is_asked_before_podmans_and_that_before_dockers() {
    let (registry, tank, name) = scene();
    write_auth(&registry, &home(&tank).join(".docker/config.json"), "wrong");
    write_auth(&registry, &home(&tank).join(".config/containers/auth.json"), PASSWORD);
    let _ = pull_at_home(&tank, &name).ok();
    tank.run(["image", "rm", &name]).ok();
    write_auth(&registry, &home(&tank).join(".config/containers/auth.json"), "wrong");
    let _ = login(&tank, registry.host(), PASSWORD).ok();
    let _ = pull_at_home(&tank, &name).ok();
    assert_pulled(&tank, &name);
}

#[test]
fn credential_helper_is_asked() {
    let (registry, tank, name) = scene();
    let answer = serde_json::json!({
        "ServerURL": registry.host(), "Username": USER, "Secret": PASSWORD,
    });
    let helper = tank.file(
        "docker-credential-tests",
        format!("#!/bin/sh\n[ \"$1\" = get ] && cat >/dev/null && echo '{answer}'\n"),
    );
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let config = serde_json::json!({ "credHelpers": { registry.host(): "tests" } });
    fs::create_dir_all(home(&tank).join(".docker")).unwrap();
    fs::write(home(&tank).join(".docker/config.json"), config.to_string()).unwrap();
    let _ = pull_at_home(&tank, &name).ok();
    assert_pulled(&tank, &name);
}

#[test]
fn credentials_for_another_registry_are_not_used() {
    let (registry, tank, name) = scene();
    let other = Registry::new(Access::Password);
    write_auth(&other, &home(&tank).join(".docker/config.json"), PASSWORD);
    let output = pull_at_home(&tank, &name).exits(1);
    assert_failed(&output, &[registry.host(), "no credentials"]);
}
