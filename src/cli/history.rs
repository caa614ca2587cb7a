//! `tank history`: what a pod was before.

use clap::Args;

use super::failure::{DONE, Failure};
use super::flags::Output;
use super::table::{Cell, Column, Table};
use super::ui::STRONG;
use super::{Context, Outcome, people};
use crate::app::report::{ChangeReport, RevisionReport};
use crate::model::PodName;
use crate::sys::clock;

/// Show the revisions of a pod: what it was, since when, and what each changed
///
/// The last 20 are kept, and the last 20 that differ. A restart makes a generation that changes
/// nothing. `tank rollback` makes one of them desired again.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The pod
    name: PodName,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &HistoryArgs, context: &mut Context) -> Outcome {
    let app = context.open_existing()?.ok_or_else(|| Failure::no_such_pod(&args.name))?;
    let report = app.history(&args.name)?;
    if args.output.is_json() {
        context.ui.out.json(&report)?;
        return Ok(DONE);
    }
    let now = clock::now();
    let columns = [Column::whole("GENERATION"), Column::whole("AGE"), Column::flexible("CHANGES")];
    let mut table = Table::new(columns);
    for revision in &report.revisions {
        let number = match revision.current {
            true => Cell::styled(STRONG, format!("{} (now)", revision.generation)),
            false => revision.generation.to_string().into(),
        };
        let age = people::age(revision.created_at, now);
        table.row([number, age.into(), changes(revision).into()]);
    }
    context.ui.out.table(&table)?;
    Ok(DONE)
}

fn changes(revision: &RevisionReport) -> String {
    let one = |change: &ChangeReport| format!("{} {} -> {}", change.path, change.old, change.new);
    match &revision.changes {
        None if revision.generation == 1 => "created".to_owned(),
        None => "the one before is not on record".to_owned(),
        Some(changes) if changes.is_empty() => "none, started anew".to_owned(),
        Some(changes) => changes.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}
