//! `tank image load`: an image from a file.

use std::path::PathBuf;

use clap::Args;

use crate::cli::failure::DONE;
use crate::cli::flags::{Lock, Output};
use crate::cli::{Context, Outcome};

/// Load an image from a docker archive, an OCI archive or an OCI layout directory
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank image load app.tar
  docker save app:7 -o app.tar && tank image load -i app.tar")]
pub struct LoadArgs {
    /// The archive or directory
    #[arg(value_name = "PATH", required_unless_present = "input")]
    path: Option<PathBuf>,
    /// The archive or directory, as others name it
    #[arg(short, long, value_name = "PATH", conflicts_with = "path")]
    input: Option<PathBuf>,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &LoadArgs, context: &mut Context) -> Outcome {
    let mut app = context.open(args.lock)?;
    let path = args.path.as_ref().or(args.input.as_ref()).cloned().unwrap_or_default();
    let report = app.image_load(&path)?;
    let out = &mut context.ui.out;
    if args.output.is_json() {
        out.json(&report)?;
        return Ok(DONE);
    }
    for image in &report.images {
        if image.names.is_empty() {
            out.line(&format!("image {} loaded", image.digest))?;
        }
        for name in &image.names {
            out.line(&format!("image {name} loaded"))?;
        }
    }
    Ok(DONE)
}
