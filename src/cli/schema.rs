//! `tank schema`: the pod file, for editors.

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
pub struct SchemaArgs {}

/// Runs the verb.
pub fn run(_: &SchemaArgs, context: &mut Context) -> Outcome {
    context.ui.out.json(&app::schema())?;
    Ok(DONE)
}
