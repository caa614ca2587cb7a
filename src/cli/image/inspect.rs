//! `tank image inspect`: one image in full.

use std::io;

use clap::Args;

use crate::app::report::ImageInspectReport;
use crate::cli::failure::DONE;
use crate::cli::flags::Output;
use crate::cli::people;
use crate::cli::ui::{FAINT, STRONG, Stream};
use crate::cli::{Context, Outcome};

/// Show the layers and the configuration of an image
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The image, by name or digest
    #[arg(value_name = "IMAGE")]
    name: String,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &InspectArgs, context: &mut Context) -> Outcome {
    let app = context.open_existing()?.ok_or_else(|| super::no_such_image(&args.name))?;
    let report = app.image_inspect(&args.name)?;
    if args.output.is_json() {
        context.ui.out.json(&report)?;
    } else {
        print(&mut context.ui.out, &report)?;
    }
    Ok(DONE)
}

fn print(out: &mut Stream, report: &ImageInspectReport) -> io::Result<()> {
    let image = &report.image;
    let mut facts: Vec<_> = image.names.iter().map(|name| ("name", name.clone())).collect();
    facts.push(("digest", image.digest.to_string()));
    facts.extend(image.platform.clone().map(|platform| ("platform", platform)));
    facts.push(("size", people::size(image.size)));
    facts.extend(image.created_at.map(|time| ("created", time.to_string())));
    facts.extend(image.loaded_at.map(|time| ("loaded", time.to_string())));
    for layer in &report.layers {
        facts.push(("layer", format!("{}  {}", layer.diff_id, people::size(layer.size))));
    }
    for (name, value) in facts {
        out.styled(FAINT, &format!("{name:<10}"))?;
        out.line(&value)?;
    }
    out.styled(STRONG, "\nConfiguration\n")?;
    out.json(&report.config)
}
