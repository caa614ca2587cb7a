//! `tank ps`: every container.

use clap::Args;
use clap::builder::styling::Style;
use jiff::Timestamp;

use super::failure::DONE;
use super::flags::Output;
use super::people;
use super::table::{Cell, Column, Table};
use super::ui::{BAD, GOOD, ODD, PLAIN};
use super::{Context, Outcome};
use crate::app::report::{ContainerReport, PsReport};
use crate::model::State;
use crate::sys::clock;

/// List the containers of all pods
///
/// Shows the last life of every container: its state, or how it ended where that is known.
#[derive(Debug, Args)]
pub struct PsArgs {
    /// Show the earlier lives on record too
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &PsArgs, context: &mut Context) -> Outcome {
    let report = match context.open_existing()? {
        Some(app) => app.ps(args.all)?,
        None => PsReport::default(),
    };
    if args.output.is_json() {
        context.ui.out.json(&report)?;
    } else if report.containers.is_empty() {
        context.ui.progress(PLAIN, "there are no containers: `tank list` shows the pods");
    } else {
        context.ui.out.table(&table(&report, clock::now()))?;
    }
    Ok(DONE)
}

fn table(report: &PsReport, now: Timestamp) -> Table {
    let with_ports = report.containers.iter().any(|container| !container.ports.is_empty());
    let mut columns: Vec<_> =
        ["CONTAINER", "STATE", "PID", "RESTARTS", "STARTED"].map(Column::whole).into();
    columns.push(Column::flexible("IMAGE"));
    if with_ports {
        columns.push(Column::flexible("PORTS"));
    }
    let mut table = Table::new(columns);
    for container in &report.containers {
        let (style, state) = state(container);
        let mut cells: Vec<Cell> = vec![
            format!("{}/{}", container.pod, container.name).into(),
            Cell::styled(style, state),
            container.pid.map_or("-".to_owned(), |pid| pid.to_string()).into(),
            container.restarts().to_string().into(),
            started(container, now).into(),
            container.image.as_deref().unwrap_or("-").into(),
        ];
        if with_ports {
            cells.push(container.ports.join(", ").into());
        }
        table.row(cells);
    }
    table
}

fn started(container: &ContainerReport, now: Timestamp) -> String {
    match container.started_at {
        Some(then) => format!("{} ago", people::age(then, now)),
        None => "-".to_owned(),
    }
}

/// An instance's state, with how it ended: `failed (code 1)`, `failed (unknown)`.
pub fn state(container: &ContainerReport) -> (Style, String) {
    let (style, word) = match container.state {
        State::Created => (ODD, "created"),
        State::Running if container.ready == Some(false) => return (ODD, "unready".to_owned()),
        State::Running => return (GOOD, "running".to_owned()),
        State::Stopped => (PLAIN, "stopped"),
        State::Failed => (BAD, "failed"),
        State::Removing => (ODD, "removing"),
        State::Missing => (BAD, "missing"),
        State::Unknown => (BAD, "unknown"),
    };
    match end(container) {
        Some(end) => (style, format!("{word} ({end})")),
        None => (style, word.to_owned()),
    }
}

/// How an instance ended, in short; `None` while it has not.
fn end(container: &ContainerReport) -> Option<String> {
    let reason = container.reason?;
    Some(match (container.exit_code, container.signal, reason) {
        (_, _, "oom" | "start-failed" | "host-reboot") => reason.to_owned(),
        (Some(code), _, _) => format!("code {code}"),
        (None, Some(signal), _) => format!("signal {signal}"),
        (None, None, _) => "unknown".to_owned(),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::ui::testing;
    use super::*;
    use crate::model::InstanceId;

    /// A running container.
    pub(in crate::cli) fn container(attempt: u32) -> ContainerReport {
        ContainerReport {
            pod: "web".parse().unwrap(),
            name: "app".parse().unwrap(),
            id: InstanceId::from_bits(u64::from(attempt)),
            state: State::Running,
            pid: Some(4242),
            attempt,
            exit_code: None,
            signal: None,
            oom: None,
            reason: None,
            detail: None,
            ready: Some(true),
            probes: vec![],
            image: Some("docker.io/library/nginx:1.27".into()),
            image_digest: None,
            started_at: Some(Timestamp::from_second(9_000).unwrap()),
            finished_at: None,
            ports: vec![],
            notes: vec![],
        }
    }

    /// As [`container`], but it ended, and nobody knows how.
    pub(in crate::cli) fn ended(attempt: u32) -> ContainerReport {
        ContainerReport {
            state: State::Failed,
            pid: None,
            ready: None,
            reason: Some("unknown"),
            ..container(attempt)
        }
    }

    #[test]
    fn a_container_is_a_line_and_an_unknown_end_is_called_so() {
        let now = Timestamp::from_second(10_000).unwrap();
        let mut killed = ended(2);
        (killed.signal, killed.reason) = (Some(9), Some("exited"));
        let report = PsReport { containers: vec![ended(1), killed, container(3)] };
        let (mut out, text) = testing::stream(Some(72));
        out.table(&table(&report, now)).unwrap();
        out.flush().unwrap();
        insta::assert_snapshot!(text.text(), @r"
        CONTAINER  STATE              PID   RESTARTS  STARTED  IMAGE
        web/app    failed (unknown)   -     0         16m ago  docker.io/librar…
        web/app    failed (signal 9)  -     1         16m ago  docker.io/librar…
        web/app    running            4242  2         16m ago  docker.io/librar…
        ");
    }
}
