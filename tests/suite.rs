//! The black-box tests of `tank`: one binary, so that one link serves them all and one file can
//! be carried into the virtual machine of [`vm`].
//!
//! They need root and the programs that `tests/run` installs. A test that cannot run fails.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start programs and prepare files as their users do, and panic when they fail"
)]

mod chaos;
mod container;
mod crash;
mod depends;
mod heal;
mod images;
mod input;
mod logs;
mod mounts;
mod network;
mod probes;
mod pull;
mod remove;
mod roots;
mod sequence;
mod several;
mod stack;
mod state;
mod support;
mod terminals;
mod vm;

/// An area that is not declared above would never be compiled, and its tests never run.
#[test]
fn every_area_is_declared() {
    let tests = support::source("tests");
    let not_areas = ["bench", "pods"];
    for area in std::fs::read_dir(tests).unwrap().map(Result::unwrap) {
        let name = area.file_name().into_string().unwrap();
        if area.file_type().unwrap().is_dir() && !not_areas.contains(&name.as_str()) {
            assert_declared(&name, &support::source("tests/suite.rs"));
            assert_modules_declared(&area.path());
        }
    }
}

/// Asserts that every source beside a `mod.rs` is one of its modules.
fn assert_modules_declared(area: &std::path::Path) {
    for file in std::fs::read_dir(area).unwrap().map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs").filter(|name| *name != "mod") {
            assert_declared(module, &area.join("mod.rs"));
        }
    }
}

fn assert_declared(module: &str, file: &std::path::Path) {
    let declared = std::fs::read_to_string(file).unwrap().lines().any(|line| {
        line.trim_start_matches("pub(crate) ")
            .strip_prefix("mod ")
            .and_then(|l| l.strip_suffix(';'))
            == Some(module)
    });
    assert!(declared, "{} does not declare the module {module}", file.display());
}
