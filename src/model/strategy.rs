//! Arbitrary valid pods for property tests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::file::{self, Diagnostic, Files, PodFile};
use super::pod::{
    Capabilities, Check, Container, HostFile, LogLimits, Mount, MountSource, Network, Pod, Port,
    Probe, Protocol, Pull, Restart, RestartPolicy, Seccomp, Source, Ulimit,
};
use super::{Bytes, Cpus, Digest, Signal, capability, fnv, ulimit};

/// The files of a host where the content of each is as its path says.
struct ByName;

impl Files for ByName {
    fn look(&self, path: &Path) -> Result<HostFile, String> {
        if path.ends_with("missing") {
            return Err("is not there".to_owned());
        }
        let name = path.display().to_string();
        let executable = name.ends_with('x');
        let hash =
            fnv::fnv1a(name.as_bytes()).to_be_bytes().repeat(4).try_into().unwrap_or_default();
        let path = Path::new("/").join(path);
        Ok(HostFile { path, content: Digest::from_sha256(hash), executable })
    }
}

/// Reads a pod file on such a host.
pub(crate) fn parse(source: &str) -> Result<PodFile, Vec<Diagnostic>> {
    file::parse(source, &ByName)
}

/// Any valid pod.
pub(crate) fn pod() -> impl Strategy<Value = Pod> {
    let network = select(vec![Network::Bridge, Network::Host, Network::None]);
    let head = (
        "[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?",
        option::of("[a-zA-Z0-9]{1,5}(\\.[a-z0-9]{1,5})?"),
        restart(),
        span(0),
        network,
        names(),
    );
    let labels = btree_map("[a-zé\"][a-z0-9./]{0,6}", "\\PC{0,8}", 0..3);
    let lists = (
        any::<bool>(),
        btree_set("dep-[a-z0-9]{1,3}", 0..3),
        labels,
        vec(container(), 0..2),
        vec(container(), 1..3),
    );
    (head, lists).prop_map(|(head, lists)| {
        let (name, hostname, restart, stop_timeout, network, names) = head;
        let (isolated, dns, dns_search, extra_hosts) = names;
        let (share_pids, depends_on, labels, init_containers, containers) = lists;
        let mut pod = Pod {
            hostname: hostname.unwrap_or_else(|| name.clone()),
            depends_on: depends_on
                .iter()
                .filter(|other| **other != name)
                .map(|other| other.parse().unwrap())
                .collect(),
            name: name.parse().unwrap(),
            restart,
            stop_timeout,
            network,
            isolated,
            share_pids,
            dns,
            dns_search,
            extra_hosts,
            labels,
            init_containers,
            containers,
        };
        make_consistent(&mut pod);
        pod
    })
}

/// Takes away what a pod's parts may not have together.
fn make_consistent(pod: &mut Pod) {
    let network = pod.network;
    pod.isolated &= network == Network::Bridge;
    if network == Network::None {
        (pod.dns, pod.dns_search) = (Vec::new(), Vec::new());
    }
    for container in &mut pod.init_containers {
        (container.liveness, container.readiness, container.startup) = (None, None, None);
    }
    let all = pod.init_containers.iter_mut().chain(&mut pod.containers);
    for (index, container) in all.enumerate() {
        container.name = format!("{}{index}", container.name).parse().unwrap();
        if network != Network::Bridge {
            container.ports.clear();
        }
        if network == Network::Host {
            container.sysctls.retain(|name, _| !name.starts_with("net."));
        }
        for probe in [&mut container.startup, &mut container.liveness].into_iter().flatten() {
            probe.successes = 1;
        }
        let base = u16::try_from(index).unwrap() * 10_000 + 1;
        for (index, port) in (0u16..).zip(&mut container.ports) {
            port.host = base + index * 1000;
        }
        container.ports.sort();
        for (index, mount) in container.mounts.iter_mut().enumerate() {
            mount.target = mount.target.join(index.to_string());
            mount.secret &= matches!(mount.source, MountSource::Content(_) | MountSource::File(_));
        }
    }
}

fn span(from: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![
        (from..100_000).prop_map(Duration::from_secs),
        (from..u64::MAX).prop_map(Duration::from_nanos),
    ]
}

fn restart() -> impl Strategy<Value = Restart> {
    let policy = vec![RestartPolicy::Always, RestartPolicy::OnFailure, RestartPolicy::Never];
    (select(policy), option::of(any::<u32>()), span(1), span(1)).prop_flat_map(
        |(policy, max_retries, a, b)| {
            let max_retries = max_retries.filter(|_| policy != RestartPolicy::Never);
            let full = Restart { policy, max_retries, initial: a.min(b), max: a.max(b) };
            prop_oneof![Just(full), Just(Restart { policy, ..Restart::default() })]
        },
    )
}

fn path() -> impl Strategy<Value = String> {
    "(/[a-zA-Z0-9_ é\"'\\\\-]{1,4}){1,3}"
}

/// A string without NUL.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[^\\x00]{0,6}", "[a\"'\\\\\r\n\t]{0,6}"]
}

fn program() -> impl Strategy<Value = Vec<String>> {
    ("[^\\x00]{1,6}", vec(text(), 0..3)).prop_map(|(program, mut args)| {
        args.insert(0, program);
        args
    })
}

fn image() -> impl Strategy<Value = String> {
    prop_oneof![
        "docker\\.io/library/[a-z]{1,6}:[a-zA-Z0-9]{1,4}",
        "localhost:5000/[a-z]{1,6}@sha256:[0-9a-f]{64}",
    ]
}

fn address() -> impl Strategy<Value = IpAddr> {
    any::<IpAddr>().prop_map(|address| address.to_canonical())
}

/// Whether a pod is isolated, and how it finds out the addresses of host names.
fn names() -> impl Strategy<Value = (bool, Vec<IpAddr>, Vec<String>, BTreeMap<String, IpAddr>)> {
    let name = || "[A-Za-z0-9_-]{1,6}(\\.[a-z0-9]{1,5}){0,2}";
    let dns = btree_set(address(), 0..=3).prop_map(Vec::from_iter).prop_shuffle();
    (any::<bool>(), dns, vec(name(), 0..=6), btree_map(name(), address(), 0..3))
}

fn port() -> impl Strategy<Value = Port> {
    let can_publish = |address: &IpAddr| {
        let no_host = [IpAddr::from([255; 4]), IpAddr::from(Ipv6Addr::LOCALHOST)];
        !address.is_multicast() && !no_host.contains(address)
    };
    let address = option::of(address().prop_filter("an address of a host", can_publish));
    let protocol = select(vec![Protocol::Tcp, Protocol::Udp]);
    (address, 1..=65_000u16, 1..=500u16, protocol).prop_map(
        |(address, container, count, protocol)| Port {
            address,
            host: 1,
            container,
            count,
            protocol,
        },
    )
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    let names = || subsequence(capability::NAMES.to_vec(), 0..4);
    (names(), names(), any::<bool>()).prop_map(|(add, drop, all)| {
        let drop: BTreeSet<String> = match all {
            true => BTreeSet::from([capability::ALL.to_owned()]),
            false => drop.into_iter().map(str::to_owned).collect(),
        };
        let add = add.into_iter().map(str::to_owned).filter(|name| !drop.contains(name)).collect();
        Capabilities { add, drop }
    })
}

fn ulimits() -> impl Strategy<Value = BTreeMap<String, Ulimit>> {
    let limit = (option::of(0..u64::MAX), option::of(0..u64::MAX)).prop_map(|(a, b)| {
        let (soft, hard) = (a.unwrap_or(u64::MAX).min(b.unwrap_or(u64::MAX)), a.max(b));
        let hard = if a.is_none() || b.is_none() { None } else { hard };
        Ulimit { soft: Some(soft).filter(|soft| *soft != u64::MAX), hard }
    });
    btree_map(select(ulimit::NAMES.to_vec()).prop_map(str::to_owned), limit, 0..3)
}

fn mount() -> impl Strategy<Value = Mount> {
    let source = prop_oneof![
        "[a-zA-Z0-9][a-zA-Z0-9_.-]{0,6}"
            .prop_map(|name| MountSource::Volume(name.parse().unwrap())),
        path().prop_map(|path| MountSource::Host(path.into())),
        (1..=u64::MAX).prop_map(|size| MountSource::Tmpfs(Bytes(size))),
        any::<String>().prop_map(MountSource::Content),
        "/[.a-z]{1,8}".prop_map(|path| MountSource::File(ByName.look(path.as_ref()).unwrap())),
    ];
    (path(), source, any::<bool>(), any::<bool>()).prop_map(
        |(target, source, read_only, secret)| Mount {
            target: format!("/m{target}").into(),
            source,
            read_only,
            secret,
        },
    )
}

fn probe() -> impl Strategy<Value = Probe> {
    let check = prop_oneof![
        (1..=u16::MAX, "/[!-~]{0,6}").prop_map(|(port, path)| Check::Http { port, path }),
        (1..=u16::MAX).prop_map(|port| Check::Tcp { port }),
        program().prop_map(Check::Exec),
    ];
    (check, span(0), span(1), span(1), 1..=u32::MAX, 1..=u32::MAX).prop_map(
        |(check, initial_delay, period, timeout, failures, successes)| Probe {
            check,
            initial_delay,
            period,
            timeout,
            failures,
            successes,
        },
    )
}

fn container() -> impl Strategy<Value = Container> {
    let source = prop_oneof![
        image().prop_map(Source::Image),
        path().prop_map(|path| Source::Rootfs(path.into())),
    ];
    let pull = select(vec![Pull::Missing, Pull::Always, Pull::Never]);
    let signal = prop_oneof![1..=31i32, 34..=64i32]
        .prop_map(|number| Signal::from_number(number).unwrap().to_string());
    let program = (option::of(program()), program(), option::of(vec(text(), 0..3)));
    let process = (
        btree_map("[A-Za-z_é][A-Za-z0-9_.]{0,6}", text(), 0..3),
        option::of(path()),
        option::of("[a-z0-9]{1,6}(:[a-z0-9]{1,6})?"),
        option::of(signal),
        any::<[bool; 5]>(),
    );
    let limits = (
        option::of((1..=u64::MAX).prop_map(Bytes)),
        option::of((1..=u32::MAX).prop_map(Cpus)),
        prop_oneof![Just(Some(2048)), option::of(1..=4u64 << 20)],
        ulimits(),
        vec(port(), 0..3),
    );
    let seccomp = prop_oneof![
        Just(Seccomp::Default),
        Just(Seccomp::Unconfined),
        path().prop_map(|path| Seccomp::Profile(path.into())),
    ];
    let sysctl = prop_oneof!["net\\.[a-z_]{1,5}\\.[a-z]{1,5}", "fs\\.mqueue\\.[a-z_]{1,5}"];
    let isolation = (
        capabilities(),
        seccomp,
        btree_set(path().prop_map(|path| PathBuf::from(format!("/dev{path}"))), 0..2),
        btree_map(sysctl, "[0-9]{1,4}( [0-9]{1,4})?", 0..3),
        vec(mount(), 0..3),
    );
    let probes = (option::of(probe()), option::of(probe()), option::of(probe()));
    let log = (option::of((1 << 16..=u64::MAX).prop_map(Bytes)), option::of(2..=1000u32))
        .prop_map(|(max_size, max_files)| LogLimits { max_size, max_files });
    let parts = ("[a-z]{1,4}", source, pull, program, process, limits, isolation, (probes, log));
    parts.prop_map(|(name, source, pull, program, process, limits, isolation, (probes, log))| {
        let is_image = matches!(source, Source::Image(_));
        let (command, other_command, args) = program;
        let (env, working_dir, user, stop_signal, flags) = process;
        let [tty, stdin, init, read_only, no_new_privileges] = flags;
        let (memory, cpus, pids, ulimits, ports) = limits;
        let (capabilities, seccomp, devices, sysctls, mounts) = isolation;
        let (liveness, readiness, startup) = probes;
        Container {
            name: name.parse().unwrap(),
            source,
            pull: if is_image { pull } else { Pull::Missing },
            command: if is_image { command } else { Some(other_command) },
            args,
            env,
            working_dir,
            user,
            tty,
            stdin,
            init,
            stop_signal,
            ports,
            memory,
            cpus,
            pids,
            read_only,
            capabilities,
            no_new_privileges,
            seccomp,
            devices,
            sysctls,
            ulimits,
            mounts,
            log,
            liveness,
            readiness,
            startup,
        }
    })
}
