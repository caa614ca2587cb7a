//! Root file systems and images, made by programs that are not tank, once for all test runs.
//!
//! They are kept under `target/fixtures` (or `TANK_FIXTURES`). A file lock makes the first test
//! that needs one its builder, and a rename makes it visible only when it is whole.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::program;

/// Names the recipes below. Raise it when one changes, so that older results are not used.
const VERSION: u32 = 1;

/// How long the slowest program (debootstrap, over a slow mirror) may take.
const DEADLINE: Duration = Duration::from_secs(600);

/// One image in each of the forms that other tools write.
#[derive(Debug)]
pub(crate) struct Image {
    dir: PathBuf,
}

impl Image {
    /// An OCI layout directory with gzip layers, as umoci writes it; its tag is `latest`.
    pub(crate) fn layout(&self) -> PathBuf {
        self.dir.join("layout")
    }

    /// The same with zstd layers, as `skopeo copy` writes it.
    pub(crate) fn zstd_layout(&self) -> PathBuf {
        self.dir.join("layout-zstd")
    }

    /// An OCI archive: the layout in a tar file.
    pub(crate) fn oci_archive(&self) -> PathBuf {
        self.dir.join("oci.tar")
    }

    /// A docker archive, as `docker save` writes it, with plain layers.
    pub(crate) fn docker_archive(&self) -> PathBuf {
        self.dir.join("docker.tar")
    }

    /// The docker archive as a gzip file.
    pub(crate) fn docker_archive_gzip(&self) -> PathBuf {
        self.dir.join("docker.tar.gz")
    }

    /// The directory of all forms.
    pub(crate) fn into_dir(self) -> PathBuf {
        self.dir
    }

    /// The docker archive as a zstd file.
    pub(crate) fn docker_archive_zstd(&self) -> PathBuf {
        self.dir.join("docker.tar.zst")
    }
}

/// A root file system that holds busybox and little else, for `rootfs = "..."`.
///
/// It has the users `root` and `guest` (1000:1000, also in the group `extra`, 2000), and
/// `/www/index.html` for `busybox httpd`.
pub(crate) fn busybox_rootfs() -> PathBuf {
    fixture("busybox-rootfs", |dir| {
        for name in ["bin", "dev", "etc", "home/guest", "proc", "root", "run", "sys", "tmp", "www"]
        {
            fs::create_dir_all(dir.join(name)).unwrap();
        }
        fs::set_permissions(dir.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
        let busybox = Path::new("/bin/busybox");
        assert!(busybox.exists(), "no {}: {}", busybox.display(), advice("busybox-static"));
        fs::copy(busybox, dir.join("bin/busybox")).unwrap();
        let applets = tool("busybox", "busybox-static", &["--list"]);
        for applet in applets.lines().filter(|applet| *applet != "busybox") {
            symlink("busybox", dir.join("bin").join(applet)).unwrap();
        }
        let passwd = "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000::/home/guest:/bin/sh\n";
        fs::write(dir.join("etc/passwd"), passwd).unwrap();
        fs::write(dir.join("etc/group"), "root:x:0:\nguest:x:1000:\nextra:x:2000:guest\n").unwrap();
        fs::write(dir.join("www/index.html"), "served by busybox\n").unwrap();
    })
}

/// The busybox root as an image of three layers, named `localhost/busybox:1`.
///
/// The second layer removes `/www/removed` (a whiteout); the third replaces the directory
/// `/opaque`, in which the first had put `lower`, by one that has only `upper`. Its config sets
/// Cmd, Env, WorkingDir, User and StopSignal.
pub(crate) fn busybox_image() -> Image {
    let rootfs = busybox_rootfs();
    let dir = fixture("busybox-image", |dir| {
        let image = new_layout(dir);
        let (lower, upper) = (dir.join("lower"), dir.join("upper"));
        fs::create_dir_all(&lower).unwrap();
        fs::create_dir_all(&upper).unwrap();
        fs::write(lower.join("lower"), "lower\n").unwrap();
        fs::write(upper.join("upper"), "upper\n").unwrap();
        insert(&image, &[rootfs.to_str().unwrap(), "/"]);
        insert(&image, &[lower.to_str().unwrap(), "/opaque"]);
        insert(&image, &[lower.join("lower").to_str().unwrap(), "/www/removed"]);
        insert(&image, &["--whiteout", "/www/removed"]);
        insert(&image, &["--opaque", upper.to_str().unwrap(), "/opaque"]);
        configure(
            &image,
            &["--config.cmd=/bin/sh", "--config.cmd=-c", "--config.cmd=id; pwd; env"],
        );
        configure(&image, &["--config.env=PATH=/bin", "--config.env=FROM_IMAGE=yes"]);
        configure(&image, &["--config.workingdir=/www", "--config.user=guest"]);
        configure(&image, &["--config.stopsignal=SIGUSR1"]);
        fs::remove_dir_all(&lower).unwrap();
        fs::remove_dir_all(&upper).unwrap();
        convert(dir, "localhost/busybox:1");
    });
    Image { dir }
}

/// An OCI layout directory that buildah made `from scratch`, tag `latest`.
pub(crate) fn buildah_layout() -> PathBuf {
    let rootfs = busybox_rootfs();
    let dir = fixture("buildah-image", |dir| {
        let path = |name: &str| dir.join(name).display().to_string();
        let (root, run) = (path("storage"), path("storage-run"));
        let buildah = |args: &[&str]| {
            let global = ["--root", &root, "--runroot", &run, "--storage-driver", "vfs"];
            let output = tool("buildah", "buildah", &[&global, args].concat());
            output.trim().to_owned()
        };
        let container = buildah(&["from", "scratch"]);
        buildah(&["copy", "--quiet", &container, rootfs.to_str().unwrap(), "/"]);
        buildah(&["config", "--entrypoint", r#"["/bin/busybox"]"#, "--cmd", "date", &container]);
        let target = format!("oci:{}:latest", path("layout"));
        buildah(&["commit", "--quiet", &container, &target]);
        buildah(&["rm", &container]);
        fs::remove_dir_all(&root).unwrap();
        fs::remove_dir_all(&run).unwrap();
    });
    dir.join("layout")
}

/// An OCI layout directory with the tag `latest` that buildah made: an index of one busybox image
/// for each of linux/amd64, linux/arm64/v8, linux/arm/v6 and linux/arm/v7.
///
/// The images differ in the variable `PLATFORM` of their config alone.
pub(crate) fn multi_platform_layout() -> PathBuf {
    let source = busybox_image();
    let dir = fixture("multi-platform-image", |dir| {
        let path = |name: &str| dir.join(name).display().to_string();
        let (root, run) = (path("storage"), path("storage-run"));
        let buildah = |args: &[&str]| {
            let global = ["--root", &root, "--runroot", &run, "--storage-driver", "vfs"];
            tool("buildah", "buildah", &[&global, args].concat())
        };
        buildah(&["manifest", "create", "platforms"]);
        let from = source.layout().display().to_string();
        for (architecture, variant) in
            [("amd64", ""), ("arm64", "v8"), ("arm", "v6"), ("arm", "v7")]
        {
            let copy = path(&format!("{architecture}{variant}"));
            tool("cp", "coreutils", &["-r", &from, &copy]);
            let image = format!("{copy}:latest");
            let platform = format!("--config.env=PLATFORM={architecture}{variant}");
            configure(&image, &["--architecture", architecture, "--os", "linux", &platform]);
            let mut add = vec!["manifest", "add", "--os", "linux", "--arch", architecture];
            if !variant.is_empty() {
                add.extend(["--variant", variant]);
            }
            let reference = format!("oci:{image}");
            buildah(&[&add[..], &["platforms", &reference]].concat());
        }
        let target = format!("oci:{}:latest", path("layout"));
        buildah(&["manifest", "push", "--quiet", "--all", "platforms", &target]);
        for name in ["storage", "storage-run", "amd64", "arm64v8", "armv6", "armv7"] {
            fs::remove_dir_all(dir.join(name)).unwrap();
        }
    });
    dir.join("layout")
}

/// A Debian system with redis-server, as an OCI layout directory with the tag `latest`: what
/// debootstrap made, put into one layer by umoci.
pub(crate) fn debian_redis_layout() -> PathBuf {
    let dir = fixture("debian-redis-image", |dir| {
        let rootfs = dir.join("rootfs");
        let target = rootfs.to_str().unwrap();
        let options = ["--variant=minbase", "--include=redis-server", "bookworm"];
        tool("debootstrap", "debootstrap", &[&options[..], &[target, &debian_mirror()]].concat());
        let image = new_layout(dir);
        insert(&image, &[target, "/"]);
        configure(&image, &["--config.cmd=redis-server"]);
        configure(&image, &["--config.env=PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
        fs::remove_dir_all(&rootfs).unwrap();
    });
    dir.join("layout")
}

/// A root file system of Debian with the programs that people use terminals for, PostgreSQL and
/// nginx.
pub(crate) fn debian_rootfs() -> PathBuf {
    fixture("debian-rootfs", |dir| {
        // Packages of servers start them, also in a root that is only being made.
        fs::create_dir_all(dir.join("usr/sbin")).unwrap();
        let policy = dir.join("usr/sbin/policy-rc.d");
        fs::write(&policy, "#!/bin/sh\nexit 101\n").unwrap();
        fs::set_permissions(&policy, fs::Permissions::from_mode(0o755)).unwrap();
        let terminal = "vim,htop,less,procps,python3-minimal,tmux,ncurses-term";
        let include = format!("--include={terminal},postgresql,nginx-light,socat");
        let options = ["--variant=minbase", &include, "bookworm"];
        let target = [dir.to_str().unwrap(), &debian_mirror()];
        tool("debootstrap", "debootstrap", &[&options[..], &target].concat());
        let archives = dir.join("var/cache/apt/archives");
        fs::remove_dir_all(archives).unwrap();
    })
}

/// The mirror this machine's apt takes Debian from: it may be the only one that is reachable.
fn debian_mirror() -> String {
    let format = "$(ORIGIN) $(COMPONENT) $(CODENAME) $(SITE)";
    let targets = tool("apt-get", "apt", &["indextargets", "--format", format]);
    let main = |line: &str| {
        let mut words = line.strip_prefix("Debian main ")?.split(' ');
        let (codename, site) = (words.next()?, words.next()?);
        (!codename.contains('-')).then(|| site.to_owned())
    };
    targets.lines().find_map(main).unwrap_or_else(|| "http://deb.debian.org/debian".to_owned())
}

/// The directory of a fixture, made by `build` if it is not there yet.
fn fixture(name: &str, build: impl FnOnce(&Path)) -> PathBuf {
    let all = std::env::var_os("TANK_FIXTURES").map_or_else(beside_the_build, PathBuf::from);
    let done = all.join(format!("{name}-{VERSION}"));
    if done.exists() {
        return done;
    }
    fs::create_dir_all(&all).unwrap();
    let lock = File::create(all.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    if !done.exists() {
        let building = tempfile::Builder::new().prefix(name).tempdir_in(&all).unwrap();
        fs::set_permissions(&building, fs::Permissions::from_mode(0o755)).unwrap();
        build(building.path());
        fs::rename(building.keep(), &done).unwrap();
    }
    done
}

/// `target/fixtures`, whatever the target triple and profile.
fn beside_the_build() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = scratch.ancestors().filter(|dir| dir.join("CACHEDIR.TAG").exists());
    target.last().expect("cargo marks its target directory").join("fixtures")
}

/// An empty OCI layout in `dir` with the tag `latest`, as umoci wants it named.
fn new_layout(dir: &Path) -> String {
    let layout = dir.join("layout").display().to_string();
    let image = format!("{layout}:latest");
    tool("umoci", "umoci", &["init", "--layout", &layout]);
    tool("umoci", "umoci", &["new", "--image", &image]);
    image
}

/// Adds a layer.
fn insert(image: &str, args: &[&str]) {
    tool("umoci", "umoci", &[&["insert", "--image", image], args].concat());
}

/// Changes the image's config.
fn configure(image: &str, args: &[&str]) {
    tool("umoci", "umoci", &[&["config", "--image", image], args].concat());
}

/// Writes the other forms of the layout in `dir`.
fn convert(dir: &Path, name: &str) {
    let path = |file: &str| dir.join(file).display().to_string();
    let source = format!("oci:{}:latest", path("layout"));
    let copy = |options: &[&str], target: &str| {
        let all = [&["--insecure-policy", "copy", "--quiet"], options, &[&source, target]].concat();
        tool("skopeo", "skopeo", &all);
    };
    copy(&["--dest-compress-format", "zstd"], &format!("oci:{}:latest", path("layout-zstd")));
    copy(&[], &format!("oci-archive:{}:latest", path("oci.tar")));
    copy(&[], &format!("docker-archive:{}:{name}", path("docker.tar")));
    tool("gzip", "gzip", &["--keep", &path("docker.tar")]);
    tool("zstd", "zstd", &["--quiet", "--keep", &path("docker.tar")]);
}

/// Runs a program of the machine that must be there and succeed; gives what it printed.
#[track_caller]
pub(crate) fn tool(name: &str, package: &str, args: &[&str]) -> String {
    let mut command = Command::new(installed(name, package));
    // Programs that print in the user's language would be another fixture.
    command.args(args).env("LC_ALL", "C.UTF-8").env("DEBIAN_FRONTEND", "noninteractive");
    program::run(&mut command, &[], DEADLINE).ok().stdout
}

/// A program of the machine that must be there.
#[track_caller]
pub(crate) fn installed(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("no program {name}: {}", advice(package)))
}

/// What to do about something that is missing.
pub(crate) fn advice(package: &str) -> String {
    format!("install the package {package}, or run tests/run, which does")
}
