//! Pod files on their way in: found, read within bounds, parsed, and complained about.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::diagnostics::{self, Source};
use super::failure::{FILES_HINT, Failure};
use super::people;
use super::ui::Ui;
use crate::app::{HostFiles, Stated};
use crate::model::file::{self, Diagnostic, Files, NamedFile, PodFile};
use crate::model::pod::HostFile;
use crate::model::{Digest, Pod};

/// The longest pod file, in bytes.
const LIMIT: u64 = 1 << 20;

/// What pod files are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// What they say is to come true.
    Apply,
    /// The names of their pods: the files need not be there whose content they ask for.
    Name,
}

/// What pod files say.
#[derive(Debug, Default)]
pub struct Pods {
    /// The pods of the valid files, and what is in the files that they name.
    pub stated: Stated,
    /// The files that are not valid, and how many errors they have.
    invalid: Vec<(String, usize)>,
}

impl Pods {
    /// Nothing but valid files, or a failure that says what follows from it.
    pub fn all_valid(self, consequence: &str) -> Result<Stated, Failure> {
        match self.failure(consequence) {
            None => Ok(self.stated),
            Some(failure) => Err(failure),
        }
    }

    /// The failure that sums up the errors that were shown, if there were any.
    pub fn failure(&self, consequence: &str) -> Option<Failure> {
        let errors: usize = self.invalid.iter().map(|(_, errors)| errors).sum();
        if errors == 0 {
            return None;
        }
        let errors = people::count(errors, "error");
        let place = match self.invalid.as_slice() {
            [(name, _)] => name.clone(),
            files => format!("{} files", files.len()),
        };
        Some(Failure::PodFiles { summary: format!("{errors} in {place}; {consequence}") })
    }

    fn complain(&mut self, ui: &mut Ui, source: &Source, findings: &[Diagnostic]) {
        let (color, width) = (ui.err.color(), ui.err.width());
        let shown = diagnostics::render(source, findings, color, width);
        // Where nobody reads the findings, the exit code still says that there are some.
        drop(ui.err.generated(shown.as_bytes()));
        self.invalid.push((source.name.clone(), findings.len()));
    }
}

/// Reads and parses pod files; what is wrong with them is shown at once.
pub fn load(ui: &mut Ui, paths: &[PathBuf], purpose: Purpose) -> Result<Pods, Failure> {
    let mut loaded = Pods::default();
    let mut valid = Vec::new();
    for path in paths {
        for bytes in read(path)? {
            let files = HostFiles::of(bytes.directory.clone());
            match parse(bytes, &files, purpose) {
                (source, Ok(file)) => {
                    loaded.stated.contents.extend(files.into_contents());
                    valid.push((source, file));
                }
                (source, Err(findings)) => loaded.complain(ui, &source, &findings),
            }
        }
    }
    while let Err(mut findings) = merge(&valid).map(|pods| loaded.stated.pods = pods) {
        let index = findings[0].0;
        findings.retain(|(other, _)| *other == index);
        let findings: Vec<_> = findings.into_iter().map(|(_, finding)| finding).collect();
        let (source, _) = valid.remove(index);
        loaded.complain(ui, &source, &findings);
    }
    Ok(loaded)
}

/// The pods of all files, or those whose name comes twice, by the index of their file.
fn merge(files: &[(Source, PodFile)]) -> Result<Vec<Pod>, Vec<(usize, Diagnostic)>> {
    let named: Vec<_> = files
        .iter()
        .map(|(source, file)| NamedFile { name: &source.name, source: &source.text, file })
        .collect();
    file::merge(&named)
}

/// A file's name and content, and the directory that it is in.
struct Bytes {
    name: String,
    directory: PathBuf,
    content: Vec<u8>,
}

/// Stands for the files that a pod file names where nobody asks what is in them.
struct AnyFile;

impl Files for AnyFile {
    fn look(&self, path: &Path) -> Result<HostFile, String> {
        let (path, content) = (path.to_owned(), Digest::from_sha256([0; 32]));
        Ok(HostFile { path, content, executable: false })
    }
}

fn read(path: &Path) -> Result<Vec<Bytes>, Failure> {
    if path == Path::new("-") {
        return Ok(vec![read_bounded("standard input", Path::new("."), io::stdin().lock())?]);
    }
    let name = path.display().to_string();
    let unreadable = |source| Failure::Unreadable { name: name.clone(), source };
    if !path.is_dir() {
        let file = File::open(path).map_err(unreadable)?;
        let directory = path.parent().unwrap_or(Path::new("/"));
        return Ok(vec![read_bounded(&name, directory, file)?]);
    }
    let mut files = Vec::new();
    for entry in path.read_dir().map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if !hidden && file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(Failure::usage(format!("directory {name} has no *.toml file"), FILES_HINT));
    }
    files.sort();
    files
        .iter()
        .map(|file| {
            let name = file.display().to_string();
            let opened = File::open(file)
                .map_err(|source| Failure::Unreadable { name: name.clone(), source })?;
            read_bounded(&name, path, opened)
        })
        .collect()
}

fn read_bounded(name: &str, directory: &Path, source: impl Read) -> Result<Bytes, Failure> {
    let unreadable = |source| Failure::Unreadable { name: name.to_owned(), source };
    let mut content = Vec::new();
    source.take(LIMIT + 1).read_to_end(&mut content).map_err(unreadable)?;
    // A file that is named without a directory has an empty one.
    let directory = Path::new(".").join(directory);
    let directory = std::path::absolute(directory).map_err(unreadable)?;
    if content.len() as u64 > LIMIT {
        return Err(Failure::usage(
            format!("{name} is larger than 1 MiB"),
            "a pod file is small: mount large content from a file or a directory instead",
        ));
    }
    Ok(Bytes { name: name.to_owned(), directory, content })
}

fn parse(
    bytes: Bytes,
    files: &HostFiles,
    purpose: Purpose,
) -> (Source, Result<PodFile, Vec<Diagnostic>>) {
    let text = match String::from_utf8(bytes.content) {
        Ok(text) => text,
        Err(e) => {
            let place = e.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(e.as_bytes()).into_owned();
            return (Source { name: bytes.name, text }, Err(vec![Diagnostic::not_utf8(place)]));
        }
    };
    let files: &dyn Files = match purpose {
        Purpose::Apply => files,
        Purpose::Name => &AnyFile,
    };
    let parsed = file::parse(&text, files);
    (Source { name: bytes.name, text }, parsed)
}

#[cfg(test)]
mod tests {
    use super::super::ui::{Verbosity, testing};
    use super::*;

    fn write(path: &Path, content: &[u8]) {
        crate::sys::file::replace(path, content, 0o600, crate::sys::file::Durability::Volatile)
            .unwrap();
    }

    #[test]
    fn what_is_not_utf8_is_shown_in_its_place() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("web.toml");
        write(&path, b"name = \"w\xffb\"\n");
        let (mut ui, _, err) = testing::ui(Verbosity::Normal);
        let loaded = load(&mut ui, &[path], Purpose::Apply).unwrap();
        let failure = loaded.all_valid("nothing was applied").unwrap_err();
        assert!(failure.to_string().ends_with("web.toml; nothing was applied"), "{failure}");
        assert!(failure.to_string().starts_with("1 error in "), "{failure}");
        assert_eq!(failure.exit_code(), 2);
        ui.err.flush().unwrap();
        assert!(err.text().contains("web.toml:1:10"), "{}", err.text());
    }

    #[test]
    fn a_pod_that_comes_twice_is_an_error_of_the_second_file() {
        let tmp = tempfile::tempdir().unwrap();
        for (file, pod) in [("1.toml", "web"), ("2.toml", "web"), ("3.toml", "db")] {
            let text = format!(
                "name = \"{pod}\"\nnetwork = \"none\"\n\
                 [[containers]]\nname = \"app\"\nrootfs = \"/\"\n\
                 command = [\"/bin/sh\"]\n"
            );
            write(&tmp.path().join(file), text.as_bytes());
        }
        let (mut ui, _, err) = testing::ui(Verbosity::Normal);
        let loaded = load(&mut ui, &[tmp.path().to_owned()], Purpose::Apply).unwrap();
        let names: Vec<_> = loaded.stated.pods.iter().map(|pod| pod.name.as_str()).collect();
        assert_eq!(names, ["web", "db"]);
        ui.err.flush().unwrap();
        assert!(err.text().contains("2.toml:1:"), "{}", err.text());
        let summary = loaded.all_valid("nothing was applied").unwrap_err().to_string();
        assert!(summary.ends_with("2.toml; nothing was applied"), "{summary}");
    }

    #[test]
    fn a_large_file_is_refused() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("web.toml");
        write(&path, &vec![b'#'; (1 << 20) + 1]);
        let (mut ui, ..) = testing::ui(Verbosity::Normal);
        let failure = load(&mut ui, &[path], Purpose::Apply).unwrap_err();
        assert!(failure.to_string().ends_with("is larger than 1 MiB"), "{failure}");
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn a_directory_is_read_in_the_order_of_names() {
        let tmp = tempfile::tempdir().unwrap();
        for name in ["b.toml", "a.toml", ".c.toml", "d.txt"] {
            write(&tmp.path().join(name), name.as_bytes());
        }
        let files = read(tmp.path()).unwrap();
        let content: Vec<_> = files.iter().map(|file| file.content.as_slice()).collect();
        assert_eq!(content, [b"a.toml", b"b.toml"]);
    }

    #[test]
    fn a_directory_without_pod_files_and_a_missing_file_are_errors() {
        let tmp = tempfile::tempdir().unwrap();
        assert_eq!(read(tmp.path()).map(|_| ()).unwrap_err().exit_code(), 2);
        assert_eq!(read(&tmp.path().join("x")).map(|_| ()).unwrap_err().exit_code(), 2);
    }
}
