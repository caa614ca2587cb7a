use super::*;

fn log(max_size: u64) -> (tempfile::TempDir, Log) {
    let tmp = tempfile::tempdir().unwrap();
    let place = LogFile { path: tmp.path().join("1.log"), max_size, max_files: 3 };
    let log = Log::open(place, tmp.path().join("launch.json"));
    (tmp, log)
}

fn time() -> Timestamp {
    "2026-01-02T03:04:05.000000006Z".parse().unwrap()
}

fn names(directory: &tempfile::TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(directory.path()).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn read(directory: &tempfile::TempDir, name: &str) -> String {
    std::fs::read_to_string(directory.path().join(name)).unwrap()
}

#[test]
fn lines_are_entries() {
    let (tmp, mut log) = log(1000);
    log.append(Stream::Stdout, b"one\ntw", time());
    log.append(Stream::Stderr, b"o\n", time());
    let stamp = "2026-01-02T03:04:05.000000006Z";
    let expected = format!("{stamp} stdout F one\n{stamp} stdout P tw\n{stamp} stderr F o\n");
    assert_eq!(read(&tmp, "1.log"), expected);
}

#[test]
fn rotation_keeps_order_number_and_size() {
    let (tmp, mut log) = log(100);
    let output: String = (0..20).map(|number| format!("line {number}\n")).collect();
    log.append(Stream::Stdout, output.as_bytes(), time());
    assert_eq!(names(&tmp), ["1.log", "1.log.000008", "1.log.000009"]);
    let all = read(&tmp, "1.log.000008") + &read(&tmp, "1.log.000009") + &read(&tmp, "1.log");
    let numbers: Vec<u32> =
        all.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, [14, 15, 16, 17, 18, 19]);
    assert!(read(&tmp, "1.log.000009").len() <= 100);
}

#[test]
fn numbers_go_on_where_the_files_end() {
    let (tmp, mut log) = log(100);
    let output = b"some line\n".repeat(6);
    log.append(Stream::Stdout, &output, time());
    let mut again = Log::open(log.place.clone(), log.launch.clone());
    again.append(Stream::Stdout, &output, time());
    assert_eq!(names(&tmp), ["1.log", "1.log.000004", "1.log.000005"]);
}

#[test]
fn limits_are_those_of_the_description_at_the_time() {
    let (tmp, mut log) = log(100);
    let told = LogFile { max_size: 400, max_files: 2, ..log.place.clone() };
    let launch = serde_json::json!({ "version": 1, "log": told, "unknown": null });
    std::fs::File::create_new(&log.launch)
        .unwrap()
        .write_all(launch.to_string().as_bytes())
        .unwrap();
    log.append(Stream::Stdout, &b"some line\n".repeat(8), time());
    assert_eq!(names(&tmp), ["1.log", "launch.json"]);
    log.append(Stream::Stdout, &b"some line\n".repeat(16), time());
    assert_eq!(names(&tmp), ["1.log", "1.log.000002", "launch.json"]);
}

#[test]
fn all_but_the_newest_complete_file_are_compressed() {
    let (tmp, mut log) = log(100);
    log.append(Stream::Stdout, b"some line\n", time());
    assert!(!log.has_backlog());
    for _ in 0..3 {
        log.append(Stream::Stdout, &b"some line\n".repeat(2), time());
    }
    let mut slices = 0;
    while log.has_backlog() {
        log.compress();
        slices += 1;
    }
    assert_eq!(names(&tmp), ["1.log", "1.log.000002.gz", "1.log.000003"]);
    assert!(slices > 2);
    // The file that is being compressed may be one of those that go.
    log.append(Stream::Stdout, &b"some line\n".repeat(2), time());
    log.compress();
    log.append(Stream::Stdout, &b"some line\n".repeat(4), time());
    assert_eq!(names(&tmp), ["1.log", "1.log.000005", "1.log.000006"]);
}

#[test]
fn what_a_full_disk_swallows_is_counted() {
    let place = LogFile { path: "/dev/full".into(), max_size: 1000, max_files: 3 };
    let mut log = Log::open(place, PathBuf::new());
    log.append(Stream::Stdout, b"lost\n", time());
    log.append(Stream::Stdout, b"los", time());
    assert_eq!(log.lost, 8);
    let tmp = tempfile::tempdir().unwrap();
    log.place.path = tmp.path().join("1.log");
    log.reopen();
    log.append(Stream::Stdout, b"kept\n", time());
    let text = read(&tmp, "1.log");
    assert!(text.contains("stderr F tank: 8 bytes of output were lost"), "{text}");
    assert!(text.ends_with("stdout F kept\n"), "{text}");
}

#[test]
fn a_line_that_a_full_disk_cut_ends_before_the_mark() {
    let (tmp, mut log) = log(1000);
    log.append(Stream::Stdout, b"begin", time());
    let path = std::mem::replace(&mut log.place.path, "/dev/full".into());
    log.reopen();
    log.append(Stream::Stdout, b" middle\n", time());
    log.place.path = path;
    log.reopen();
    log.close(time());
    let text = read(&tmp, "1.log");
    let ends: Vec<_> = text.lines().map(|line| &line[31..]).collect();
    let mark = "stderr F tank: 8 bytes of output were lost: the log could not be written";
    assert_eq!(ends, ["stdout P begin", "stdout F ", mark]);
}
