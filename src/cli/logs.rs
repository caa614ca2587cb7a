//! `tank logs`: what a container wrote.

use std::io;

use clap::Args;

use super::failure::{DONE, Failure};
use super::ui::Ui;
use super::{Context, Outcome};
use crate::app::{LogLine, LogStream, LogsRequest};
use crate::model::ContainerRef;

/// Print the log of a container
///
/// What the container wrote to standard error goes to standard error. The log of a container that
/// has ended is printed whole; with -f, the reading ends when the container does.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank logs web                       the first container of a pod
  tank logs -f -n 20 web/app          the last 20 lines, then what comes")]
pub struct LogsArgs {
    /// Wait for more until the container ends
    #[arg(short, long)]
    follow: bool,
    /// Begin with the last N lines
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<usize>,
    /// The pod, or pod/container; a pod alone is its first container
    #[arg(value_name = "POD[/CONTAINER]")]
    target: ContainerRef,
}

/// Runs the verb.
pub fn run(args: &LogsArgs, context: &mut Context) -> Outcome {
    let app = context.open_existing()?.ok_or_else(|| Failure::no_such_pod(&args.target.pod))?;
    let request = LogsRequest { follow: args.follow, lines: args.lines };
    let mut gone = None;
    let ui = &mut context.ui;
    let read = app.logs(&args.target, &request, &mut |line| {
        let written = write(ui, &line, args.follow);
        written.inspect_err(|e| gone = Some(e.kind()))
    });
    match (read, gone) {
        (_, Some(kind)) => Err(io::Error::from(kind).into()),
        (Ok(()), None) => Ok(DONE),
        (Err(e), None) => Err(e.into()),
    }
}

fn write(ui: &mut Ui, line: &LogLine<'_>, at_once: bool) -> io::Result<()> {
    let (stream, other) = match line.stream {
        LogStream::Stdout => (&mut ui.out, &mut ui.err),
        LogStream::Stderr => (&mut ui.err, &mut ui.out),
    };
    // Where both go to one terminal, their order is part of what they say.
    other.flush()?;
    stream.bytes(line.text)?;
    if !line.partial {
        stream.generated(b"\n")?;
    }
    if at_once { stream.flush() } else { Ok(()) }
}
