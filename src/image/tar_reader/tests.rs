use std::io::Cursor;

use super::*;

impl Skip for Cursor<Vec<u8>> {}

fn header(kind: u8, path: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_path(path).unwrap();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_cksum();
    header
}

fn archive(parts: &[(tar::Header, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (header, data) in parts {
        bytes.extend(header.as_bytes());
        bytes.extend(*data);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    }
    bytes
}

fn pax(text: &str) -> (tar::Header, &[u8]) {
    (header(b'x', "pax", text.len() as u64), text.as_bytes())
}

fn paths(bytes: Vec<u8>) -> Result<Vec<String>, Fault> {
    let mut reader = Reader::new(Cursor::new(bytes));
    let mut paths = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        paths.push(String::from_utf8_lossy(&entry.path).into_owned());
    }
    Ok(paths)
}

#[test]
fn an_archive_may_end_with_any_number_of_zero_blocks() {
    for blocks in [0, 1, 2, 20] {
        let mut bytes = archive(&[(header(b'0', "a", 3), b"abc")]);
        bytes.resize(bytes.len() + blocks * BLOCK, 0);
        assert_eq!(paths(bytes).unwrap(), ["a"]);
    }
}

#[test]
fn a_cut_archive_is_truncated_wherever_it_is_cut() {
    let record = "9 path=b\n";
    let bytes = archive(&[
        (header(b'0', "a", 600), &[1; 600]),
        pax(record),
        (header(b'0', "b", 3), b"abc"),
    ]);
    // After the data of an entry nothing is missing but zeros, which some writers leave out.
    let (first, second) = (BLOCK + 600, 6 * BLOCK + 3);
    for length in 1..bytes.len() {
        let cut = paths(bytes[..length].to_vec());
        match length {
            _ if (first..=3 * BLOCK).contains(&length) => assert_eq!(cut.unwrap(), ["a"]),
            _ if length >= second => assert_eq!(cut.unwrap(), ["a", "b"]),
            _ => assert!(matches!(cut, Err(Fault::Truncated)), "{length}: {cut:?}"),
        }
    }
}

#[test]
fn what_readers_could_understand_differently_is_refused() {
    let hidden = archive(&[(header(b'0', "hidden", 0), b"")]);
    let long = |kind| (header(kind, "long", 2), &b"a\0"[..]);
    let file = || (header(b'0', "a", 0), &b""[..]);
    for (what, bytes) in [
        ("size desync", archive(&[pax("12 size=512\n"), file(), (header(b'0', "b", 0), &hidden)])),
        ("size desync to zero", archive(&[pax("10 size=0\n"), (header(b'0', "a", 512), &hidden)])),
        ("two PAX headers", archive(&[pax("9 path=b\n"), pax("9 path=c\n"), file()])),
        ("two long names", archive(&[long(b'L'), long(b'L'), file()])),
        ("GNU and PAX name", archive(&[long(b'L'), pax("9 path=b\n"), file()])),
        ("global path", archive(&[(header(b'g', "g", 9), b"9 path=b\n"), file()])),
        ("data of a link", archive(&[(header(b'2', "l", 512), &hidden)])),
        ("data of a directory", archive(&[(header(b'5', "d", 512), &hidden)])),
        ("file that looks like a directory", archive(&[(header(b'0', "d/", 0), b"")])),
        ("unknown type", archive(&[(header(b'V', "volume", 0), b"")])),
        ("lone zero block", [vec![0; BLOCK], archive(&[file()])].concat()),
        ("garbage after the end", [archive(&[file()]), vec![0; 2 * BLOCK], vec![1]].concat()),
    ] {
        assert!(matches!(paths(bytes), Err(Fault::Malformed(_))), "{what}");
    }
    let mut damaged = archive(&[file()]);
    damaged[0] = b'b';
    assert!(matches!(paths(damaged), Err(Fault::Malformed(_))));
}

#[test]
fn comments_of_git_archive_are_fine() {
    let global = (header(b'g', "pax_global_header", 13), &b"13 comment=a\n"[..]);
    assert_eq!(paths(archive(&[global, (header(b'0', "a", 0), b"")])).unwrap(), ["a"]);
}

#[test]
fn extensions_are_bounded() {
    let bytes = archive(&[(header(b'x', "pax", limits::EXTENSION_BYTES + 1), b"")]);
    assert!(matches!(paths(bytes), Err(Fault::TooLarge(..))));
}

#[test]
fn gnu_long_names_replace_the_short_ones() {
    let name = "n".repeat(300);
    let long = format!("{name}\0");
    let bytes = archive(&[
        (header(b'L', "././@LongLink", 301), long.as_bytes()),
        (header(b'0', "short", 0), b""),
    ]);
    assert_eq!(paths(bytes).unwrap(), [name]);
}
