//! `tank plan`: what a pass would do, and why.

use std::path::PathBuf;

use clap::Args;

use super::failure::{DONE, Failure};
use super::flags::{Lock, Output};
use super::input::{self, Purpose};
use super::pass::{describe, exposure, waiting_line};
use super::people;
use super::pull_progress::{self, Fetch};
use super::table::{Cell, Column, Table};
use super::ui::{FAINT, STRONG};
use super::{Context, Outcome};
use crate::app::Stated;
use crate::app::report::PlannedStep;

/// There is something to do, and it was asked to say so by `--detailed-exitcode`.
const CHANGES: u8 = 2;

/// Say what a pass would do and why, and change nothing
///
/// With -f, what it would do if the files were applied. Every step names the field, the exit or
/// the drift that caused it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank plan                           what the next pass would do
  tank plan -f web.toml               what applying a file would do
  tank plan --detailed-exitcode       exit code 0: nothing, 2: changes, 1: an error")]
pub struct PlanArgs {
    /// Plan as if this pod file, directory of *.toml files, or - (standard input) were applied
    #[arg(short, long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Exit with 2 when there is something to do, and with 1 after any error
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &PlanArgs, context: &mut Context) -> Outcome {
    let candidate = if args.files.is_empty() {
        None
    } else {
        let loaded = input::load(&mut context.ui, &args.files, Purpose::Apply)?;
        Some(loaded.all_valid("nothing was planned")?)
    };
    let mut app = context.open_for_plan(Lock::NONE)?;
    let resolve = |mut stated: Stated| {
        let fetch = Fetch::Nothing;
        stated.images = pull_progress::resolve(&mut app, &context.ui, &stated.pods, fetch)?;
        Ok::<_, Failure>(stated)
    };
    let candidate = candidate.map(resolve).transpose()?;
    let report = app.plan(candidate)?;
    let out = &mut context.ui.out;
    if args.output.is_json() {
        out.json(&report)?;
    } else if report.steps.is_empty() && report.waiting.is_empty() {
        out.line("nothing to do")?;
    } else {
        out.table(&step_table(&report.steps))?;
        for step in &report.steps {
            exposure(step).map_or(Ok(()), |line| out.line(&line))?;
        }
        for waiting in &report.waiting {
            out.line(&waiting_line(waiting))?;
        }
        out.line(&people::count(report.changes, "change"))?;
    }
    Ok(if args.detailed_exitcode && report.changes > 0 { CHANGES } else { DONE })
}

/// The steps as lines: the pod, what is done, and because of what.
pub fn step_table(steps: &[PlannedStep]) -> Table {
    let columns = [Column::whole("POD"), Column::whole("STEP"), Column::flexible("CAUSE")];
    let mut table = Table::new(columns).without_headings();
    for step in steps {
        table.row([
            Cell::styled(STRONG, step.pod.as_str()),
            describe(step).into(),
            Cell::styled(FAINT, format!("because {}", step.cause)),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::ui::testing;
    use super::*;
    use crate::app::report::StepAction;

    #[test]
    fn a_step_is_a_line_with_its_cause() {
        let step = |container: Option<&str>, action, attempt, cause: &str| PlannedStep {
            exposes: Vec::new(),
            pod: "web".parse().unwrap(),
            container: container.map(|name| name.parse().unwrap()),
            action,
            cause: cause.into(),
            attempt,
            id: "x".into(),
        };
        let steps = [
            step(None, StepAction::CreateSandbox, None, "the pod is new"),
            step(Some("app"), StepAction::Start, Some(2), "exited with code 1, restart = always"),
        ];
        let (mut out, text) = testing::stream(Some(100));
        out.table(&step_table(&steps)).unwrap();
        out.flush().unwrap();
        insta::assert_snapshot!(text.text(), @r"
        web  create sandbox         because the pod is new
        web  start app (attempt 2)  because exited with code 1, restart = always
        ");
    }
}
