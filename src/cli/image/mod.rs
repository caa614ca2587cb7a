//! `tank image`: the images on disk.

pub mod inspect;
pub mod list;
pub mod load;
pub mod rm;

use clap::{Args, Subcommand};

use super::{Context, Outcome};

/// Load, list and remove images
#[derive(Debug, Args)]
pub struct ImageArgs {
    #[command(subcommand)]
    command: ImageCommand,
}

#[derive(Debug, Subcommand)]
enum ImageCommand {
    Load(load::LoadArgs),
    #[command(visible_alias = "ls")]
    List(list::ImageListArgs),
    Inspect(inspect::InspectArgs),
    Rm(rm::RmArgs),
}

/// Runs the verb.
pub fn run(args: &ImageArgs, context: &mut Context) -> Outcome {
    match &args.command {
        ImageCommand::Load(args) => load::run(args, context),
        ImageCommand::List(args) => list::run(args, context),
        ImageCommand::Inspect(args) => inspect::run(args, context),
        ImageCommand::Rm(args) => rm::run(args, context),
    }
}
