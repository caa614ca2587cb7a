//! `tank volume inspect`: one volume in full.

use clap::Args;

use crate::cli::failure::DONE;
use crate::cli::flags::Output;
use crate::cli::people;
use crate::cli::ui::FAINT;
use crate::cli::{Context, Outcome};
use crate::model::VolumeName;

/// Show where a volume is, who uses it, and how much it holds
#[derive(Debug, Args)]
pub struct VolumeInspectArgs {
    /// The volume
    #[arg(value_name = "VOLUME")]
    name: VolumeName,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &VolumeInspectArgs, context: &mut Context) -> Outcome {
    let app = context.open_existing()?.ok_or_else(|| super::no_such_volume(&args.name))?;
    let report = app.volume_inspect(&args.name)?;
    let out = &mut context.ui.out;
    if args.output.is_json() {
        out.json(&report)?;
        return Ok(DONE);
    }
    let volume = &report.volume;
    let mut facts = vec![("name", volume.name.to_string()), ("path", volume.path.clone())];
    facts.extend(volume.created_at.map(|time| ("created", time.to_string())));
    let entries = usize::try_from(report.entries).unwrap_or(usize::MAX);
    let files = people::count(entries, "file");
    facts.push(("holds", format!("{files}, {}", people::size(report.bytes))));
    facts.extend(volume.pods.iter().map(|pod| ("used by", pod.to_string())));
    for (name, value) in facts {
        out.styled(FAINT, &format!("{name:<10}"))?;
        out.line(&value)?;
    }
    Ok(DONE)
}
