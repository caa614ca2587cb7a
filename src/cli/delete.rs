//! `tank delete`: make pods no longer desired, and take them away.

use std::path::PathBuf;

use clap::Args;

use super::flags::{Lock, Output, Wait};
use super::input::{self, Purpose};
use super::pass::Narrator;
use super::{Context, Outcome};
use crate::app::DeleteRequest;
use crate::model::PodName;

/// Stop pods and remove them, and run one pass
///
/// Named volumes outlive their pods. Deleting a pod that does not exist is an error unless
/// --ignore-not-found is given.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank delete web db
  tank delete -f web.toml             the pods that a file names
  tank delete --wait web              return when its last process is gone")]
pub struct DeleteArgs {
    /// The pods
    #[arg(value_name = "NAME", required_unless_present = "files")]
    names: Vec<PodName>,
    /// Delete the pods of a pod file, a directory of *.toml files, or - for standard input
    #[arg(short, long = "file", value_name = "FILE", conflicts_with = "names")]
    files: Vec<PathBuf>,
    /// A pod that does not exist is not an error
    #[arg(long)]
    ignore_not_found: bool,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: DeleteArgs, context: &mut Context) -> Outcome {
    let mut names = args.names;
    if !args.files.is_empty() {
        let loaded = input::load(&mut context.ui, &args.files, Purpose::Name)?;
        let stated = loaded.all_valid("nothing was deleted")?;
        names = stated.pods.into_iter().map(|pod| pod.name).collect();
    }
    let mut app = context.open(args.lock)?;
    let request = DeleteRequest { wait: args.wait.wait, ignore_not_found: args.ignore_not_found };
    let mut narrator = Narrator::new(&mut context.ui, args.output.is_json(), false);
    let report = app.delete(names, &request, &mut |progress| narrator.tell(progress))?;
    Ok(narrator.finish(&report)?)
}
