//! `tank image`: the images on disk.

pub mod inspect;
pub mod list;
pub mod load;
pub mod prune;
pub mod pull;
pub mod rm;
pub mod save;
pub mod tag;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::{Context, Outcome};
use crate::app::{Error, Kind};

/// Pull, load, list, save and remove images
#[derive(Debug, Args)]
pub struct ImageArgs {
    #[command(subcommand)]
    command: ImageCommand,
}

#[derive(Debug, Subcommand)]
enum ImageCommand {
    Pull(pull::PullArgs),
    Load(load::LoadArgs),
    #[command(visible_alias = "ls")]
    List(list::ImageListArgs),
    Inspect(inspect::InspectArgs),
    Tag(tag::TagArgs),
    Rm(rm::RmArgs),
    Prune(prune::PruneArgs),
    Save(save::SaveArgs),
}

/// Runs the verb.
pub fn run(args: &ImageArgs, context: &mut Context) -> Outcome {
    match &args.command {
        ImageCommand::Pull(args) => pull::run(args, context),
        ImageCommand::Load(args) => load::run(args, context),
        ImageCommand::List(args) => list::run(args, context),
        ImageCommand::Inspect(args) => inspect::run(args, context),
        ImageCommand::Tag(args) => tag::run(args, context),
        ImageCommand::Rm(args) => rm::run(args, context),
        ImageCommand::Prune(args) => prune::run(args, context),
        ImageCommand::Save(args) => save::run(args, context),
    }
}

/// An image that is not there because there is no state at all yet.
fn no_such_image(name: &str) -> Failure {
    let error = Error::new(Kind::NotFound, format!("cannot find image {name}"))
        .hint("there are none yet: `tank image pull` and `tank image load` bring some");
    error.into()
}
