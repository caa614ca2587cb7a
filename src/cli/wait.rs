//! `tank wait`: until pods are as they should be.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::failure::{DONE, Failure};
use super::flags::duration;
use super::ui::FAINT;
use super::{Context, Outcome};
use crate::app::Goal;
use crate::app::report::Progress;
use crate::model::PodName;

/// Wait until pods are ready, stopped or deleted
///
/// The exit code is 0 when all of them are, and 1 when one takes too long or cannot get there any
/// more: for ready, because it failed for good or was deleted.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank wait web db                    until both run
  tank wait backup --for stopped --timeout 1h
  tank wait web --for deleted")]
pub struct WaitArgs {
    /// The pods
    #[arg(required = true, value_name = "NAME")]
    names: Vec<PodName>,
    /// What to wait for
    #[arg(long = "for", value_enum, value_name = "GOAL", default_value_t)]
    goal: GoalName,
    /// How long to wait
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    timeout: Duration,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum GoalName {
    /// They run, or have done what they were there for
    #[default]
    Ready,
    /// Nothing of them runs
    Stopped,
    /// They are no more
    Deleted,
}

/// Runs the verb.
pub fn run(args: &WaitArgs, context: &mut Context) -> Outcome {
    let goal = match args.goal {
        GoalName::Ready => Goal::Ready,
        GoalName::Stopped => Goal::Stopped,
        GoalName::Deleted => Goal::Deleted,
    };
    let Some(app) = context.open_existing()? else {
        return match (goal, args.names.first()) {
            (Goal::Deleted, _) | (_, None) => Ok(DONE),
            (_, Some(name)) => Err(Failure::no_such_pod(name)),
        };
    };
    let ui = &mut context.ui;
    app.wait(&args.names, goal, args.timeout, &mut |progress| {
        if let Progress::Note(note) = progress {
            ui.progress(FAINT, note);
        }
    })?;
    Ok(DONE)
}
