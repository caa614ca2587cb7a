//! `tank logout`: credentials of a registry, forgotten.

use clap::Args;

use super::failure::DONE;
use super::flags::{self, Lock};
use super::{Context, Outcome};

/// Log out of a registry
///
/// Removes what `tank login` stored. What docker and podman stored for themselves, and tank reads
/// too, stays.
#[derive(Debug, Args)]
pub struct LogoutArgs {
    /// The registry
    #[arg(value_name = "REGISTRY", value_parser = flags::registry)]
    registry: String,
    #[command(flatten)]
    lock: Lock,
}

/// Runs the verb.
pub fn run(args: &LogoutArgs, context: &mut Context) -> Outcome {
    let report = context.open(args.lock)?.logout(&args.registry)?;
    if !context.ui.is_quiet() {
        context.ui.out.line(&format!("logged out of {}", report.registry))?;
    }
    Ok(DONE)
}
