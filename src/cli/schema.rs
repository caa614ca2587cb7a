//! `tank schema`: the pod file and `config.toml`, for editors.

use clap::Args;

use super::failure::DONE;
use super::{Context, Outcome};
use crate::app;

/// Print the JSON Schema of the pod file
#[derive(Debug, Args)]
#[command(after_long_help = "\
Editors check a pod file that begins with the line
  #:schema ./tank.schema.json
against the output of `tank schema > tank.schema.json`.")]
pub struct SchemaArgs {
    /// Print the schema of config.toml instead
    #[arg(long)]
    config: bool,
}

/// Runs the verb.
pub fn run(args: &SchemaArgs, context: &mut Context) -> Outcome {
    let schema = if args.config { app::settings_schema() } else { app::schema() };
    context.ui.out.json(&schema)?;
    Ok(DONE)
}
