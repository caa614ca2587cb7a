//! `tank image rm`: images off the disk.

use clap::Args;

use crate::cli::failure::DONE;
use crate::cli::flags::Lock;
use crate::cli::{Context, Outcome};

/// Remove images
///
/// Removing a name leaves the image until its last name is gone. An image that a pod uses is not
/// removed.
#[derive(Debug, Args)]
pub struct RmArgs {
    /// The images, by name or digest
    #[arg(value_name = "IMAGE", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    lock: Lock,
}

/// Runs the verb.
pub fn run(args: &RmArgs, context: &mut Context) -> Outcome {
    let mut app = context.open(args.lock)?;
    for name in &args.names {
        app.image_remove(name)?;
        if !context.ui.is_quiet() {
            context.ui.out.line(&format!("image {name} removed"))?;
        }
    }
    Ok(DONE)
}
