//! The committed completions and manual pages are what the parser's definitions generate.
//! `TANK_UPDATE=1 cargo nextest run --test generated` rewrites them.

#![expect(clippy::unwrap_used, reason = "a test that cannot run has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap_complete::Shell;
use tank::cli::generate;

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn committed(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "the working tree is the developer's own")]
fn check(name: &str, generated: BTreeMap<String, Vec<u8>>) {
    let directory = directory(name);
    if std::env::var_os("TANK_UPDATE").is_some() {
        for stale in committed(&directory).keys().filter(|name| !generated.contains_key(*name)) {
            fs::remove_file(directory.join(stale)).unwrap();
        }
        for (name, content) in &generated {
            fs::write(directory.join(name), content).unwrap();
        }
    }
    let committed = committed(&directory);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&generated), "{name}/ has other files");
    for (file, content) in &generated {
        assert!(committed[file] == *content, "{name}/{file} is stale: run with TANK_UPDATE=1");
    }
}

#[test]
fn completions_are_up_to_date() {
    let shells = [("tank.bash", Shell::Bash), ("_tank", Shell::Zsh), ("tank.fish", Shell::Fish)];
    let generated = shells
        .into_iter()
        .map(|(name, shell)| (name.to_owned(), generate::completions(shell)))
        .collect();
    check("completions", generated);
}

#[test]
fn manual_pages_are_up_to_date() {
    check("man", generate::man_pages().unwrap().into_iter().collect());
}
