//! What each step of a plan does to the world. Every one may be repeated.

use std::os::fd::AsFd;
use std::time::Duration;

use super::ending::Ending;
use super::error::Result;
use super::execute::{Progress, StepResult, Waiting, ended, not_started};
use super::place::InstancePlace;
use super::prepare::Prepared;
use super::work::Work;
use super::{Engine, fault, prepare};
use crate::model::pod::Network;
use crate::model::{InstanceId, Pod, State};
use crate::plan::{Action, Step};
use crate::runtime::cgroup::Limits;
use crate::runtime::sandbox::{self, Outside, Sandbox};
use crate::runtime::{end, launch, log, monitor, observe, start};
use crate::sys::{clock, file};

/// How many lives of a container have their logs kept.
const KEPT_LOGS: u32 = 10;

fn plain(result: Result<Progress>) -> StepResult {
    result.map_err(|error| (None, error))
}

impl Engine {
    pub(super) fn begin(&self, work: &mut Work, step: &Step) -> StepResult {
        match &step.action {
            Action::CreateSandbox => plain(self.create_sandbox(work)),
            Action::Connect { .. } => plain(self.connect(work).map(|()| Progress::Done(None))),
            Action::Start { .. } => self.begin_start(work, step),
            Action::Stop { id } => plain(self.begin_stop(work, id)),
            Action::Remove { id } => plain(self.remove(work, id)),
            Action::Update { id } => plain(self.update(work, id)),
            Action::RemoveSandbox => plain(self.remove_sandbox(work)),
            Action::Forget => plain(self.forget(work)),
        }
    }

    fn create_sandbox(&self, work: &Work) -> Result<Progress> {
        if let Some(desired) = &work.desired {
            let pod = &desired.pod;
            let outside = Outside { executable: self.executable()?, cgroup: &self.monitors()? };
            let name = || match pod.network {
                Network::Host => Ok(()),
                Network::Bridge | Network::None => self.name_namespace(&pod.name),
            };
            sandbox(pod).create(&self.directories, &pod.name, &outside, name)?;
        }
        Ok(Progress::Done(None))
    }

    /// Gives up the namespaces; the kernel removes what is in one that nobody is in any more.
    fn remove_sandbox(&self, work: &Work) -> Result<Progress> {
        self.unname_namespace(&work.lane.pod)?;
        sandbox::remove(&self.directories, &work.lane.pod)?;
        Ok(Progress::Done(None))
    }

    fn begin_start(&self, work: &Work, step: &Step) -> StepResult {
        let (Some(new), Some(desired)) = (work.starts.get(&step.id), &work.desired) else {
            return Ok(Progress::Done(None));
        };
        let mut instance = new.clone();
        let begun = self.prepare(desired, &instance).and_then(|prepared| {
            instance.notes.extend(prepared.notes.iter().cloned());
            let executable = self.executable()?;
            let monitors = self.monitors_directory()?;
            let monitors = monitors.as_ref().map(AsFd::as_fd);
            let Prepared { launch, spec, files, .. } = &prepared;
            Ok(start::start(launch, spec, files, executable, monitors)?)
        });
        fault::point("spawned");
        match begun {
            Ok(starting) => Ok(Progress::Waiting(Waiting::Start(starting, Box::new(instance)))),
            Err(error) => Err(not_started(instance, error)),
        }
    }

    fn begin_stop(&self, work: &Work, id: &InstanceId) -> Result<Progress> {
        let Some(instance) = work.instances.get(id) else { return Ok(Progress::Done(None)) };
        let spec = work.specs.get(id).map(AsRef::as_ref);
        let spec = spec.or(work.desired.as_ref().map(|desired| &desired.pod));
        let grace = work.desired.as_ref().map(|desired| &desired.pod).or(spec);
        let grace = grace.map_or(Duration::from_secs(30), |pod| pod.stop_timeout);
        let signal = spec.map_or(libc::SIGTERM, |pod| self.stop_signal(pod, instance));
        let place = InstancePlace::of(&self.directories, id);
        let mut ending = Ending::begin(instance.clone(), place, signal, grace, clock::monotonic())?;
        match ending.turn(clock::monotonic())? {
            Some(exit) => Ok(Progress::Done(Some(Box::new(ended(ending.instance, exit))))),
            None => Ok(Progress::Waiting(Waiting::Stop(Box::new(ending)))),
        }
    }

    fn remove(&self, work: &Work, id: &InstanceId) -> Result<Progress> {
        let Some(instance) = work.instances.get(id) else { return Ok(Progress::Done(None)) };
        let place = InstancePlace::of(&self.directories, id);
        let group = self.instance_group(instance)?;
        let mut instance = instance.clone();
        // The last chance to take in how it ended.
        if instance.exit.is_none()
            && let Some(record) = observe::exit_record(place.files())
        {
            instance = ended(instance, record.exit);
        }
        end::remove(place.files(), &group)?;
        if let Some(old) = instance.attempt.checked_sub(KEPT_LOGS) {
            log::remove(&self.directories.log(&instance.pod, &instance.container, old))?;
        }
        if matches!(instance.state, State::Created | State::Removing) {
            instance.state = State::Missing;
        }
        instance.removed = true;
        Ok(Progress::Done(Some(Box::new(instance))))
    }

    fn update(&self, work: &Work, id: &InstanceId) -> Result<Progress> {
        let (Some(instance), Some(desired)) = (work.instances.get(id), &work.desired) else {
            return Ok(Progress::Done(None));
        };
        let container = prepare::container(&desired.pod, instance)?;
        let limits =
            Limits { memory: container.memory, cpus: container.cpus, pids: container.pids };
        let group = self.instance_group(instance)?;
        let notes = group.update(&limits)?;
        // Where config.toml could not be read, what the monitor was told of the log stays.
        let logs = self.logs.get().map(|_| self.log_limits(container));
        let change = launch::Change {
            log: logs.map(|logs| (logs.max_size, logs.max_files)),
            care: self.care(desired, container, instance),
        };
        let place = InstancePlace::of(&self.directories, id);
        // Also where it says so already: whoever wrote it may have been killed before he told.
        if change.write(place.files())?
            && let Some(monitor) = instance.monitor
        {
            monitor::tell_to_look(place.files(), monitor)?;
        }
        self.write_names(&desired.pod, id)?;
        let mut instance = instance.clone();
        instance.generation = desired.generation;
        instance.notes.extend(notes.iter().map(ToString::to_string));
        Ok(Progress::Done(Some(Box::new(instance))))
    }

    /// What is outside the database of a pod that is no more; its rows go with the results.
    fn forget(&self, work: &Work) -> Result<Progress> {
        let pod = &work.lane.pod;
        file::remove_tree(&self.directories.pod_logs(pod))?;
        self.cgroups.remove_empty(pod)?;
        Ok(Progress::Done(None))
    }
}

/// The sandbox that a pod's spec asks for.
pub(super) fn sandbox(pod: &Pod) -> Sandbox {
    Sandbox {
        hostname: pod.hostname.clone(),
        own_network: pod.network != Network::Host,
        share_pids: pod.share_pids,
    }
}
