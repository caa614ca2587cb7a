//! `tank doctor`: what about this machine stands in the way.

use std::io;

use clap::Args;

use super::failure::{DONE, FAILED};
use super::flags::{Lock, Output};
use super::people;
use super::ui::{BAD, FAINT, GOOD, ODD, Stream};
use super::{Context, Outcome};
use crate::app::report::{CheckStatus, DoctorReport};

/// Check this machine and the state, and say what is missing and what that means
///
/// Looks at the database, the packet filter and its conntrack, forwarding, the filter settings of
/// bridges, other firewalls, name servers, and subnets. Changes nothing. The exit code is 1 if
/// something cannot work as it is; a warning alone leaves it 0.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &DoctorArgs, context: &mut Context) -> Outcome {
    let report = context.open_for_plan(Lock::NONE)?.doctor()?;
    if args.output.is_json() {
        context.ui.out.json(&report)?;
    } else {
        print(&mut context.ui.out, &report)?;
    }
    let failed = report.checks.iter().any(|check| check.status == CheckStatus::Problem);
    Ok(if failed { FAILED } else { DONE })
}

fn print(out: &mut Stream, report: &DoctorReport) -> io::Result<()> {
    for check in &report.checks {
        let (style, word) = match check.status {
            CheckStatus::Ok => (GOOD, "ok"),
            CheckStatus::Warning => (ODD, "warning"),
            CheckStatus::Problem => (BAD, "problem"),
        };
        out.styled(style, &format!("{word:<9}"))?;
        out.line(&format!("{}: {}", check.name, check.detail))?;
        if let Some(advice) = &check.advice {
            out.styled(FAINT, &format!("{:9}{advice}\n", ""))?;
        }
    }
    let count = |status| report.checks.iter().filter(|check| check.status == status).count();
    out.line(&format!(
        "{}, {}",
        people::count(count(CheckStatus::Problem), "problem"),
        people::count(count(CheckStatus::Warning), "warning")
    ))
}
