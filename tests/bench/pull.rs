//! A registry on this machine, with an image of many layers made of what is in `/usr`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::machine::Workplace;
use crate::program::{Runner, is_installed};

/// How many layers the image has.
const LAYERS: usize = 20;

/// How many bytes a layer unpacks to, or a file more.
const LAYER: u64 = 12 << 20;

/// How long the registry may take to listen.
const SOON: Duration = Duration::from_secs(20);

/// A registry that has the image. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Registry {
    server: Child,
    dir: PathBuf,
    runner: Runner,
    host: String,
    image: String,
}

impl Registry {
    /// Starts a registry and pushes the image, which is made first.
    pub(crate) fn new(workplace: &Workplace) -> Outcome<Self> {
        for program in ["docker-registry", "skopeo", "umoci"] {
            if !is_installed(program) {
                return Err(format!("{program} is not installed"));
            }
        }
        let dir = workplace.path().join("registry");
        fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
        let (server, host) = start(&dir)?;
        let image = format!("{host}/many/layers:1");
        let runner = Runner::new(workplace.path());
        let registry = Self { server, dir, runner, host, image };
        registry.make_image()?;
        registry.skopeo(&registry.layout(), &format!("docker://{}", registry.image), "--dest")?;
        Ok(registry)
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The image's full name.
    pub(crate) fn image(&self) -> &str {
        &self.image
    }

    /// Copies the image into an OCI layout that is removed again: the bytes as they come, nothing
    /// unpacked.
    pub(crate) fn skopeo_copy(&self) -> Outcome<Duration> {
        let copy = self.dir.join("copy");
        let target = format!("oci:{}:latest", copy.display());
        let elapsed = self.skopeo(&format!("docker://{}", self.image), &target, "--src");
        fs::remove_dir_all(&copy).map_err(|error| error.to_string())?;
        elapsed
    }

    fn layout(&self) -> String {
        format!("oci:{}:latest", self.dir.join("layout").display())
    }

    fn skopeo(&self, source: &str, target: &str, registry: &str) -> Outcome<Duration> {
        let insecure = format!("{registry}-tls-verify=false");
        let args = ["--insecure-policy", "copy", "--quiet", &insecure, source, target];
        self.runner.time(Command::new("skopeo").args(args))
    }

    /// Makes the image with umoci, a layer for each group of files.
    fn make_image(&self) -> Outcome<()> {
        let layout = self.dir.join("layout").display().to_string();
        let image = format!("{layout}:latest");
        let umoci = |args: &[&str]| self.runner.time(Command::new("umoci").args(args)).map(drop);
        umoci(&["init", "--layout", &layout])?;
        umoci(&["new", "--image", &image])?;
        let mut files = Vec::new();
        for root in ["/usr/bin", "/usr/share", "/usr/lib"] {
            collect(Path::new(root), &mut files);
        }
        let mut files = files.into_iter();
        for _ in 0..LAYERS {
            let stage = self.dir.join("stage");
            if !stage_layer(&stage, &mut files).map_err(|error| error.to_string())? {
                return Err(format!("/usr has not enough for {LAYERS} layers"));
            }
            umoci(&["insert", "--image", &image, &stage.display().to_string(), "/"])?;
            fs::remove_dir_all(&stage).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.server.kill().unwrap_or_default();
        self.server.wait().map(drop).unwrap_or_default();
    }
}

/// Starts `docker-registry` on a free port; gives the process and `127.0.0.1:PORT`.
fn start(dir: &Path) -> Outcome<(Child, String)> {
    let settings = format!(
        "version: 0.1\nlog: {{level: info, accesslog: {{disabled: true}}}}\n\
         storage:\n  filesystem: {{rootdirectory: {}}}\nhttp:\n  addr: 127.0.0.1:0\n",
        dir.join("storage").display()
    );
    let file = dir.join("config.yml");
    fs::write(&file, settings).map_err(|error| error.to_string())?;
    let log = dir.join("log");
    // A file, because nobody would empty a pipe: threads are not for this process, which clones.
    let output = fs::File::create(&log).map_err(|error| error.to_string())?;
    let mut server = Command::new("docker-registry")
        .arg("serve")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output)
        .spawn()
        .map_err(|error| format!("docker-registry: {error}"))?;
    let end = Instant::now() + SOON;
    while Instant::now() < end {
        let told = fs::read_to_string(&log).unwrap_or_default();
        let lines = told.lines().filter_map(|line| line.split_once("listening on 127.0.0.1:"));
        let port = lines.map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit)).next();
        if let Some(port) = port {
            return Ok((server, format!("127.0.0.1:{}", port.collect::<String>())));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    server.kill().unwrap_or_default();
    server.wait().map(drop).unwrap_or_default();
    Err("docker-registry did not start".to_owned())
}

/// The plain files below a directory with their sizes, in the order of their names.
fn collect(dir: &Path, files: &mut Vec<(PathBuf, u64)>) {
    let mut entries: Vec<_> =
        fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let Ok(stat) = entry.metadata() else { continue };
        if stat.is_dir() {
            collect(&entry.path(), files);
        } else if stat.is_file() && stat.len() < LAYER {
            files.push((entry.path(), stat.len()));
        }
    }
}

/// Copies as many of the files as make a layer; false when there were not enough.
fn stage_layer(
    stage: &Path,
    files: &mut impl Iterator<Item = (PathBuf, u64)>,
) -> std::io::Result<bool> {
    let mut size = 0;
    for (path, length) in files {
        let target = stage.join(path.strip_prefix("/").unwrap_or(&path));
        if let Some(dir) = target.parent() {
            fs::create_dir_all(dir)?;
        }
        fs::copy(&path, target)?;
        size += length;
        if size >= LAYER {
            return Ok(true);
        }
    }
    Ok(false)
}
