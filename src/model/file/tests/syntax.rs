//! Files that are not TOML, or have no pod, or are too large.

use super::{check, errors, in_container, in_pod, text};
use crate::model::file::MAX_BYTES;
use crate::model::strategy::parse;

#[test]
fn a_file_without_a_pod_is_an_error() {
    check(&[
        (
            text(""),
            &["1:1 the file has no pod (a pod has at least a name and one of [[containers]])"],
        ),
        (
            text("# nothing\n"),
            &["1:1 the file has no pod (a pod has at least a name and one of [[containers]])"],
        ),
        (text("pods = []"), &["1:1 pods has no entries, at least one is needed"]),
        (
            text("pods = 1"),
            &["1:8 pods: expected an array of tables, found an integer (for example: [[pods]])"],
        ),
        (
            text("[[pod]]\nname = \"a\""),
            &[
                r#"1:1 a pod has no key "name" (add: name = "web")"#,
                r#"1:1 a pod has no key "containers" (add: [[containers]])"#,
                r#"1:3 unknown key "pod" (did you mean "pods", a key of a file of several pods?)"#,
            ],
        ),
    ]);
}

/// Lines that are not TOML do not lead to further errors; the others are still looked at.
#[test]
fn what_is_not_toml_is_reported_with_its_place() {
    check(&[
        (
            text("name = web\nimage = 1\n"),
            &[
                "1:8 string values must be quoted, expected literal string",
                r#"2:1 unknown key "image" ("image" is a key of a container)"#,
            ],
        ),
        (
            text("name: web\ncontainers:\n  - name: x\n"),
            &[
                "1:5 invalid unquoted key, expected letters, numbers, `-`, `_`",
                "1:7 key with no value, expected `=`",
                "2:12 key with no value, expected `=`",
                "3:5 key with no value, expected `=`",
            ],
        ),
        (
            text("name = \"web\nlabels = []\n"),
            &[
                r#"1:12 invalid basic string, expected `"`"#,
                r#"2:10 labels: expected a table, found an array (for example: labels = { tier = "front" })"#,
            ],
        ),
        (in_pod("name = \"x\""), &["3:1 duplicate key"]),
        (in_container("image = \"busybox\""), &["6:1 duplicate key"]),
        (
            text("a = 1\rb = 2"),
            &["1:7 carriage return must be followed by newline, expected newline"],
        ),
        (
            text("name = \"\u{0}\""),
            &[r#"1:9 invalid basic string, expected non-double-quote visible characters, `\`"#],
        ),
        (text("[[containers]\nname = \"a\""), &["1:14 unclosed array table, expected `]`"]),
    ]);
}
#[test]
fn deep_and_long_files_are_refused_without_harm() {
    let closed = format!("a = {}{}", "[".repeat(10_000), "]".repeat(10_000));
    let open = format!("a = {}", "[{a=".repeat(200_000));
    let dotted = format!("{}a = 1", "a.".repeat(400_000));
    let header = format!("[{}a]", "a.".repeat(400_000));
    let quoted = format!("a = {}", "[\"]\",".repeat(100_000));
    for source in [closed, open, dotted, header, quoted] {
        assert!(source.len() <= MAX_BYTES);
        assert!(errors(&source)[0].contains("recurs"), "{:?}", errors(&source));
    }
    let headers = errors(&"[a\n".repeat(300_000));
    assert_eq!(headers[100], "300001:1 299900 more errors are not shown");
    let keys: String = (0..60_000).map(|n| format!("comand{n} = 1\n")).collect();
    assert_eq!(errors(&keys).len(), 101);
    let long = "#".repeat(MAX_BYTES + 1);
    assert_eq!(errors(&long), ["1:1 the file is longer than 1048576 bytes"]);
    assert_eq!(errors(&"#".repeat(MAX_BYTES)).len(), 1);
}

#[test]
fn counts_have_limits() {
    let pods = "[[pods]]\nname = \"a\"\n".repeat(1001);
    let list = format!("args = [{}]", "\"a\",".repeat(1001));
    let containers = "[[containers]]\nname = \"a\"\n".repeat(100);
    for (source, message) in [
        (pods, "pods has 1001 entries, at most 1000 are allowed"),
        (in_container(&list), "args has 1001 entries, at most 1000 are allowed"),
        (in_container(&containers), "containers has 101 entries, at most 100 are allowed"),
    ] {
        let errors = errors(&source);
        assert!(errors.iter().any(|error| error.contains(message)), "{errors:?}");
        assert!(errors.len() <= 101);
    }
}

#[test]
fn many_errors_are_counted_but_not_all_shown() {
    let source: String = (0..150).map(|n| format!("x{n} = 1\n")).collect();
    let errors = errors(&source);
    assert_eq!(errors.len(), 101);
    assert_eq!(errors[100], "151:1 52 more errors are not shown");
}

#[test]
fn places_are_those_of_the_text_also_with_a_mark_and_windows_lines() {
    let source = "\u{feff}name = \"wéb\"\r\nlabels = { \"é\" = 1 }\r\nnetwork = \"none\"\r\n";
    let found = parse(source).expect_err("names are ASCII");
    let marked: Vec<&str> = found.iter().map(|error| &source[error.span.clone()]).collect();
    assert_eq!(marked, ["", "\"wéb\"", "1"]);
    let [_, name, label] = errors(source).try_into().unwrap();
    assert!(label.starts_with("2:18 labels: expected a string"), "{label}");
    assert!(name.starts_with("1:8 pod name \"wéb\""), "{name}");
}
