//! `tank events`: what happened.

use std::io;

use clap::Args;

use super::failure::{DONE, Failure};
use super::flags::Output;
use super::moment::Moment;
use super::ui::{BAD, FAINT, GOOD, ODD, PLAIN, Stream};
use super::{Context, Outcome};
use crate::app::EventsRequest;
use crate::app::report::EventReport;
use crate::model::PodName;
use crate::sys::clock;

/// Print what happened to pods: started, exited, oom, stopped, lost
///
/// The last ten thousand events are kept, also those of pods that were deleted since. An end is
/// written down by the pass that follows it, with the time at which it came.
///
/// A time is RFC 3339 (2026-01-31T10:00:00Z), a local date or date and time (2026-01-31,
/// 2026-01-31T10:00), seconds since 1970 (1767225600.5), or how long ago it was (10m, 2h30m, 3d).
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank events --since 1h              the last hour, of all pods
  tank events -n 20 web db            the last 20 of two pods
  tank events -f -o json              for scripts: an object a line, as it happens")]
pub struct EventsArgs {
    /// Wait for more
    #[arg(short, long)]
    follow: bool,
    /// Begin with the last N
    #[arg(short = 'n', long, value_name = "N", visible_alias = "tail")]
    lines: Option<usize>,
    /// Only what happened from this time on
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    #[command(flatten)]
    output: Output,
    /// The pods; all of them, if none is named
    #[arg(value_name = "NAME")]
    names: Vec<PodName>,
}

/// Runs the verb.
pub fn run(args: EventsArgs, context: &mut Context) -> Outcome {
    let since = args.since.map(|since| since.before(clock::now())).transpose();
    let since = since
        .map_err(|e| Failure::usage(e.to_string(), "tank events --help says how to write times"))?;
    let Some(app) = context.open_existing()? else { return Ok(DONE) };
    let request = EventsRequest { pods: args.names, since, last: args.lines, follow: args.follow };
    let json = args.output.is_json();
    let out = &mut context.ui.out;
    let mut unwritten = None;
    let read = app.events(&request, &mut |event| {
        let written = if json { out.json_object(event) } else { line(out, event) };
        let flushed = written.and_then(|()| if args.follow { out.flush() } else { Ok(()) });
        flushed.inspect_err(|e| unwritten = Some(e.kind()))
    });
    match (read, unwritten) {
        (_, Some(kind)) => Err(io::Error::from(kind).into()),
        (Ok(()), None) => Ok(DONE),
        (Err(e), None) => Err(e.into()),
    }
}

fn line(out: &mut Stream, event: &EventReport) -> io::Result<()> {
    let style = match event.kind.as_str() {
        "started" => GOOD,
        "stopped" => PLAIN,
        "exited" | "host-reboot" => ODD,
        _ => BAD,
    };
    let subject = match (&event.pod, &event.container) {
        (Some(pod), Some(container)) => format!("{pod}/{container}"),
        (Some(pod), None) => pod.to_string(),
        (None, _) => "-".to_owned(),
    };
    out.styled(FAINT, &format!("{:.3} ", event.time))?;
    out.text(&format!("{subject} "))?;
    out.styled(style, &event.kind)?;
    out.line(&format!(" {}", event.message))
}
