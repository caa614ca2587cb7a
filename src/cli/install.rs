//! `tank install`: passes at boot and every minute, by systemd or cron.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{DONE, Failure};
use super::ui::PLAIN;
use super::{Context, Outcome};
use crate::app::install::{self, Piece, Scheduler};
use crate::sys;
use crate::sys::file::{self, Durability};

/// Have a pass run at boot and every minute, by systemd or by cron
///
/// Writes a service and a timer and enables them, or a file in /etc/cron.d: whichever of the two
/// this machine runs. Pods start at boot, and what drifted is put right within a minute; what ends
/// is started again at once in any case, by its monitor. With another --root, the files have names
/// of their own.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank install --dry-run              print the files
  tank install --systemd && systemctl daemon-reload && systemctl start tank.timer")]
pub struct InstallArgs {
    /// For systemd
    #[arg(long, conflicts_with = "cron")]
    systemd: bool,
    /// For cron
    #[arg(long)]
    cron: bool,
    /// Print the files, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write below this directory, as for an image of another machine
    #[arg(long, value_name = "DIR", default_value = "/")]
    prefix: PathBuf,
}

/// Runs the verb.
pub fn run(args: &InstallArgs, context: &mut Context) -> Outcome {
    let scheduler = match (args.systemd, args.cron) {
        (true, _) => Scheduler::Systemd,
        (_, true) => Scheduler::Cron,
        _ => install::scheduler(),
    };
    let pieces = install::pieces(scheduler, &context.options());
    for piece in &pieces {
        let path = args.prefix.join(piece.path().strip_prefix("/").unwrap_or(piece.path()));
        if args.dry_run {
            print(context, piece, &path)?;
        } else {
            write(piece, &path).map_err(|source| {
                let name = path.display().to_string();
                Failure::Unwritable { name, source }
            })?;
            context.ui.out.line(&format!("wrote {}", path.display()))?;
        }
    }
    if let (Scheduler::Systemd, false, Some(timer)) = (scheduler, args.dry_run, timer(&pieces)) {
        let next = format!("systemctl daemon-reload && systemctl start {timer}");
        context.ui.progress(PLAIN, &format!("it begins at the next boot, or now: {next}"));
    }
    Ok(DONE)
}

fn timer(pieces: &[Piece]) -> Option<String> {
    let names = pieces.iter().filter_map(|piece| piece.path().file_name()?.to_str());
    names.into_iter().find(|name| name.ends_with(".timer")).map(str::to_owned)
}

fn print(context: &mut Context, piece: &Piece, path: &Path) -> std::io::Result<()> {
    match piece {
        Piece::File { content, .. } => {
            context.ui.out.line(&format!("# {}", path.display()))?;
            context.ui.out.text(content)?;
            context.ui.out.line("")
        }
        Piece::Link { target, .. } => {
            context.ui.out.line(&format!("# {} -> {}", path.display(), target.display()))
        }
    }
}

fn write(piece: &Piece, path: &Path) -> sys::Result<()> {
    if let Some(directory) = path.parent() {
        file::make_dirs(directory, 0o755)?;
    }
    match piece {
        Piece::File { content, .. } => {
            file::replace(path, content.as_bytes(), 0o644, Durability::Durable)
        }
        Piece::Link { target, .. } => {
            file::remove_file(path)?;
            file::link(target, path)
        }
    }
}
