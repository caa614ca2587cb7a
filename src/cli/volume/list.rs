//! `tank volume list`: the named volumes.

use clap::Args;
use jiff::Timestamp;

use crate::app::report::VolumeListReport;
use crate::cli::failure::DONE;
use crate::cli::flags::Output;
use crate::cli::people;
use crate::cli::table::{Column, Table};
use crate::cli::ui::PLAIN;
use crate::cli::{Context, Outcome};
use crate::sys::clock;

/// List the named volumes, and the pods that use them
#[derive(Debug, Args)]
pub struct VolumeListArgs {
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &VolumeListArgs, context: &mut Context) -> Outcome {
    let report = match context.open_existing()? {
        Some(app) => app.volume_list()?,
        None => VolumeListReport::default(),
    };
    if args.output.is_json() {
        context.ui.out.json(&report)?;
    } else if report.volumes.is_empty() {
        context.ui.progress(PLAIN, "there are no volumes: a pod that mounts one makes it");
    } else {
        context.ui.out.table(&table(&report, clock::now()))?;
    }
    Ok(DONE)
}

fn table(report: &VolumeListReport, now: Timestamp) -> Table {
    let columns = [Column::flexible("NAME"), Column::whole("CREATED"), Column::flexible("USED BY")];
    let mut table = Table::new(columns);
    for volume in &report.volumes {
        let pods: Vec<_> = volume.pods.iter().map(ToString::to_string).collect();
        let pods = if pods.is_empty() { "-".to_owned() } else { pods.join(", ") };
        let created = match volume.created_at {
            Some(then) => format!("{} ago", people::age(then, now)),
            None => "-".to_owned(),
        };
        table.row([volume.name.as_str().into(), created.into(), pods.into()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::report::VolumeReport;
    use crate::cli::ui::testing;

    #[test]
    fn a_volume_is_a_line_with_its_pods() {
        let volume = |name: &str, pods: &[&str]| VolumeReport {
            name: name.parse().unwrap(),
            path: format!("/var/lib/tank/volumes/{name}/data"),
            created_at: Some(Timestamp::UNIX_EPOCH),
            empty: pods.is_empty(),
            pods: pods.iter().map(|pod| pod.parse().unwrap()).collect(),
        };
        let volumes = vec![volume("db-data", &["backup", "db"]), volume("old", &[])];
        let now = Timestamp::from_second(7200).unwrap();
        let (mut out, text) = testing::stream(Some(80));
        out.table(&table(&VolumeListReport { volumes }, now)).unwrap();
        out.flush().unwrap();
        insta::assert_snapshot!(text.text(), @r"
        NAME     CREATED  USED BY
        db-data  2h ago   backup, db
        old      2h ago   -
        ");
    }
}
