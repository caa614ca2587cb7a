//! Tests of the support itself: a leak check that sees nothing would pass every test.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::fault_registry::{Answer, FaultRegistry, Gate, Step};
use super::made::{Made, Packing, tar_of};
use super::namespace::Namespace;
use super::record::Record;
use super::registry::{Access, Registry};
use super::{Tank, fixtures, program, wait};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn snapshot_sees_a_process_a_mount_and_a_file_of_this_tank_only() {
    let (tank, other) = (Tank::new(), Tank::new());
    let mounted = tank.run_root().join("pods");
    fs::create_dir_all(&mounted).unwrap();
    let mut sleeper = Command::new("sleep").arg("60").env("ROOT", tank.root()).spawn().unwrap();
    rustix::mount::mount_bind(&mounted, &mounted).unwrap();

    let left = tank.leftovers();
    let files = tank.world().files;

    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    rustix::mount::unmount(&mounted, rustix::mount::UnmountFlags::DETACH).unwrap();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left[0].starts_with("+ mount ") && left[0].contains("/pods"), "{left:?}");
    assert_eq!(left[1], format!("+ process {} sleep 60", sleeper.id()));
    assert!(files.contains(&mounted));
    assert_eq!(other.leftovers(), Vec::<String>::new());
}

#[test]
fn snapshot_sees_the_cgroup_of_an_instance_after_its_directory_is_gone() {
    let tank = Tank::new();
    let id = format!("selftest{}", std::process::id());
    let instance = tank.root().join("containers").join(&id);
    fs::create_dir_all(&instance).unwrap();
    let hierarchy = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"]
        .into_iter()
        .find(|dir| fs::exists(format!("{dir}/cgroup.procs")).unwrap())
        .expect("a cgroup hierarchy");
    let cgroup = format!("{hierarchy}/tank-test-{id}");
    fs::create_dir(&cgroup).unwrap();
    let seen = tank.world();
    fs::remove_dir(&instance).unwrap();

    let left = tank.leftovers();

    fs::remove_dir(&cgroup).unwrap();
    assert!(seen.cgroups.contains(std::path::Path::new(&cgroup)), "{seen:?}");
    assert_eq!(left, [format!("+ cgroup {cgroup}")]);
}

#[test]
fn snapshot_sees_what_is_left_of_a_network() {
    let machine = Namespace::new();
    let (tank, other) = (Tank::inside(&machine), Tank::inside(&machine));
    let (root, base) = (tank.root().display().to_string(), tank.base());
    fs::create_dir_all("/run/netns").unwrap();
    fs::create_dir_all(tank.run_root()).unwrap();
    machine.ip("link add one type bridge");
    machine.sh(&format!("ip link set one alias 'tank {root} web'")).ok();
    machine.ip(&format!("link add {} type bridge", &base[..13]));
    machine.nft(&format!("add table inet {base}\nadd table bridge {base}\nadd table inet other"));
    let name = format!("/run/netns/{base}-web");
    std::os::unix::fs::symlink("/nowhere", &name).unwrap();
    let record = machine.within(Record::here);
    let owners = format!(r#"{{"changed":{{}},"owners":["tank /elsewhere","tank {root}"]}}"#);
    fs::create_dir_all("/run/tank-network").unwrap();
    fs::File::create("/run/tank-network/lock").unwrap();
    fs::write(record.path(), owners).unwrap();

    let left = tank.leftovers();

    assert_eq!(other.leftovers(), Vec::<String>::new());
    let mut expected = vec![
        format!("+ network owner tank {root}"),
        format!("+ network {name}"),
        format!("+ network link one \"tank {root} web\""),
        format!("+ network link {} \"\"", &base[..13]),
        format!("+ network table bridge {base}"),
        format!("+ network table inet {base}"),
    ];
    expected.sort();
    assert_eq!(left, expected);
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(tank)));
    assert!(failed.is_err());
    assert!(!machine.ip("link").contains("one") && !fs::exists(&name).unwrap_or(true));
    assert_eq!(machine.sh("nft list tables").ok().stdout, "table inet other\n");
    assert!(record.has("tank /elsewhere") && !record.has(&format!("tank {root}")));
    record.forget("tank /elsewhere");
    assert!(!record.path().exists());
}

#[test]
fn dropping_a_tank_with_a_leftover_fails_and_removes_it() {
    let tank = Tank::new();
    let mut sleeper = Command::new("sleep").arg("60").env("ROOT", tank.root()).spawn().unwrap();
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(tank)));
    assert!(failed.is_err());
    assert!(!sleeper.wait().unwrap().success());
}

#[test]
fn dropping_a_tank_in_a_failed_test_does_not_hide_the_failure() {
    let failed = std::panic::catch_unwind(|| {
        let tank = Tank::new();
        fs::create_dir(tank.root()).unwrap();
        fs::write(tank.root().join("state.db"), "not a database").unwrap();
        panic!("the first failure");
    });
    assert_eq!(failed.unwrap_err().downcast_ref(), Some(&"the first failure"));
}

#[test]
fn program_is_given_its_input_and_all_its_output_is_kept() {
    let output = program::run(&mut Command::new("cat"), &[b'x'; 200_000], SOON).ok();
    assert_eq!(output.stdout.len(), 200_000);
    assert!(output.elapsed < SOON);
    let mut killed = Command::new("sh");
    program::run(killed.args(["-c", "kill -9 $$"]), &[], SOON).killed_by(9).stderr.clear();
}

#[test]
fn program_that_hangs_is_killed_at_its_deadline() {
    let mut command = Command::new("sleep");
    let hang = || program::run(command.arg("60"), &[], Duration::from_millis(50)).ok();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(hang)).is_err());
}

#[test]
fn waiting_for_a_file_ends_when_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("there");
    let mut writer = Command::new("sh")
        .args(["-c", "read _ && echo content > there"])
        .stdin(Stdio::piped())
        .current_dir(dir.path())
        .spawn()
        .unwrap();
    let mut told = writer.stdin.take();
    let content = wait::file("the file", dir.path(), SOON, || {
        // Told only now, when the watch is in place.
        drop(told.take().map(|mut pipe| std::io::Write::write_all(&mut pipe, b"go\n")));
        fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'))
    });
    writer.wait().unwrap();
    assert_eq!(content, "content\n");
    wait::until("the process to be gone", SOON, || {
        (!fs::exists(format!("/proc/{}", writer.id())).unwrap()).then_some(())
    });
}

#[test]
fn images_are_there_in_every_form() {
    let image = fixtures::busybox_image();
    for form in [
        image.layout().join("index.json"),
        image.zstd_layout().join("index.json"),
        image.oci_archive(),
        image.docker_archive(),
        image.docker_archive_gzip(),
        image.docker_archive_zstd(),
        fixtures::buildah_layout().join("index.json"),
    ] {
        assert!(fs::metadata(&form).unwrap().len() > 0, "{}", form.display());
    }
}

#[test]
fn debian_image_is_there() {
    assert!(fixtures::debian_redis_layout().join("index.json").exists());
}

#[test]
fn tank_runs_with_an_empty_environment() {
    let tank = Tank::new();
    let pod = tank.file("pod.toml", "name = \"web\"\n");
    assert_eq!(pod.parent(), Some(tank.dir()));
    tank.run(["--version"]).ok();
    tank.apply("").status.code().expect("an exit code");
}

#[test]
fn registry_serves_what_was_pushed() {
    for access in [Access::Open, Access::Password, Access::Tls] {
        let registry = Registry::new(access);
        let name = registry.push(&fixtures::busybox_image().layout(), "a/busybox:1", &[]);
        assert!(registry.digest(&name).starts_with("sha256:"));
        if access == Access::Open {
            let layout = fixtures::multi_platform_layout();
            let index = registry.push(&layout, "multi:1", &["--all"]);
            assert_ne!(registry.digest(&index), registry.digest(&name));
            registry.push_index_with_buildah(&fixtures::buildah_layout(), "pushed:1");
        }
    }
}

/// `skopeo copy` from the registry into a layout.
fn copied(name: &str) -> program::Output {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(fixtures::installed("skopeo", "skopeo"));
    command.args(["--insecure-policy", "copy", "--src-tls-verify=false"]);
    command.arg(format!("docker://{name}"));
    command.arg(format!("oci:{}:latest", dir.path().join("layout").display()));
    program::run(&mut command, &[], SOON)
}

#[test]
fn fault_registry_serves_images_that_others_accept() {
    for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd, Packing::Docker] {
        let registry = FaultRegistry::new();
        let tars = [tar_of(&[("dir/file", b"content\n")]), tar_of(&[("other", b"more\n")])];
        let image = Made::new(&tars, packing);
        copied(&registry.serve("made:1", &image)).ok();
        assert!(image.layers.iter().all(|layer| registry.count(layer) == 1));
    }
}

#[test]
fn fault_registry_fails_as_it_is_told() {
    let (registry, image) = (FaultRegistry::new(), Made::small());
    let name = registry.serve("small:1", &image);
    registry
        .rule(|request| request.path.contains("/blobs/").then(|| Answer::with(403, "not for you")));
    assert!(!copied(&name).status.success());
    registry.behave();
    let gate = Gate::new();
    let at = gate.clone();
    registry.rule_times(1, move |_| {
        Some(
            Answer::new(200)
                .length(2)
                .then(Step::Wait(at.clone()))
                .then(Step::Send(vec![b'{', b'}'])),
        )
    });
    let pulling = std::thread::spawn(move || copied(&name));
    gate.await_arrivals(1);
    gate.open();
    pulling.join().unwrap().ok();
}

#[test]
fn fault_registry_sends_parts() {
    let (registry, image) = (FaultRegistry::new(), Made::small());
    registry.serve("small:1", &image);
    let blob = &image.layers[0];
    let url = format!("http://{}/v2/small/blobs/{}", registry.host(), blob.digest);
    let mut curl = Command::new(fixtures::installed("curl", "curl"));
    let output =
        program::run(curl.args(["-sS", "-r", "10-", "-D-", "-o/dev/null", &url]), &[], SOON);
    let length = blob.content.len();
    let range = format!("Content-Range: bytes 10-{}/{length}", length - 1);
    assert!(output.stdout.contains(" 206 ") && output.stdout.contains(&range), "{output}");
    registry.await_log("the range", |log| log.iter().any(|a| a.sent == Some(length as u64 - 10)));
}
