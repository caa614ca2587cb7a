//! The one-line notation of the tables.
//!
//! *Desired*: the generations of a pod `web`, separated by ` => `; the last one is desired. Words
//! of a generation: `app=nginx:1` a container and its image; for the container before, `pids=5`,
//! `memory=1GiB`, `cpus=0.5`, `sysctl=128`, and `digest=a` what its image was resolved to;
//! `restart=never`, `retries=2`, `hostname=www`, `network=host` or `bridge` (`none` unless it says
//! so), `isolated`, `ports=80:80,81:81` of the container before, `label=x`; `stop` and `deleting`.
//! `-` is no desired pod.
//!
//! *Observed*: `absent`, `partial` or `ready` for the sandbox; behind it for a pod on the bridge
//! `on`, or `on=80:80,81:81` with the ports it has, `closed` if these are not open, `drift=x`, and
//! `left` if something of the network is there. Then the instances, oldest first, separated by
//! `; `. Words of an instance: `app/2` container and attempt, `g1` its generation, `s3` its streak,
//! `ran=5s` how long it ran, `ago=1h` when it ended (`ago=?` unknown, `ago=-5s` in the future),
//! `digest=a` its image, `lost` its spec is not stored any more, `gone` nothing is left of it,
//! `limits=64MiB,500,max` the memory, the thousandths of a CPU and the processes that the kernel
//! lets it have (`-` unread) or `limits=gone`, `remounted` its root is mounted otherwise, `removed`
//! it was taken away, and how it is: `running`, `unknown`, `created`, `removing`, `missing`,
//! `code=1`, `signal=9`, `oom`, `stopped`, `reboot`, `unseen`, `start-failed`.
//!
//! *Plan*: ids of steps, with the streak of a start as `~3`; the cause after a colon holds for the
//! steps before it; ` | ` separates causes; `wake 1.5s` is when to look again
//! (the ids of the tables have no jitter).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::pod::{
    Capabilities, Network, Port, Pull, Restart, RestartPolicy, Seccomp, Source,
};
use crate::model::{
    Bytes, Container, ContainerName, DesiredPod, Digest, Exit, ExitReason, Instance, InstanceId,
    Pod, RunState, State,
};
use crate::plan::{
    Action, Confinement, Observed, ObservedInstance, ObservedLimit, ObservedLimits,
    ObservedNetwork, ObservedPod, Plan, SandboxState, Step, plan, restart,
};

/// The time of every test.
pub(super) fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// Plans every `[name, desired, observed, expected]` and reports all that differ at once.
pub(super) fn check(table: &[[&str; 4]]) {
    let mut wrong = Vec::new();
    for [name, wanted, seen, expected] in table {
        let generations = generations(wanted);
        let desired = generations.last().cloned();
        let observed = observed(&generations, seen);
        let pods = BTreeMap::from([("web".parse().unwrap(), observed)]);
        let actual = plan(desired.as_slice(), &Observed { pods, ..Observed::default() }, now());
        let actual = render(&actual);
        if actual != *expected {
            wrong.push(format!("{name}\n  expected: {expected}\n  actual:   {actual}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The notation of a plan for one pod.
pub(super) fn render(plan: &Plan) -> String {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for step in plan.lanes.iter().flat_map(|lane| &lane.steps) {
        match groups.last_mut() {
            Some((cause, ids)) if *cause == step.cause => ids.push(id(step)),
            _ => groups.push((&step.cause, vec![id(step)])),
        }
    }
    let groups = groups.into_iter().map(|(cause, ids)| format!("{}: {cause}", ids.join(" ")));
    let wake = plan.wake.map(|at| at.duration_since(now()).as_secs_f64());
    let wake = wake.map(|seconds| format!("wake {seconds}s"));
    groups.chain(wake).collect::<Vec<_>>().join(" | ")
}

fn id(step: &Step) -> String {
    match step.action {
        Action::Start { streak, .. } if streak > 0 => format!("{}~{streak}", step.id),
        _ => step.id.clone(),
    }
}

/// All generations of the pod, the desired one last; none for `-`.
pub(super) fn generations(text: &str) -> Vec<DesiredPod> {
    let texts = text.split(" => ").filter(|text| *text != "-");
    (1..).zip(texts).map(|(number, text)| generation(number, text)).collect()
}

fn generation(number: u64, text: &str) -> DesiredPod {
    let mut desired = DesiredPod {
        pod: pod(),
        generation: number,
        run: RunState::Run,
        renewed: 0,
        revived: 0,
        deleting: false,
        images: BTreeMap::new(),
        created_at: now(),
        updated_at: now(),
    };
    for word in text.split_whitespace() {
        let pod = &mut desired.pod;
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "stop" => desired.run = RunState::Stop,
            "deleting" => desired.deleting = true,
            "renewed" => desired.renewed = number,
            "revived" => desired.revived = number,
            "restart" => pod.restart.policy = policy(value),
            "retries" => pod.restart.max_retries = Some(value.parse().unwrap()),
            "hostname" => pod.hostname = value.to_owned(),
            "network" if value == "host" => pod.network = Network::Host,
            "network" if value == "bridge" => pod.network = Network::Bridge,
            "isolated" => pod.isolated = true,
            "share_pids" => pod.share_pids = true,
            "init" => pod.init_containers.extend(pod.containers.pop()),
            "ports" => pod.containers.last_mut().unwrap().ports = ports(value),
            "label" => drop(pod.labels.insert("tier".to_owned(), value.to_owned())),
            "memory" => pod.containers.last_mut().unwrap().memory = Some(value.parse().unwrap()),
            "cpus" => pod.containers.last_mut().unwrap().cpus = Some(value.parse().unwrap()),
            "pids" => pod.containers.last_mut().unwrap().pids = Some(value.parse().unwrap()),
            "sysctl" => {
                let sysctls = &mut pod.containers.last_mut().unwrap().sysctls;
                sysctls.insert("net.core.somaxconn".to_owned(), value.to_owned());
            }
            "digest" => {
                let name = pod.containers.last().unwrap().name.clone();
                desired.images.insert(name, digest(value));
            }
            name => pod.containers.push(container(name.parse().unwrap(), value)),
        }
    }
    desired
}

fn ports(text: &str) -> Vec<Port> {
    text.split(',').map(|port| port.parse().unwrap()).collect()
}

fn policy(text: &str) -> RestartPolicy {
    match text {
        "always" => RestartPolicy::Always,
        "on-failure" => RestartPolicy::OnFailure,
        "never" => RestartPolicy::Never,
        other => panic!("{other} is no restart policy"),
    }
}

fn digest(letter: &str) -> Digest {
    format!("sha256:{}", letter.repeat(64)).parse().unwrap()
}

fn pod() -> Pod {
    Pod {
        name: "web".parse().unwrap(),
        hostname: "web".to_owned(),
        restart: Restart::default(),
        stop_timeout: Duration::from_secs(30),
        network: Network::None,
        isolated: false,
        share_pids: false,
        dns: Vec::new(),
        dns_search: Vec::new(),
        extra_hosts: BTreeMap::new(),
        depends_on: Default::default(),
        labels: BTreeMap::new(),
        init_containers: Vec::new(),
        containers: Vec::new(),
    }
}

fn container(name: ContainerName, image: &str) -> Container {
    Container {
        name,
        source: Source::Image(image.to_owned()),
        pull: Pull::Missing,
        command: None,
        args: None,
        env: BTreeMap::new(),
        working_dir: None,
        user: None,
        tty: false,
        stdin: false,
        init: false,
        stop_signal: None,
        ports: Vec::new(),
        memory: None,
        cpus: None,
        pids: Some(2048),
        read_only: false,
        capabilities: Capabilities::default(),
        no_new_privileges: true,
        seccomp: Seccomp::Default,
        devices: Default::default(),
        sysctls: BTreeMap::new(),
        ulimits: BTreeMap::new(),
        mounts: Vec::new(),
        log: Default::default(),
        liveness: None,
        readiness: None,
        startup: None,
    }
}

/// What was seen of the pod.
pub(super) fn observed(generations: &[DesiredPod], text: &str) -> ObservedPod {
    let mut parts = text.split("; ");
    let mut words = parts.next().unwrap().split(' ');
    let sandbox = match words.next().unwrap() {
        "absent" => SandboxState::Absent,
        "partial" => SandboxState::Partial,
        "ready" => SandboxState::Ready,
        other => panic!("{other} is no state of a sandbox"),
    };
    let mut network = ObservedNetwork { open: true, ..ObservedNetwork::default() };
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "on" => (network.connected, network.present) = (true, true),
            "closed" => network.open = false,
            "drift" => network.drift = Some(value.to_owned()),
            "left" => network.present = true,
            other => panic!("{other} is no state of a network"),
        }
        if key == "on" && !value.is_empty() {
            let app = || "app".parse().unwrap();
            network.ports = ports(value).into_iter().map(|port| (app(), port)).collect();
        }
    }
    let instances = parts.map(|part| instance(generations, part)).collect();
    ObservedPod { sandbox, network, instances }
}

fn instance(generations: &[DesiredPod], text: &str) -> ObservedInstance {
    let (name, words) = text.split_once(' ').unwrap();
    let (container, attempt) = name.split_once('/').unwrap();
    let attempt = attempt.parse().unwrap();
    let mut instance = Instance {
        id: id_without_jitter(container, attempt),
        pod: "web".parse().unwrap(),
        container: container.parse().unwrap(),
        generation: 1,
        attempt,
        streak: 0,
        state: State::Failed,
        boot: String::new(),
        monitor: None,
        process: None,
        image: None,
        created_at: now(),
        started_at: None,
        exit: None,
        removed: false,
        notes: Vec::new(),
    };
    let (mut ran, mut ago, mut lost, mut leftovers) = ("5s", "1h", false, true);
    let (mut confinement, mut remounted) = (Confinement::Unread, false);
    for word in words.split_whitespace() {
        match word.split_once('=') {
            Some(("ran", value)) => ran = value,
            Some(("ago", value)) => ago = value,
            Some(("digest", value)) => instance.image = Some(digest(value)),
            Some(("limits", value)) => confinement = limits(value),
            None if word == "remounted" => remounted = true,
            None if word == "lost" => lost = true,
            None if word == "gone" => leftovers = false,
            None if word == "removed" => (instance.removed, leftovers) = (true, false),
            None if word.starts_with('g') => instance.generation = word[1..].parse().unwrap(),
            None if word.starts_with('s') && word[1..].parse::<u32>().is_ok() => {
                instance.streak = word[1..].parse().unwrap();
            }
            _ => how_it_is(&mut instance, word),
        }
    }
    let end = (ago != "?").then(|| now() - span(ago));
    if let Some(exit) = &mut instance.exit {
        exit.finished_at = end;
    }
    let end = if instance.exit.is_some() { end.unwrap_or(now()) } else { now() };
    instance.created_at = end - span(ran);
    let has_failed = matches!(instance.exit, Some(Exit { reason: ExitReason::StartFailed(_), .. }));
    if !has_failed && instance.state != State::Created {
        instance.started_at = Some(instance.created_at);
    }
    let number = usize::try_from(instance.generation).unwrap();
    let spec = generations.get(number - 1).filter(|_| !lost);
    let spec = spec.map(|known| Arc::new(known.pod.clone()));
    ObservedInstance { instance, spec, health: None, confinement, remounted, leftovers }
}

fn limits(text: &str) -> Confinement {
    if text == "gone" {
        return Confinement::Gone;
    }
    let limit = |text: &str| match text {
        "-" => None,
        "max" => Some(ObservedLimit::Unlimited),
        text => Some(ObservedLimit::At(text.parse::<Bytes>().unwrap().0)),
    };
    let [memory, cpus, pids] = text.split(',').map(limit).collect::<Vec<_>>().try_into().unwrap();
    Confinement::Limits(ObservedLimits { memory, cpus, pids })
}

/// An id whose delays are not jittered, so that the tables show round times.
fn id_without_jitter(container: &str, attempt: u32) -> InstanceId {
    let hash = |bits, byte| bits * 31 + u64::from(byte);
    let first = container.bytes().fold(u64::from(attempt), hash) << 32;
    (first..).map(InstanceId::from_bits).find(|id| restart::jitter(id) == 1000).unwrap()
}

fn how_it_is(instance: &mut Instance, word: &str) {
    let exit = |code, signal, reason| {
        let oom = reason == ExitReason::Oom;
        Some(Exit { code, signal, oom, reason, finished_at: None })
    };
    let (state, exit) = match word.split_once('=').unwrap_or((word, "")) {
        ("running", _) => (State::Running, None),
        ("unknown", _) => (State::Unknown, None),
        ("created", _) => (State::Created, None),
        ("removing", _) => (State::Removing, None),
        ("missing", _) => (State::Missing, None),
        ("code", "0") => (State::Stopped, exit(Some(0), None, ExitReason::Exited)),
        ("code", code) => {
            (State::Failed, exit(Some(code.parse().unwrap()), None, ExitReason::Exited))
        }
        ("signal", number) => {
            (State::Failed, exit(None, Some(number.parse().unwrap()), ExitReason::Exited))
        }
        ("oom", _) => (State::Failed, exit(None, Some(9), ExitReason::Oom)),
        ("stopped", _) => (State::Stopped, exit(Some(0), None, ExitReason::Stopped)),
        ("reboot", _) => (State::Failed, exit(None, None, ExitReason::HostReboot)),
        ("unseen", _) => (State::Failed, exit(None, None, ExitReason::Unknown)),
        ("start-failed", _) => {
            let reason = ExitReason::StartFailed("cannot execute /x".to_owned());
            (State::Failed, exit(Some(127), None, reason))
        }
        other => panic!("{other:?} is no word of an instance"),
    };
    (instance.state, instance.exit) = (state, exit);
}

fn span(text: &str) -> SignedDuration {
    let (number, unit) = text.split_at(text.len() - 1);
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        other => panic!("{other} is no unit of time"),
    };
    SignedDuration::from_secs_f64(number.parse::<f64>().unwrap() * seconds)
}
