//! `tank get`: one desired pod, as it is stored.

use clap::{Args, ValueEnum};

use super::failure::{DONE, Failure};
use super::{Context, Outcome};
use crate::model::PodName;
use crate::model::render;

/// Print the desired spec of a pod
///
/// The output is a pod file: `tank get web | tank apply -f -` changes nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank get web > web.toml
  tank get web -o json")]
pub struct GetArgs {
    /// The pod
    name: PodName,
    /// The format to print
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value = "toml")]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The pod file's format
    Toml,
    /// All fields, with their defaults
    Json,
}

/// Runs the verb.
pub fn run(args: &GetArgs, context: &mut Context) -> Outcome {
    let app = context.open_existing()?.ok_or_else(|| Failure::no_such_pod(&args.name))?;
    let pod = app.get(&args.name)?;
    match args.output {
        Format::Toml => context.ui.out.text(&render::to_toml(&pod))?,
        Format::Json => context.ui.out.json(&pod)?,
    }
    Ok(DONE)
}
