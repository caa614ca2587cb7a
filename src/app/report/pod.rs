//! What pods and containers are, and how they got there.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{ContainerName, Digest, ExitReason, Instance, InstanceId, Pod, PodName};
use crate::model::{ProbeHealth, RunState, State};
use crate::plan::ObservedInstance;
use crate::store::{Event, NewEvent, Pass, Step, StepState};

/// What a pod is doing, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PodStatus {
    /// Nothing of it was started yet.
    Pending,
    /// An init container runs.
    Initializing,
    /// All its containers run.
    Running,
    /// All its containers run, and some are not ready to serve.
    Unready,
    /// Some of its containers run, others ended.
    Degraded,
    /// A container ended and waits for its restart.
    BackingOff,
    /// All its containers ended with 0 and will not be started again.
    Completed,
    /// A container ended badly and will not be started again.
    Failed,
    /// It was asked to be stopped, but something of it still runs.
    Stopping,
    /// It was asked to be stopped.
    Stopped,
    /// It is being deleted.
    Deleting,
}

/// Whether what was observed is what is desired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sync {
    /// A pass would do nothing.
    Sync,
    /// A pass would change something; the reasons say what.
    Diverged,
}

/// Every desired pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ListReport {
    /// The pods, by name.
    pub pods: Vec<PodSummary>,
}

/// One desired pod in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PodSummary {
    /// Its name.
    pub name: PodName,
    /// Counts the changes of its spec, from 1.
    pub generation: u64,
    /// What it is doing.
    pub status: PodStatus,
    /// When the first restart delay ends that it waits for.
    pub waits_until: Option<Timestamp>,
    /// How many of its containers are ready.
    pub ready: usize,
    /// How many containers it has.
    pub total: usize,
    /// How many instances were started after the first one of each container.
    pub restarts: u32,
    /// Whether it is as desired.
    pub sync: Sync,
    /// The causes of what a pass would do; empty when it is in sync.
    pub reasons: Vec<String>,
    /// How its containers ended lately, at most five, the newest first.
    pub exits: Vec<ExitReport>,
    /// Its address.
    pub ip: Option<IpAddr>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// How one life of a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExitReport {
    /// The container.
    pub container: ContainerName,
    /// Counts its lives, from 1.
    pub attempt: u32,
    /// What its program returned.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Why it ended, as for a container.
    pub reason: &'static str,
    /// The rest of the story, where there is one.
    pub detail: Option<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl ExitReport {
    /// The end of an instance; `None` if it has none.
    pub fn of(instance: &Instance) -> Option<Self> {
        let exit = instance.exit.as_ref()?;
        Some(Self {
            container: instance.container.clone(),
            attempt: instance.attempt,
            exit_code: exit.code,
            signal: exit.signal,
            reason: reason_word(&exit.reason),
            detail: reason_detail(&exit.reason),
            finished_at: exit.finished_at,
        })
    }
}

/// Every container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PsReport {
    /// The instances, by pod, container and attempt.
    pub containers: Vec<ContainerReport>,
}

/// One life of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContainerReport {
    /// The pod.
    pub pod: PodName,
    /// The container's name.
    pub name: ContainerName,
    /// The instance.
    pub id: InstanceId,
    /// What it was last seen doing.
    pub state: State,
    /// Its first process, while it runs.
    pub pid: Option<i32>,
    /// Counts the lives of the container, from 1.
    pub attempt: u32,
    /// What its program returned.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether the kernel killed a process of it for want of memory; `None` while it runs.
    pub oom: Option<bool>,
    /// Why it ended: `exited`, `oom`, `probe`, `stopped`, `start-failed`, `host-reboot` or `unknown`.
    pub reason: Option<&'static str>,
    /// Which step failed and why, when it was never started; which probe and how, when it was ended
    /// for one.
    pub detail: Option<String>,
    /// Whether it can serve; `None` if it does not run.
    pub ready: Option<bool>,
    /// How its probes went, while it runs.
    pub probes: Vec<ProbeHealth>,
    /// The image it runs, as the pod file names it, or its root directory.
    pub image: Option<String>,
    /// The manifest the image's name was resolved to.
    pub image_digest: Option<Digest>,
    /// When its program was executed.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its published ports, as the pod file writes them.
    pub ports: Vec<String>,
    /// Harmless things the host refused.
    pub notes: Vec<String>,
}

impl ContainerReport {
    /// Describes an instance; `image` and `ports` come from the spec it runs, and `seen` is how it
    /// was seen, if it was.
    pub fn new(
        instance: &Instance,
        seen: Option<&ObservedInstance>,
        image: Option<String>,
        ports: Vec<String>,
    ) -> Self {
        let exit = instance.exit.as_ref();
        let pid = match instance.state {
            State::Running => instance.process.map(|process| process.pid),
            _ => None,
        };
        let running = seen.filter(|_| instance.state == State::Running);
        let health = running.and_then(|seen| seen.health.as_ref());
        Self {
            pod: instance.pod.clone(),
            name: instance.container.clone(),
            id: instance.id.clone(),
            state: instance.state,
            pid,
            attempt: instance.attempt,
            exit_code: exit.and_then(|exit| exit.code),
            signal: exit.and_then(|exit| exit.signal),
            oom: exit.map(|exit| exit.oom),
            reason: match (exit, instance.state) {
                (Some(exit), _) => Some(reason_word(&exit.reason)),
                // It ended, and nobody saw how.
                (None, State::Missing) => Some(reason_word(&ExitReason::Unknown)),
                (None, _) => None,
            },
            detail: exit.and_then(|exit| reason_detail(&exit.reason)),
            ready: running.map(ObservedInstance::is_ready),
            probes: health.map(|health| health.probes.clone()).unwrap_or_default(),
            image,
            image_digest: instance.image.clone(),
            started_at: instance.started_at,
            finished_at: exit.and_then(|exit| exit.finished_at),
            ports,
            notes: instance.notes.clone(),
        }
    }

    /// How many times the container was started again before this life.
    pub fn restarts(&self) -> u32 {
        self.attempt.saturating_sub(1)
    }
}

fn reason_detail(reason: &ExitReason) -> Option<String> {
    match reason {
        ExitReason::StartFailed(why) | ExitReason::Probe(why) => Some(why.clone()),
        _ => None,
    }
}

fn reason_word(reason: &ExitReason) -> &'static str {
    match reason {
        ExitReason::Exited => "exited",
        ExitReason::Oom => "oom",
        ExitReason::Probe(_) => "probe",
        ExitReason::Stopped => "stopped",
        ExitReason::StartFailed(_) => "start-failed",
        ExitReason::HostReboot => "host-reboot",
        ExitReason::Unknown => "unknown",
    }
}

/// Everything that is known of one pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DescribeReport {
    /// The pod in a line.
    #[serde(flatten)]
    pub summary: PodSummary,
    /// Whether it should be running.
    pub run: RunState,
    /// When its spec last changed.
    pub updated_at: Timestamp,
    /// Its spec.
    pub spec: Pod,
    /// Its instances on record, by container, the newest first.
    pub instances: Vec<ContainerReport>,
    /// The last steps of passes, oldest first.
    pub steps: Vec<StepReport>,
    /// What happened lately, oldest first.
    pub events: Vec<EventReport>,
    /// Fields that could not be observed, and other things worth knowing.
    pub notes: Vec<String>,
}

/// A step of a pass, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Its stable id within the pod: `start/app/3`.
    pub id: String,
    /// The container it was about, if it was about one.
    pub container: Option<ContainerName>,
    /// What was to be done, in one word.
    pub action: String,
    /// Why.
    pub cause: String,
    /// Where it stands: `started`, `waiting`, `succeeded`, `failed` or `interrupted`.
    pub state: &'static str,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it ended, or was found to be interrupted.
    pub finished_at: Option<Timestamp>,
    /// The command whose pass it was part of, if that is still on record.
    pub command: Option<String>,
    /// The process that ran it.
    pub pid: Option<i32>,
}

impl StepReport {
    /// Describes a step of `pass`.
    pub fn new(step: Step, pass: Option<&Pass>) -> Self {
        Self {
            id: step.step,
            container: step.container,
            action: step.action,
            cause: step.cause,
            state: match step.state {
                StepState::Started => "started",
                StepState::Waiting => "waiting",
                StepState::Succeeded => "succeeded",
                StepState::Failed => "failed",
                StepState::Interrupted => "interrupted",
            },
            error: step.error,
            started_at: step.started_at,
            finished_at: step.finished_at,
            command: pass.map(|pass| pass.command.clone()),
            pid: pass.map(|pass| pass.owner.process.pid),
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventReport {
    /// When.
    pub time: Timestamp,
    /// The pod it happened to.
    pub pod: Option<PodName>,
    /// The container it happened to.
    pub container: Option<ContainerName>,
    /// What happened, in one word: `started`, `exited`, `oom`.
    pub kind: String,
    /// The rest of the story.
    pub message: String,
}

impl From<Event> for EventReport {
    fn from(Event { event, .. }: Event) -> Self {
        let NewEvent { at: time, pod, container, kind, message, .. } = event;
        Self { time, pod, container, kind, message }
    }
}

/// What a pod was, generation by generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryReport {
    /// The pod.
    pub name: PodName,
    /// Its revisions on record, the newest first.
    pub revisions: Vec<RevisionReport>,
}

/// One generation of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevisionReport {
    /// Its number.
    pub generation: u64,
    /// When it was applied.
    pub created_at: Timestamp,
    /// Whether it is the present one.
    pub current: bool,
    /// What it changed; `None` where the one before is not on record.
    pub changes: Option<Vec<ChangeReport>>,
}

/// A field that has another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeReport {
    /// Where it stands in the pod file.
    pub path: String,
    /// The value before; a secret's is `***`.
    pub old: String,
    /// The value after.
    pub new: String,
}
