//! `tank man`: the manual pages.

use std::path::PathBuf;

use clap::Args;

use super::failure::{DONE, Failure};
use super::people;
use super::ui::PLAIN;
use super::{Context, Outcome, generate};
use crate::sys::file::{self, Durability};

/// Write the manual pages into a directory
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank man /usr/local/share/man/man1 && man tank-apply")]
pub struct ManArgs {
    /// The directory; it is made if it is missing
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Runs the verb.
pub fn run(args: &ManArgs, context: &mut Context) -> Outcome {
    let unwritable = |path: &std::path::Path| {
        let name = path.display().to_string();
        move |source| Failure::Unwritable { name, source }
    };
    file::make_dirs(&args.directory, 0o755).map_err(unwritable(&args.directory))?;
    let pages = generate::man_pages()?;
    for (name, page) in &pages {
        let path = args.directory.join(name);
        file::replace(&path, page, 0o644, Durability::Volatile).map_err(unwritable(&path))?;
    }
    context.ui.progress(
        PLAIN,
        &format!("wrote {} to {}", people::count(pages.len(), "page"), args.directory.display()),
    );
    Ok(DONE)
}
