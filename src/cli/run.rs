//! `tank start`, `tank stop` and `tank restart`: whether pods should run.

use clap::Args;

use super::flags::{Lock, Output, Wait};
use super::pass::Narrator;
use super::{Context, Outcome};
use crate::app::RunChange;
use crate::model::PodName;

/// Have pods run, and run one pass
///
/// A stopped pod starts. Of one that should run, what has ended is started again without a delay,
/// also if it was not to be restarted; what runs is left alone.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// The pods
    #[arg(required = true, value_name = "NAME")]
    names: Vec<PodName>,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Have pods not run, and run one pass
///
/// They stay desired, with their addresses and logs, and stay stopped over reboots, until
/// `tank start`. Containers get their stop signal in reverse order, and are killed when they have
/// not ended after the pod's stop_timeout. The command returns when they have.
#[derive(Debug, Args)]
pub struct StopArgs {
    /// The pods
    #[arg(required = true, value_name = "NAME")]
    names: Vec<PodName>,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Have every container of pods replaced by a new one, and run one pass
///
/// What a container wrote to its own file system goes with it, as when it is changed; volumes
/// stay. A stopped pod starts.
#[derive(Debug, Args)]
pub struct RestartArgs {
    /// The pods
    #[arg(required = true, value_name = "NAME")]
    names: Vec<PodName>,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb `start`.
pub fn start(args: StartArgs, context: &mut Context) -> Outcome {
    run(args.names, RunChange::Start, Some(args.wait), args.lock, args.output, context)
}

/// Runs the verb `stop`.
pub fn stop(args: StopArgs, context: &mut Context) -> Outcome {
    run(args.names, RunChange::Stop, None, args.lock, args.output, context)
}

/// Runs the verb `restart`.
pub fn restart(args: RestartArgs, context: &mut Context) -> Outcome {
    run(args.names, RunChange::Restart, Some(args.wait), args.lock, args.output, context)
}

fn run(
    names: Vec<PodName>,
    change: RunChange,
    wait: Option<Wait>,
    lock: Lock,
    output: Output,
    context: &mut Context,
) -> Outcome {
    let mut app = context.open(lock)?;
    let wait = wait.and_then(|wait| wait.wait);
    let mut narrator = Narrator::new(&mut context.ui, output.is_json(), false);
    let report = app.run(names, change, wait, &mut |progress| narrator.tell(progress))?;
    Ok(narrator.finish(&report)?)
}
