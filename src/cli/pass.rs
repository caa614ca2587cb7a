//! What a change of desired state and its pass did, told while it happens and summed up after.

use std::collections::BTreeSet;
use std::io;

use clap::builder::styling::Style;

use super::failure::{self, DONE, FAILED};
use super::plan::step_table;
use super::ui::{BAD, FAINT, GOOD, ODD, PLAIN, Ui};
use crate::app::CREATE;
use crate::app::report::{
    PassReport, PlannedStep, PodOutcome, PodResult, Progress, StepAction, StepError, WaitingPod,
};
use crate::model::PodName;

/// Tells about one pass.
#[derive(Debug)]
pub struct Narrator<'a> {
    ui: &'a mut Ui,
    json: bool,
    dry_run: bool,
    told: BTreeSet<PodName>,
    noted: BTreeSet<String>,
}

impl<'a> Narrator<'a> {
    /// A narrator in the given form; `dry_run` shows the steps instead of what they did.
    pub fn new(ui: &'a mut Ui, json: bool, dry_run: bool) -> Self {
        Self { ui, json, dry_run, told: BTreeSet::new(), noted: BTreeSet::new() }
    }

    /// Tells what just happened. Nobody listening is no reason to stop the work.
    pub fn tell(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Desired(outcome) => {
                drop(self.outcome(outcome).and_then(|()| self.ui.out.flush()));
            }
            Progress::Started(step) => self.ui.progress(FAINT, &line(step, "…")),
            Progress::Succeeded(step) => self.ui.progress(PLAIN, &line(step, ": done")),
            Progress::Failed(step, why) => self.ui.progress(BAD, &line(step, &format!(": {why}"))),
            Progress::Note(note) if self.noted.insert((*note).to_owned()) => {
                self.ui.progress(FAINT, note);
            }
            Progress::Note(_) => {}
        }
    }

    /// Sums up, and says with which code the command ends.
    pub fn finish(mut self, report: &PassReport) -> io::Result<u8> {
        match self.summary(report) {
            Err(e) if !failure::is_broken_pipe(&e) => Err(e),
            _ if report.failed > 0 => Ok(FAILED),
            _ => Ok(DONE),
        }
    }

    fn summary(&mut self, report: &PassReport) -> io::Result<()> {
        self.failures(report)?;
        if self.json {
            return self.ui.out.json(report);
        }
        for outcome in &report.pods {
            self.outcome(outcome)?;
        }
        if self.dry_run && !report.steps.is_empty() {
            self.ui.out.table(&step_table(&report.steps))?;
        }
        if self.ui.is_quiet() {
            return Ok(());
        }
        let failed = |step: &PlannedStep| {
            let this =
                |error: &StepError| error.pod.as_ref() == Some(&step.pod) && error.step == step.id;
            report.errors.iter().any(this)
        };
        for step in report.steps.iter().filter(|step| !failed(step)) {
            exposure(step).map_or(Ok(()), |line| self.ui.out.line(&line))?;
        }
        for waiting in &report.waiting {
            self.ui.out.line(&waiting_line(waiting))?;
        }
        self.ui.out.line(&format!(
            "planned {}, executed {}, failed {}",
            report.planned, report.executed, report.failed
        ))
    }

    fn failures(&mut self, report: &PassReport) -> io::Result<()> {
        let mut pods = BTreeSet::new();
        for error in &report.errors {
            self.ui.err.styled(BAD, "tank: error: ")?;
            match &error.pod {
                Some(pod) => self.ui.err.text(&format!("pod/{pod}: {}: ", error.step))?,
                None => self.ui.err.text(&format!("{}: ", error.step))?,
            }
            self.ui.err.line(&error.error)?;
            // A pod that could not be made has no state.
            pods.extend(error.pod.as_ref().filter(|_| error.step != CREATE));
        }
        if let Some(pod) = pods.first() {
            self.ui.err.line(&format!("hint: `tank describe {pod}` shows its state"))?;
        }
        self.ui.err.flush()
    }

    fn outcome(&mut self, outcome: &PodOutcome) -> io::Result<()> {
        if self.json || self.ui.is_quiet() || !self.told.insert(outcome.name.clone()) {
            return Ok(());
        }
        let (style, word) = result_word(outcome.result);
        self.ui.out.text(&format!("pod/{} ", outcome.name))?;
        self.ui.out.styled(style, word)?;
        self.ui.out.text(if self.dry_run { " (dry run)\n" } else { "\n" })
    }
}

fn result_word(result: PodResult) -> (Style, &'static str) {
    match result {
        PodResult::Created => (GOOD, "created"),
        PodResult::Configured => (ODD, "configured"),
        PodResult::Unchanged => (PLAIN, "unchanged"),
        PodResult::Deleted => (ODD, "deleted"),
        PodResult::Started => (GOOD, "started"),
        PodResult::Stopped => (ODD, "stopped"),
        PodResult::Restarted => (GOOD, "restarted"),
    }
}

fn line(step: &PlannedStep, end: &str) -> String {
    format!("pod/{}: {}{end}", step.pod, describe(step))
}

/// What can be reached from outside after a step, if it opens anything.
pub fn exposure(step: &PlannedStep) -> Option<String> {
    let all = step.exposes.join(", ");
    (!all.is_empty()).then(|| format!("pod/{} exposes {all}", step.pod))
}

/// A pod that is not started yet.
pub fn waiting_line(waiting: &WaitingPod) -> String {
    format!("pod/{} {}", waiting.pod, waiting.reason)
}

/// A step in the words of people: `start app (attempt 2)`.
pub fn describe(step: &PlannedStep) -> String {
    let verb = match step.action {
        StepAction::CreateSandbox => "create sandbox",
        StepAction::Connect => "connect to the network",
        StepAction::Start => "start",
        StepAction::Stop => "stop",
        StepAction::Remove => "remove",
        StepAction::Update => "update",
        StepAction::RemoveSandbox => "remove sandbox",
        StepAction::Forget => "forget",
    };
    let mut text = verb.to_owned();
    if let Some(container) = &step.container {
        text = format!("{text} {container}");
    }
    match step.attempt {
        Some(attempt) if attempt > 1 => format!("{text} (attempt {attempt})"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::ui::{Verbosity, testing};
    use super::*;

    fn web(result: PodResult) -> PodOutcome {
        PodOutcome { name: "web".parse().unwrap(), result, generation: Some(1) }
    }

    fn report(failed: usize) -> PassReport {
        let error = StepError {
            pod: Some("web".parse().unwrap()),
            step: "start/app/1".into(),
            error: "cannot start app: no such file".into(),
        };
        PassReport {
            pods: vec![web(PodResult::Created)],
            planned: 2,
            executed: 2 - failed,
            failed,
            errors: vec![error; failed],
            steps: vec![],
            waiting: vec![],
        }
    }

    #[test]
    fn a_pod_is_told_once_and_the_summary_last() {
        let (mut ui, out, err) = testing::ui(Verbosity::Normal);
        let mut narrator = Narrator::new(&mut ui, false, false);
        narrator.tell(&Progress::Desired(&web(PodResult::Created)));
        assert_eq!(out.text(), "pod/web created\n");
        assert_eq!(narrator.finish(&report(0)).unwrap(), 0);
        ui.out.flush().unwrap();
        assert_eq!(out.text(), "pod/web created\nplanned 2, executed 2, failed 0\n");
        assert_eq!(err.text(), "");
    }

    #[test]
    fn a_failed_step_is_an_error_line_and_exit_code_1() {
        let (mut ui, out, err) = testing::ui(Verbosity::Quiet);
        assert_eq!(Narrator::new(&mut ui, false, false).finish(&report(1)).unwrap(), 1);
        ui.out.flush().unwrap();
        assert_eq!(out.text(), "");
        assert_eq!(
            err.text(),
            "tank: error: pod/web: start/app/1: cannot start app: no such file\n\
             hint: `tank describe web` shows its state\n"
        );
    }

    #[test]
    fn json_is_one_object_and_nothing_else() {
        let (mut ui, out, _) = testing::ui(Verbosity::Normal);
        let mut narrator = Narrator::new(&mut ui, true, false);
        narrator.tell(&Progress::Desired(&web(PodResult::Created)));
        narrator.finish(&report(0)).unwrap();
        ui.out.flush().unwrap();
        let value: serde_json::Value = serde_json::from_str(&out.text()).unwrap();
        assert_eq!(value["pods"][0]["result"], "created");
    }
}
