//! `tank completions`: what a shell may complete.

use clap::Args;
use clap_complete::Shell;

use super::failure::DONE;
use super::{Context, Outcome, generate};

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank completions bash > /usr/share/bash-completion/completions/tank
  tank completions zsh > /usr/share/zsh/vendor-completions/_tank
  tank completions fish > /usr/share/fish/vendor_completions.d/tank.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the verb.
pub fn run(args: &CompletionsArgs, context: &mut Context) -> Outcome {
    context.ui.out.generated(&generate::completions(args.shell))?;
    Ok(DONE)
}
