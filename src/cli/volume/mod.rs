//! `tank volume`: the named volumes.

pub mod inspect;
pub mod list;
pub mod prune;
pub mod rm;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::{Context, Outcome};
use crate::app::{Error, Kind};
use crate::model::VolumeName;

/// List, inspect and remove named volumes
///
/// A volume is made by the first pod that mounts it, with what the image has in its place, and
/// outlives every pod. Deleting a pod leaves its volumes.
#[derive(Debug, Args)]
pub struct VolumeArgs {
    #[command(subcommand)]
    command: VolumeCommand,
}

#[derive(Debug, Subcommand)]
enum VolumeCommand {
    #[command(visible_alias = "ls")]
    List(list::VolumeListArgs),
    Inspect(inspect::VolumeInspectArgs),
    Rm(rm::VolumeRmArgs),
    Prune(prune::VolumePruneArgs),
}

/// Runs the verb.
pub fn run(args: &VolumeArgs, context: &mut Context) -> Outcome {
    match &args.command {
        VolumeCommand::List(args) => list::run(args, context),
        VolumeCommand::Inspect(args) => inspect::run(args, context),
        VolumeCommand::Rm(args) => rm::run(args, context),
        VolumeCommand::Prune(args) => prune::run(args, context),
    }
}

/// A volume that is not there because there is no state at all yet.
fn no_such_volume(name: &VolumeName) -> Failure {
    let error = Error::new(Kind::NotFound, format!("cannot find volume {name}"))
        .hint("there are none yet: a pod that mounts one makes it");
    error.into()
}
