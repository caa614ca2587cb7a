//! `tank reconcile`: one pass, or one pass again and again.

use std::time::Duration;

use clap::Args;

use super::failure::{self, DONE, FAILED};
use super::flags::{Lock, Output, duration};
use super::pass::Narrator;
use super::{Context, Outcome};
use crate::app::ReconcileRequest;
use crate::model::PodName;

/// `--every` is never faster than this.
const FASTEST: Duration = Duration::from_secs(1);
/// `--every` is never slower than this.
const SLOWEST: Duration = Duration::from_secs(300);

/// Run one pass: compare what should run with what does, and act on the difference
///
/// Every command that changes something runs a pass by itself, and a container that ends makes
/// its monitor run one. From cron or a timer, reconcile is the safety net that puts right what
/// others changed.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank reconcile                      all pods
  tank reconcile web db               some pods
  tank reconcile --every 30s          in the foreground until SIGTERM or SIGINT
  * * * * * root tank reconcile -q    a line for /etc/crontab")]
pub struct ReconcileArgs {
    /// The pods; all of them if none is named
    #[arg(value_name = "NAME")]
    names: Vec<PodName>,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Repeat in the foreground, at most every 1s and at least every 5m
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration,
        conflicts_with_all = ["dry_run", "wait_backoff"]
    )]
    every: Option<Duration>,
    /// Wait out restart delays first; monitors use it when their container has ended
    #[arg(long, requires = "names")]
    wait_backoff: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: ReconcileArgs, context: &mut Context) -> Outcome {
    match args.every {
        Some(period) => repeat(args, period.clamp(FASTEST, SLOWEST), context),
        None => once(args, context),
    }
}

fn once(args: ReconcileArgs, context: &mut Context) -> Outcome {
    let mut app =
        if args.dry_run { context.open_for_plan(args.lock)? } else { context.open(args.lock)? };
    let request = ReconcileRequest { dry_run: args.dry_run, wait_backoff: args.wait_backoff };
    let mut narrator = Narrator::new(&mut context.ui, args.output.is_json(), args.dry_run);
    let report = app.reconcile(args.names, &request, &mut |progress| narrator.tell(progress))?;
    Ok(narrator.finish(&report)?)
}

/// A failed pass is reported, and the next one tries again.
fn repeat(args: ReconcileArgs, period: Duration, context: &mut Context) -> Outcome {
    let mut app = context.open(args.lock)?;
    let json = args.output.is_json();
    let ui = &mut context.ui;
    let mut code = DONE;
    app.reconcile_every(&args.names, period, &mut |pass| {
        let told = match pass {
            Ok(report) if json => ui.out.json_line(report).map(|()| report.failed > 0),
            // A pass that had nothing to do is not worth a line of a service's log.
            Ok(report) if report.planned + report.failed == 0 && !ui.shows_progress() => Ok(false),
            Ok(report) => Narrator::new(ui, false, false)
                .finish(report)
                .and_then(|code| ui.out.flush().map(|()| code != DONE)),
            Err(e) => failure::print_error(e, &mut ui.err).map(|()| true),
        };
        code = if told.unwrap_or(true) { FAILED } else { DONE };
    })?;
    Ok(code)
}
