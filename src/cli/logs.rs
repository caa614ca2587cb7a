//! `tank logs`: what containers wrote.

use std::io;

use clap::builder::styling::{AnsiColor, Style};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;

use super::failure::{DONE, Failure};
use super::flags::Output;
use super::moment::Moment;
use super::ui::{ODD, Stream, Ui};
use super::{Context, Outcome};
use crate::app::{LogEvent, LogLine, LogSource, LogStream, LogsRequest};
use crate::model::ContainerRef;
use crate::sys::clock;

/// Print the logs of containers
///
/// The log of a container is what all of its lives on record wrote. What it wrote to standard error
/// goes to standard error. With -f, the reading goes on over rotation and restarts, and ends when
/// the pods are done, stopped or deleted. Lines of several containers are printed in the order of
/// their times, each behind the name of its container.
///
/// A time is RFC 3339 (2026-01-31T10:00:00Z), a local date or date and time (2026-01-31,
/// 2026-01-31T10:00), seconds since 1970 (1767225600.5), or how long ago it was (10m, 2h30m, 3d).
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank logs web                       the first container of a pod
  tank logs -f -n 20 web/app          the last 20 lines, then what comes
  tank logs -f web db                 two pods, line by line
  tank logs --since 10m -t web        the last ten minutes, with times
  tank logs -p web                    why did it end? the life before the last one
  tank logs -o json web | jq .text    for scripts: an object a line")]
pub struct LogsArgs {
    /// Wait for more until the pods are done, stopped or deleted
    #[arg(short, long, conflicts_with = "previous")]
    follow: bool,
    /// Begin with the last N lines of each container
    #[arg(short = 'n', long, value_name = "N", visible_alias = "tail")]
    lines: Option<usize>,
    /// Only lines from this time on
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Only lines before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Put the time before each line, with nanoseconds, in UTC
    #[arg(short, long, conflicts_with = "output")]
    timestamps: bool,
    /// Only the life before the last one
    #[arg(short, long, conflicts_with = "all")]
    previous: bool,
    /// All lives on record, which is the default
    #[arg(long)]
    all: bool,
    /// Only what was written to this stream
    #[arg(long, value_enum, value_name = "STREAM")]
    stream: Option<StreamName>,
    /// Put the name of the container before each line; auto does so for several containers
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_value_t,
        default_missing_value = "always",
        conflicts_with = "output"
    )]
    prefix: Prefix,
    /// Do not escape what could steer the terminal
    #[arg(long, conflicts_with = "output")]
    raw: bool,
    #[command(flatten)]
    output: Output,
    /// The pods, or pod/container; a pod alone is its first container
    #[arg(required = true, value_name = "POD[/CONTAINER]")]
    targets: Vec<ContainerRef>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StreamName {
    /// Standard output, and what is written to a terminal
    Stdout,
    /// Standard error
    Stderr,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Prefix {
    /// Where there are several containers
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Runs the verb.
pub fn run(args: &LogsArgs, context: &mut Context) -> Outcome {
    let first = args.targets.first().map(|target| &target.pod);
    let app = context.open_existing()?;
    let app = app.ok_or_else(|| Failure::no_such_pod(&first.map_or("", |pod| pod.as_str())))?;
    let now = clock::now();
    let time = |moment: Option<Moment>| {
        let time = moment.map(|moment| moment.before(now)).transpose();
        time.map_err(|e| Failure::usage(e.to_string(), "tank logs --help says how to write times"))
    };
    let sources = app.log_sources(&args.targets)?;
    let prefix = match args.prefix {
        Prefix::Auto => sources.len() > 1,
        Prefix::Always => true,
        Prefix::Never => false,
    };
    let request = LogsRequest {
        follow: args.follow,
        lines: args.lines,
        since: time(args.since)?,
        until: time(args.until)?,
        stream: args.stream.map(|stream| match stream {
            StreamName::Stdout => LogStream::Stdout,
            StreamName::Stderr => LogStream::Stderr,
        }),
        previous: args.previous,
        // A prompt is worth seeing; parts of lines of several containers only tear each other.
        at_once: sources.len() == 1 && !args.output.is_json(),
    };
    let width = sources.iter().map(|source| source.to_string().len()).max().unwrap_or(0);
    let mut printer = Printer {
        ui: &mut context.ui,
        sources: &sources,
        prefix: prefix.then_some(width),
        timestamps: args.timestamps,
        raw: args.raw,
        json: args.output.is_json(),
        open: [None, None],
    };
    let mut unwritten = None;
    let read = app.logs(&sources, &request, &mut |event| {
        printer.print(event).inspect_err(|e| unwritten = Some(e.kind()))
    });
    match (read, unwritten) {
        (_, Some(kind)) => Err(io::Error::from(kind).into()),
        (Ok(()), None) => Ok(DONE),
        (Err(e), None) => Err(e.into()),
    }
}

/// Prints lines.
struct Printer<'a> {
    ui: &'a mut Ui,
    sources: &'a [LogSource],
    /// How wide the name before each line is.
    prefix: Option<usize>,
    timestamps: bool,
    raw: bool,
    json: bool,
    /// Of each stream, whose line was printed last, if it has no end yet.
    open: [Option<(LogSource, u32)>; 2],
}

/// A line for scripts.
#[derive(Serialize)]
struct Record<'a> {
    time: Timestamp,
    pod: &'a str,
    container: &'a str,
    attempt: u32,
    stream: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

impl Printer<'_> {
    fn print(&mut self, event: LogEvent<'_>) -> io::Result<()> {
        match event {
            LogEvent::Line(source, line) if self.json => self.object(source, line),
            LogEvent::Line(source, line) => self.text(source, line),
            LogEvent::Gap(source, gap) => {
                self.ui.out.flush()?;
                self.ui.err.styled(ODD, "tank: warning: ")?;
                self.ui.err.line(&format!("{source}: {gap}"))
            }
            LogEvent::Pause => self.ui.out.flush().and_then(|()| self.ui.err.flush()),
        }
    }

    fn object(&mut self, source: &LogSource, line: &LogLine) -> io::Result<()> {
        let (stream, text) = (name(line.stream), String::from_utf8_lossy(&line.text));
        let LogLine { time, attempt, partial, .. } = *line;
        let (pod, container) = (source.pod.as_str(), source.container.as_str());
        let record = Record { time, pod, container, attempt, stream, text: &text, partial };
        self.ui.out.json_object(&record)
    }

    fn text(&mut self, source: &LogSource, line: &LogLine) -> io::Result<()> {
        let (out, other, open) = match line.stream {
            LogStream::Stdout => (&mut self.ui.out, &mut self.ui.err, &mut self.open[0]),
            LogStream::Stderr => (&mut self.ui.err, &mut self.ui.out, &mut self.open[1]),
        };
        // Where both go to one terminal, their order is part of what they say.
        other.flush()?;
        let is_same = |(of, attempt): &(LogSource, u32)| of == source && *attempt == line.attempt;
        if !(line.continues && open.as_ref().is_some_and(is_same)) {
            if open.is_some() {
                out.generated(b"\n")?;
            }
            if let Some(width) = self.prefix {
                out.styled(color(self.sources, source), &format!("{source:width$} | "))?;
            }
            if self.timestamps {
                out.text(&format!("{:.9} ", line.time))?;
            }
        }
        *open = line.partial.then(|| (source.clone(), line.attempt));
        write(out, &line.text, self.raw)?;
        if line.partial { Ok(()) } else { out.generated(b"\n") }
    }
}

/// Programs on a terminal of their own end lines with CR LF, and the former moves a cursor.
fn write(out: &mut Stream, text: &[u8], raw: bool) -> io::Result<()> {
    match raw {
        true => out.generated(text),
        false if out.is_terminal() => out.bytes(text.strip_suffix(b"\r").unwrap_or(text)),
        false => out.bytes(text),
    }
}

fn name(stream: LogStream) -> &'static str {
    match stream {
        LogStream::Stdout => "stdout",
        LogStream::Stderr => "stderr",
    }
}

/// The colour of a container among others.
fn color(sources: &[LogSource], source: &LogSource) -> Style {
    const COLORS: [AnsiColor; 5] =
        [AnsiColor::Cyan, AnsiColor::Green, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::Yellow];
    let place = sources.iter().position(|other| other == source).unwrap_or(0);
    COLORS[place % COLORS.len()].on_default()
}
