//! `tank network`: the network of pods.

use std::io;

use clap::{Args, Subcommand};

use super::failure::{DONE, Failure};
use super::flags::Output;
use super::table::{Cell, Column, Table};
use super::ui::{BAD, FAINT, PLAIN, STRONG, Stream};
use super::{Context, Outcome};
use crate::app::report::NetworkReport;
use crate::app::{Error, Kind};

/// Look at the network of pods
#[derive(Debug, Args)]
pub struct NetworkArgs {
    #[command(subcommand)]
    command: NetworkCommand,
}

#[derive(Debug, Subcommand)]
enum NetworkCommand {
    Inspect(InspectArgs),
}

/// Show the bridge, its subnets, and the addresses and ports of the pods on it
///
/// What is not as it should be is named; `tank reconcile` puts it right.
#[derive(Debug, Args)]
pub struct InspectArgs {
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &NetworkArgs, context: &mut Context) -> Outcome {
    let NetworkCommand::Inspect(args) = &args.command;
    let none = || {
        let error = Error::new(Kind::NotFound, "there is no network yet");
        Failure::from(error.hint("the first pod with network = \"bridge\" makes it"))
    };
    let report = context.open_existing()?.ok_or_else(none)?.network_inspect()?;
    if args.output.is_json() {
        context.ui.out.json(&report)?;
    } else {
        print(&mut context.ui.out, &report)?;
    }
    Ok(DONE)
}

fn print(out: &mut Stream, report: &NetworkReport) -> io::Result<()> {
    let gateways: Vec<String> = report.gateways.iter().map(ToString::to_string).collect();
    let none = || "none".to_owned();
    let facts = [
        ("bridge", report.bridge.clone()),
        ("IPv4", report.ipv4.clone()),
        ("IPv6", report.ipv6.clone().unwrap_or_else(none)),
        ("gateways", gateways.join(", ")),
        ("table", format!("inet {}", report.table)),
    ];
    for (name, value) in facts {
        out.styled(FAINT, &format!("{name:<10}"))?;
        out.line(&value)?;
    }
    if let Some(drift) = &report.drift {
        out.styled(BAD, &format!("{:<10}", "drift"))?;
        out.line(drift)?;
    }
    if report.pods.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let columns = [
        Column::whole("POD"),
        Column::whole("IPV4"),
        Column::whole("IPV6"),
        Column::whole("INTERFACE"),
        Column::flexible("PORTS"),
        Column::flexible("DRIFT"),
    ];
    let mut table = Table::new(columns);
    for pod in &report.pods {
        let isolated = if pod.isolated { " (isolated)" } else { "" };
        table.row([
            Cell::styled(STRONG, format!("{}{isolated}", pod.name)),
            Cell::styled(PLAIN, pod.ipv4.to_string()),
            Cell::styled(PLAIN, pod.ipv6.map_or_else(String::new, |address| address.to_string())),
            Cell::styled(FAINT, pod.interface.clone()),
            Cell::styled(PLAIN, pod.ports.join(", ")),
            Cell::styled(BAD, pod.drift.clone().unwrap_or_default()),
        ]);
    }
    out.table(&table)
}
