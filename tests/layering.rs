//! The shape of the sources: which layer may use which, where `unsafe`, clap and printing live,
//! how long a file may be, and what modules are not called. The compiler minds none of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot run has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the top down. A layer uses those on later lines, never itself's siblings.
const LEVELS: &[&[&str]] = &[
    &["cli"],
    &["app"],
    &["engine"],
    &["plan", "runtime", "image", "net", "store", "term"],
    &["model"],
    &["sys"],
];

/// Layers that use less than their level allows: [`plan`](tank::plan) is pure, and so are the
/// nouns.
const PURE: &[(&str, &[&str])] = &[("plan", &["model"]), ("model", &[])];

/// The longest a file may be without a reason.
const LONGEST: usize = 400;

/// Files that may be longer, and why.
const LONG: &[(&str, &str)] = &[];

/// Names that say nothing about what is inside.
const DRAWERS: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];

/// Ways to print that do not go through the user interface.
const PRINTING: &[&str] =
    &["println!", "print!", "eprintln!", "eprint!", "dbg!", "io::stdout", "io::stderr"];

/// A source file: its path below `src`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn layer(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap_or_default()
    }

    /// Whether it is the program or its crate root, which stand above all layers.
    fn is_root(&self) -> bool {
        matches!(self.layer(), "main" | "lib")
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// All that is wrong with a file.
fn findings(source: &Source) -> Vec<String> {
    let code = without_tests(&without_comments_and_strings(&source.text));
    let mut findings = Vec::new();
    if source.is_test() {
        return length_of(source).into_iter().collect();
    }
    findings.extend(arrows(source, &code));
    findings.extend(confined(source, &code));
    findings.extend(length_of(source));
    findings.extend(drawers(source, &code));
    findings.into_iter().map(|finding| format!("{}: {finding}", source.path)).collect()
}

fn arrows(source: &Source, code: &str) -> Vec<String> {
    let layer = source.layer();
    let mut findings = Vec::new();
    if source.is_root() {
        return findings;
    }
    if level(layer).is_none() {
        findings.push(format!("{layer} is not a layer of the table"));
        return findings;
    }
    let mut all_used = used_layers(code);
    all_used.extend(climbed_to(source, code));
    for used in all_used {
        if used != layer && !may_use(layer, &used) {
            findings.push(format!("{layer} must not use {used}"));
        }
    }
    findings
}

fn level(layer: &str) -> Option<usize> {
    LEVELS.iter().position(|layers| layers.contains(&layer))
}

fn may_use(layer: &str, used: &str) -> bool {
    match PURE.iter().find(|(pure, _)| *pure == layer) {
        Some((_, allowed)) => allowed.contains(&used),
        None => level(layer) < level(used),
    }
}

/// The layers that a text names from the crate's root: `crate::x`, `tank::x`, `crate::{x, y::z}`.
fn used_layers(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for root in ["crate::", "tank::"] {
        for (start, _) in code.match_indices(root) {
            let joined = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            if code[..start].ends_with(joined) {
                continue;
            }
            let path = &code[start + root.len()..];
            match path.strip_prefix('{') {
                Some(group) => used.extend(group_heads(group)),
                None => used.push(word(path)),
            }
        }
    }
    used.retain(|name| level(name).is_some());
    used.sort();
    used.dedup();
    used
}

/// The layers that a text names by climbing to the crate's root: `super::super::x`.
fn climbed_to(source: &Source, code: &str) -> Vec<String> {
    let module = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
    let climb = "super::".repeat(module.split('/').count());
    code.match_indices(&climb)
        .filter(|(start, _)| !code[..*start].ends_with("super::"))
        .map(|(start, _)| word(&code[start + climb.len()..]))
        .filter(|name| level(name).is_some())
        .collect()
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first names of the paths in a group of imports, up to its closing brace.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = vec![word(group)];
    let mut depth = 0;
    for (index, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(word(&group[index + 1..])),
            _ => {}
        }
    }
    heads
}

fn confined(source: &Source, code: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if source.layer() != "sys" && words(code).any(|word| word == "unsafe") {
        findings.push("unsafe belongs in sys".to_owned());
    }
    if matches!(source.layer(), "cli" | "main") {
        return findings;
    }
    if words(code).any(|word| word == "clap") {
        findings.push("clap belongs in cli".to_owned());
    }
    for way in PRINTING {
        let joined = |c: char| c.is_alphanumeric() || c == '_';
        let printed = code.match_indices(way).any(|(start, _)| !code[..start].ends_with(joined));
        if printed {
            findings.push(format!("{way} belongs in cli"));
        }
    }
    findings
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

fn length_of(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    let excused = LONG.iter().any(|(path, _)| *path == source.path);
    (lines > LONGEST && !excused).then(|| format!("{lines} lines are more than {LONGEST}"))
}

fn drawers(source: &Source, code: &str) -> Vec<String> {
    let in_path = source.path.split(['/', '.']).map(str::to_owned);
    let inline = code.split("mod ").skip(1).map(word);
    in_path
        .chain(inline)
        .filter(|name| DRAWERS.contains(&name.as_str()))
        .map(|name| format!("a module named {name} says nothing of what is inside"))
        .collect()
}

/// The text with comments, strings and character literals blanked; lines stay where they are.
fn without_comments_and_strings(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let length = skipped(&text[at..], code.ends_with(|c: char| c.is_alphanumeric()));
        if length > 0 {
            code.extend(text[at..at + length].chars().map(|c| if c == '\n' { c } else { ' ' }));
            at += length;
        } else {
            let c = text[at..].chars().next().expect("at is inside of the text");
            code.push(c);
            at += c.len_utf8();
        }
    }
    code
}

/// How long the comment, string or character literal is that begins here; 0 if none does.
fn skipped(text: &str, in_word: bool) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return text.find("*/").map_or(text.len(), |end| end + 2);
    }
    if let Some(rest) = text.strip_prefix('r').filter(|_| !in_word) {
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        if rest[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let begin = 1 + hashes + 1;
            return text[begin..].find(&end).map_or(text.len(), |at| begin + at + end.len());
        }
    }
    if text.starts_with('"') {
        return quoted(text, '"');
    }
    // A lifetime has no closing quote after one character.
    let character = text.starts_with('\'')
        && (text[1..].starts_with('\\') || text.chars().nth(2) == Some('\''));
    if character { quoted(text, '\'') } else { 0 }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// The code without the items that only exist for tests.
fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some((before, item)) = rest.split_once("#[cfg(test)]") {
        kept.push_str(before);
        rest = &item[item_length(item)..];
    }
    kept.push_str(rest);
    kept
}

/// Where the item ends that begins here: at its semicolon, or at the end of its block.
fn item_length(item: &str) -> usize {
    let mut depth = 0;
    for (index, c) in item.char_indices() {
        match c {
            ';' if depth == 0 => return index + 1,
            '{' => depth += 1,
            '}' if depth == 1 => return index + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    item.len()
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn the_sources_keep_to_the_layers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&root);
    assert!(files.len() > 20, "the sources were not found");
    let mut all = Vec::new();
    for file in files {
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        all.extend(findings(&Source { path, text: fs::read_to_string(&file).unwrap() }));
    }
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

#[test]
fn every_exception_is_needed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (path, reason) in LONG {
        let lines = fs::read_to_string(root.join(path)).unwrap().lines().count();
        assert!(lines > LONGEST, "{path} has {lines} lines and needs no exception ({reason})");
    }
}

/// What is found in a sample.
fn found(path: &str, text: &str) -> String {
    findings(&Source { path: path.to_owned(), text: text.to_owned() }).join("; ")
}

#[test]
fn arrows_up_and_sideways_are_found() {
    for (path, text, finding) in [
        ("app/list.rs", "use crate::cli::ui;", "app must not use cli"),
        ("store/mod.rs", "use crate::{model, image::Layer};", "store must not use image"),
        ("model/pod.rs", "fn f() { crate::sys::file::sync() }", "model must not use sys"),
        ("plan/mod.rs", "use crate::sys;", "plan must not use sys"),
        ("term/pump.rs", "pub use crate::engine::Pass;", "term must not use engine"),
        ("sys/mod.rs", "use crate::model::Pod;", "sys must not use model"),
        ("store/mod.rs", "use super::image::Layer;", "store must not use image"),
        ("store/db.rs", "use super::super::engine;", "store must not use engine"),
        ("net2/mod.rs", "", "net2 is not a layer"),
    ] {
        assert!(found(path, text).contains(finding), "{path}: {}", found(path, text));
    }
}

#[test]
fn arrows_down_are_fine() {
    for (path, text) in [
        ("app/mod.rs", "use crate::{engine, store::{self, Db}, model::Pod};"),
        ("cli/list.rs", "use crate::cli::ui; use crate::sys::file;"),
        ("plan/mod.rs", "use crate::model::Pod; use crate::plan::step;"),
        ("lib.rs", "pub mod cli; pub use crate::cli::main;"),
        (
            "model/name.rs",
            "//! See [`crate::cli`].\n/* crate::app */ const A: &str = \"crate::app\";",
        ),
        ("engine/mod.rs", "#[cfg(test)]\nmod tests { use crate::cli; }\n"),
    ] {
        assert_eq!(found(path, text), "", "{path}");
    }
}

#[test]
fn unsafe_outside_of_sys_is_found() {
    assert!(found("runtime/init.rs", "fn f() { unsafe { g() } }").contains("unsafe belongs"));
    assert_eq!(found("sys/mount.rs", "fn f() { unsafe { g() } }"), "");
    assert_eq!(found("cli/mod.rs", "#![forbid(unsafe_code)]"), "");
    assert_eq!(found("app/mod.rs", "// unsafe\nconst A: &str = r#\"unsafe \" x\"#;"), "");
}

#[test]
fn clap_and_printing_outside_of_cli_are_found() {
    for text in ["use clap::Args;", "println!(\"x\");", "let e = std::io::stderr();", "dbg!(x)"] {
        assert!(found("engine/run.rs", text).contains("belongs in cli"), "{text}");
        assert_eq!(found("cli/ui.rs", text), "", "{text}");
    }
    assert_eq!(found("engine/run.rs", "fn blueprint!() {} sprintln!()"), "");
}

#[test]
fn long_files_and_drawers_are_found() {
    assert!(found("app/mod.rs", &"\n".repeat(401)).contains("401 lines"));
    assert_eq!(found("app/mod.rs", &"\n".repeat(400)), "");
    assert!(found("app/util.rs", "").contains("named util"));
    assert!(found("app/helpers/x.rs", "").contains("named helpers"));
    assert!(found("app/mod.rs", "mod common { }").contains("named common"));
}

#[test]
fn literals_do_not_hide_code() {
    let text = "fn f<'a>(c: char) { if c == '\"' { } println!(\"\") }";
    assert!(found("app/mod.rs", text).contains("println!"));
    let text = "#[cfg(test)]\nuse x;\nfn f() { println!(\"\") }";
    assert!(found("app/mod.rs", text).contains("println!"));
}
