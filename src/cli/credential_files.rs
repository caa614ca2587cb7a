//! Where other programs keep credentials for registries, by their own conventions.

use std::ffi::OsString;
use std::path::PathBuf;

/// The files of podman, skopeo and buildah (containers-auth.json(5)), then docker's, whether they
/// exist or not.
pub fn credential_files() -> Vec<PathBuf> {
    files(&variable)
}

fn files(variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let directory = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = directory("HOME");
    let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let config = directory("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
    let docker = directory("DOCKER_CONFIG").or_else(|| in_home(".docker"));
    let named = [
        directory("REGISTRY_AUTH_FILE"),
        directory("XDG_RUNTIME_DIR").map(|run| run.join("containers/auth.json")),
        config.map(|config| config.join("containers/auth.json")),
        docker.map(|docker| docker.join("config.json")),
    ];
    named.into_iter().flatten().collect()
}

#[expect(clippy::disallowed_methods, reason = "conventions of other programs, not options of tank")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_convention_is_followed() {
        let home = |name: &str| (name == "HOME").then(|| OsString::from("/root"));
        let expected = ["/root/.config/containers/auth.json", "/root/.docker/config.json"];
        assert_eq!(files(&home), expected.map(PathBuf::from));
        let all = |name: &str| Some(OsString::from(format!("/{name}")));
        let expected = [
            "/REGISTRY_AUTH_FILE",
            "/XDG_RUNTIME_DIR/containers/auth.json",
            "/XDG_CONFIG_HOME/containers/auth.json",
            "/DOCKER_CONFIG/config.json",
        ];
        assert_eq!(files(&all), expected.map(PathBuf::from));
        assert_eq!(files(&|_| None), Vec::<PathBuf>::new());
    }
}
