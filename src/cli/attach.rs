//! `tank attach`: the terminal or streams of a container's main process.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use clap::Args;

use super::failure::{DONE, Failure};
use super::ui::FAINT;
use super::{Context, Outcome};
use crate::app::{AttachOutcome, AttachRequest};
use crate::model::{ContainerRef, DetachKeys};

/// Attach to the main process of a running container
///
/// A container with `tty = true` shows its screen and takes what is typed; the detach keys leave
/// it running. Of one without, standard output and standard error are shown from now on, and with
/// `stdin = true` it is fed standard input, whose end is passed on; ctrl-c leaves it running.
/// Several people can attach at once.
///
/// If the program ends, its exit code becomes tank's: 128+N when signal N ended it. Leaving is 0.
/// 125 means that tank itself failed.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank attach console                 take over its terminal; ctrl-p ctrl-q leaves it running
  tank attach --detach-keys ctrl-a,d console
  tank attach --no-stdin web          only watch
  gzip -dc dump.sql.gz | tank attach import")]
pub struct AttachArgs {
    /// Insist on a terminal: a container without one is an error
    #[arg(short, long)]
    tty: bool,
    /// The keys that leave it running: characters, ctrl-X or DEL with commas between, or none.
    /// What is set here goes before config.toml
    #[arg(long, value_name = "KEYS", env = "TANK_DETACH_KEYS", hide_env_values = true)]
    detach_keys: Option<DetachKeys>,
    /// Do not pass on standard input
    #[arg(long)]
    no_stdin: bool,
    /// The pod, or pod/container; a pod alone is its first container
    #[arg(value_name = "POD[/CONTAINER]")]
    target: ContainerRef,
}

/// Runs the verb.
pub fn run(args: AttachArgs, context: &mut Context) -> Outcome {
    let app = context.open_existing().map_err(Failure::of_exec)?;
    let app = app.ok_or_else(|| Failure::no_such_pod(&args.target.pod))?;
    let target = app.target(&args.target).map_err(Failure::Exec)?;
    context.tell_choice(&target);
    let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
    let has_terminal = input.is_terminal() && context.ui.out.is_terminal();
    if args.tty && !has_terminal {
        context.ui.warn("standard input or output is no terminal, so nothing is drawn");
    }
    let request = AttachRequest {
        tty: args.tty,
        detach_keys: args.detach_keys,
        stdin: !args.no_stdin,
        streams: [input.as_fd(), output.as_fd(), error.as_fd()],
    };
    let attached = app.attach(&target, request).map_err(Failure::Exec)?;
    let on_terminal = attached.is_on_terminal();
    let leaving = match attached.detach_keys() {
        Some(keys) => format!("{} leaves it running", keys.to_string().replace(',', " ")),
        None if on_terminal => "no keys leave it".to_owned(),
        None => "ctrl-c leaves it running".to_owned(),
    };
    context.ui.progress(FAINT, &format!("attached to {target}; {leaving}"));
    let ui = &mut context.ui;
    let mut warned = false;
    let outcome = attached.run(&mut || {
        if !std::mem::replace(&mut warned, true) {
            ui.warn(
                "output comes faster than it is read, and some is skipped; tank logs has it all",
            );
        }
    });
    match outcome.map_err(Failure::Exec)? {
        AttachOutcome::Ended(code) => Ok(code),
        AttachOutcome::Signaled(_) => Ok(DONE),
        AttachOutcome::Detached => {
            // The program has left the cursor somewhere.
            ui.progress(FAINT, "");
            ui.progress(FAINT, &format!("left {target} running"));
            Ok(DONE)
        }
    }
}
