//! `tank image pull`: images from registries.

use clap::Args;

use crate::app::report::ImagePullReport;
use crate::app::{Platform, PullRequest};
use crate::cli::each::Each;
use crate::cli::flags::{self, Lock, Output};
use crate::cli::pull_progress::PullProgress;
use crate::cli::{Context, Outcome};
use crate::model::image_name::ImageName;

/// Fetch images from registries
///
/// Everything is verified, and a layer that is here already is not fetched again. A pull that was
/// interrupted goes on where it stopped. A name without a registry is one of docker.io, a name
/// without a tag means latest. Pods that run keep the image they were started from.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank image pull nginx:1.27
  tank image pull registry.example:5000/app@sha256:9f86d081884c7d65...
  tank image pull --platform linux/arm64 alpine

Credentials are looked for in auth.json of the root, which `tank login` writes, then where podman
and docker keep them. Mirrors, registries without TLS, extra
CA certificates and limits are set in config.toml of the root: `tank schema --config`.")]
pub struct PullArgs {
    /// The images, by name
    #[arg(value_name = "IMAGE", required = true, value_parser = flags::image_name)]
    names: Vec<ImageName>,
    /// The platform to choose: os/architecture[/variant]; this machine's if left out
    #[arg(long, value_name = "PLATFORM", value_parser = flags::platform)]
    platform: Option<Platform>,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &PullArgs, context: &mut Context) -> Outcome {
    let mut app = context.open(args.lock)?;
    let request = PullRequest { platform: args.platform.clone() };
    let each = Each { key: "images", line };
    each.of(context, &args.names, args.output, |ui, name| {
        PullProgress::attend(ui, |progress| app.image_pull(name, &request, progress))
    })
}

fn line(report: &ImagePullReport) -> String {
    let digest = &report.image.digest;
    match report.changed {
        true => format!("image {} pulled: {digest}", report.name),
        false => format!("image {} is up to date: {digest}", report.name),
    }
}
