//! What a pass did, does, or would do.

use serde::Serialize;

use crate::model::{ContainerName, PodName};
use crate::plan;

/// What became of one pod's desired state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PodResult {
    /// It is new.
    Created,
    /// Its spec changed.
    Configured,
    /// Nothing changed.
    Unchanged,
    /// It is gone.
    Deleted,
    /// It should run.
    Started,
    /// It should not run.
    Stopped,
    /// It should run, all of it anew.
    Restarted,
}

/// One pod's line in a [`PassReport`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PodOutcome {
    /// The pod.
    pub name: PodName,
    /// What became of it.
    pub result: PodResult,
    /// The generation that it is now; `None` of one that is no more.
    pub generation: Option<u64>,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepError {
    /// The pod whose lane it was in; `None` when the failure concerns no single pod.
    pub pod: Option<PodName>,
    /// The step's stable id: `start/app/3`.
    pub step: String,
    /// The whole chain of causes on one line.
    pub error: String,
}

/// What a change of desired state and its pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PassReport {
    /// The pods that were named, in the order they were given.
    pub pods: Vec<PodOutcome>,
    /// How many steps were planned.
    pub planned: usize,
    /// How many of them succeeded.
    pub executed: usize,
    /// How many of them failed.
    pub failed: usize,
    /// Why they failed.
    pub errors: Vec<StepError>,
    /// The planned steps, lane by lane.
    pub steps: Vec<PlannedStep>,
    /// The pods that are not started because others are not ready.
    pub waiting: Vec<WaitingPod>,
}

/// What a pass would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlanReport {
    /// How many steps there are.
    pub changes: usize,
    /// The steps, lane by lane.
    pub steps: Vec<PlannedStep>,
    /// The pods that would not be started because others are not ready.
    pub waiting: Vec<WaitingPod>,
}

/// A pod that waits for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingPod {
    /// The pod.
    pub pod: PodName,
    /// The one it waits for.
    pub on: PodName,
    /// Why, for people: `waits for pod db, which is pending`.
    pub reason: String,
}

/// What a step does. The words scripts see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepAction {
    /// Makes the pod's namespaces.
    CreateSandbox,
    /// Joins the pod to the network and publishes its ports.
    Connect,
    /// Starts a new instance.
    Start,
    /// Ends an instance.
    Stop,
    /// Removes what an instance left.
    Remove,
    /// Changes a running instance in place.
    Update,
    /// Gives up the pod's namespaces.
    RemoveSandbox,
    /// Removes the last records of a deleted pod.
    Forget,
}

impl From<&plan::Action> for StepAction {
    fn from(action: &plan::Action) -> Self {
        match action {
            plan::Action::CreateSandbox => Self::CreateSandbox,
            plan::Action::Connect { .. } => Self::Connect,
            plan::Action::Start { .. } => Self::Start,
            plan::Action::Stop { .. } => Self::Stop,
            plan::Action::Remove { .. } => Self::Remove,
            plan::Action::Update { .. } => Self::Update,
            plan::Action::RemoveSandbox => Self::RemoveSandbox,
            plan::Action::Forget => Self::Forget,
        }
    }
}

/// One step of a plan, with its cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    /// The pod whose lane it is in.
    pub pod: PodName,
    /// The container it is about, if it is about one.
    pub container: Option<ContainerName>,
    /// What it does.
    pub action: StepAction,
    /// The field, the exit or the drift that caused it.
    pub cause: String,
    /// The attempt number of an instance to be started.
    pub attempt: Option<u32>,
    /// The addresses at which the pod can be reached afterwards and could not be before.
    pub exposes: Vec<String>,
    /// Its stable id within the pod.
    pub id: String,
}

impl PlannedStep {
    /// Describes `step` of the lane of `pod`.
    pub fn new(pod: &PodName, step: &plan::Step) -> Self {
        let attempt = match step.action {
            plan::Action::Start { attempt, .. } => Some(attempt),
            _ => None,
        };
        let exposes = match &step.action {
            plan::Action::Connect { exposes } => exposes.clone(),
            _ => Vec::new(),
        };
        Self {
            exposes,
            pod: pod.clone(),
            container: step.container.clone(),
            action: (&step.action).into(),
            cause: step.cause.clone(),
            attempt,
            id: step.id.clone(),
        }
    }
}

impl From<&plan::Plan> for PlanReport {
    fn from(plan: &plan::Plan) -> Self {
        let steps: Vec<_> = plan
            .lanes
            .iter()
            .flat_map(|lane| lane.steps.iter().map(|step| PlannedStep::new(&lane.pod, step)))
            .collect();
        let waiting = plan.waiting.iter().map(|(pod, hold)| WaitingPod {
            pod: pod.clone(),
            on: hold.pod.clone(),
            reason: format!("waits for {hold}"),
        });
        Self { changes: steps.len(), steps, waiting: waiting.collect() }
    }
}

/// What happens while a use case runs, for people who watch.
#[derive(Debug)]
pub enum Progress<'a> {
    /// The desired state of a pod was decided upon (and written, unless it is a dry run).
    Desired(&'a PodOutcome),
    /// A step begins.
    Started(&'a PlannedStep),
    /// A step ended well.
    Succeeded(&'a PlannedStep),
    /// A step failed; the text is its chain of causes.
    Failed(&'a PlannedStep, &'a str),
    /// Anything else worth a line: what is waited for, which layer is unpacked.
    Note(&'a str),
}
