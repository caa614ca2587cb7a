//! `tank list`: every desired pod.

use clap::Args;
use clap::builder::styling::Style;
use jiff::Timestamp;

use super::failure::DONE;
use super::flags::Output;
use super::people;
use super::table::{Cell, Column, Table};
use super::ui::{BAD, GOOD, ODD, PLAIN};
use super::{Context, Outcome};
use crate::app::report::{ListReport, PodStatus, PodSummary, Sync};
use crate::sys::clock;

/// List the pods that should exist, and how they are
#[derive(Debug, Args)]
#[command(after_long_help = "\
SYNC says whether a pass would change anything; `tank plan` says what and why.")]
pub struct ListArgs {
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &ListArgs, context: &mut Context) -> Outcome {
    let report = match context.open_existing()? {
        Some(app) => app.list()?,
        None => ListReport::default(),
    };
    if args.output.is_json() {
        context.ui.out.json(&report)?;
    } else if report.pods.is_empty() {
        context.ui.progress(PLAIN, "there are no pods: `tank apply -f FILE` creates some");
    } else {
        context.ui.out.table(&table(&report, clock::now()))?;
    }
    Ok(DONE)
}

fn table(report: &ListReport, now: Timestamp) -> Table {
    let columns = ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "SYNC"].map(Column::whole);
    let mut table = Table::new(columns);
    for pod in &report.pods {
        table.row([
            pod.name.as_str().into(),
            ready(pod).into(),
            status_cell(pod, now),
            pod.restarts.to_string().into(),
            people::age(pod.created_at, now).into(),
            sync_cell(pod.sync),
        ]);
    }
    table
}

/// How many containers are ready, of how many: `1/2`.
pub fn ready(pod: &PodSummary) -> String {
    format!("{}/{}", pod.ready, pod.total)
}

/// A pod's status as a word in its colour.
fn status(status: PodStatus) -> (Style, &'static str) {
    match status {
        PodStatus::Pending => (ODD, "pending"),
        PodStatus::Initializing => (ODD, "initializing"),
        PodStatus::Running => (GOOD, "running"),
        PodStatus::Unready => (ODD, "unready"),
        PodStatus::Degraded => (BAD, "degraded"),
        PodStatus::BackingOff => (BAD, "backing-off"),
        PodStatus::Completed => (PLAIN, "completed"),
        PodStatus::Failed => (BAD, "failed"),
        PodStatus::Stopping => (ODD, "stopping"),
        PodStatus::Stopped => (PLAIN, "stopped"),
        PodStatus::Deleting => (ODD, "deleting"),
    }
}

/// The status of a pod; of one that waits, for how long.
pub fn status_text(pod: &PodSummary, now: Timestamp) -> (Style, String) {
    let (style, word) = status(pod.status);
    match pod.waits_until {
        Some(until) => (style, format!("{word} {}", people::age(now, until))),
        None => (style, word.to_owned()),
    }
}

fn status_cell(pod: &PodSummary, now: Timestamp) -> Cell {
    let (style, text) = status_text(pod, now);
    Cell::styled(style, text)
}

fn sync_cell(sync: Sync) -> Cell {
    match sync {
        Sync::Sync => "sync".into(),
        Sync::Diverged => Cell::styled(ODD, "diverged"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ui::testing;
    use super::*;

    #[test]
    fn a_pod_is_a_line() {
        let now = Timestamp::from_second(10_000).unwrap();
        let pod = PodSummary {
            name: "web".parse().unwrap(),
            generation: 3,
            status: PodStatus::BackingOff,
            waits_until: Some(Timestamp::from_second(10_008).unwrap()),
            ready: 1,
            total: 2,
            restarts: 4,
            sync: Sync::Diverged,
            reasons: vec![],
            exits: vec![],
            ip: None,
            labels: [].into(),
            created_at: Timestamp::from_second(10_000 - 600).unwrap(),
        };
        let (mut out, text) = testing::stream(Some(80));
        out.table(&table(&ListReport { pods: vec![pod] }, now)).unwrap();
        out.flush().unwrap();
        insta::assert_snapshot!(text.text(), @r"
        NAME  READY  STATUS          RESTARTS  AGE  SYNC
        web   1/2    backing-off 8s  4         10m  diverged
        ");
    }
}
