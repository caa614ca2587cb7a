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
use serde::Serialize;
use serde_json::json;

use super::failure::{DONE, Failure};
use super::flags::Output;
use super::ui::Ui;
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

/// Does something to each of several images. One that fails does not keep the others from it; the
/// exit code is that of the first that did.
fn each<N, R: Serialize>(
    context: &mut Context,
    names: &[N],
    output: Output,
    line: fn(&R) -> String,
    mut work: impl FnMut(&Ui, &N) -> Result<R, Error>,
) -> Outcome {
    let ui = &mut context.ui;
    let mut reports = Vec::new();
    let mut code = DONE;
    for name in names {
        match work(ui, name) {
            Ok(report) if output.is_json() => reports.push(report),
            Ok(_) if ui.is_quiet() => {}
            Ok(report) => {
                ui.out.line(&line(&report))?;
                ui.out.flush()?;
            }
            Err(error) => {
                let failure = Failure::from(error);
                failure.print(&mut ui.err)?;
                code = if code == DONE { failure.exit_code() } else { code };
            }
        }
    }
    if output.is_json() {
        ui.out.json(&json!({ "images": reports }))?;
    }
    Ok(code)
}
