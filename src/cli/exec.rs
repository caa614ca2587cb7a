//! `tank exec`: a second process in a running container.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use clap::Args;

use super::failure::Failure;
use super::{Context, Outcome};
use crate::app::ExecRequest;
use crate::model::{ContainerRef, DetachKeys};

/// Run a program in a running container
///
/// The program gets the container's namespaces, limits, user, environment and working directory.
/// It has a terminal if standard input and output are terminals. INT, TERM, HUP, QUIT, USR1 and
/// USR2 are passed on to it, and it is killed with its children if tank is.
///
/// Its exit code becomes tank's: 128+N when signal N ended it. 125 means that tank itself failed,
/// 126 that the program cannot be executed, 127 that it does not exist.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank exec web -- sh                 a shell in the first container of a pod
  tank exec db/backup -- pg_dump app > app.sql
  tank exec -T -u www-data -w /srv web -- php maintenance.php
  tank exec -d web -- /app/reindex    return at once, and leave it running")]
pub struct ExecArgs {
    /// Use a terminal even if standard output is none; without one on standard input, a warning
    /// says so and nothing changes
    #[arg(short, long, overrides_with = "no_tty")]
    tty: bool,
    /// Use no terminal
    #[arg(short = 'T', long, overrides_with = "tty")]
    no_tty: bool,
    /// Connect standard input; this is so anyway, except with -d
    #[arg(short, long, conflicts_with = "detach", overrides_with = "no_stdin")]
    interactive: bool,
    /// Do not connect standard input: the program reads its end at once
    #[arg(long, overrides_with = "interactive")]
    no_stdin: bool,
    /// Set an environment variable; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Working directory inside the container
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// User, or user:group, inside the container
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// Return at once and leave the program running
    #[arg(short, long, conflicts_with = "tty")]
    detach: bool,
    /// Give it all capabilities that tank has, and neither no_new_privileges nor a seccomp filter
    #[arg(long)]
    privileged: bool,
    /// Keys that leave it running, on a terminal: characters, ctrl-X or DEL with commas between
    #[arg(long, value_name = "KEYS", conflicts_with = "detach")]
    detach_keys: Option<DetachKeys>,
    /// The kind of terminal, where there is one
    #[arg(long, env = "TERM", hide = true, hide_env_values = true)]
    term: Option<OsString>,
    /// The pod, or pod/container; a pod alone is its first container
    #[arg(value_name = "POD[/CONTAINER]")]
    target: ContainerRef,
    /// The program and its arguments; what follows it is not read as options of tank
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<OsString>,
}

#[cfg(test)]
impl ExecArgs {
    /// The program and its arguments.
    pub fn program(&self) -> &[OsString] {
        &self.command
    }
}

/// Runs the verb.
pub fn run(args: ExecArgs, context: &mut Context) -> Outcome {
    let app = context.open_existing().map_err(Failure::of_exec)?;
    let app = app.ok_or_else(|| Failure::no_such_pod(&args.target.pod))?;
    let target = app.target(&args.target).map_err(Failure::Exec)?;
    context.tell_choice(&target);
    let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
    let tty = input.is_terminal() && !args.detach && !args.no_tty;
    if args.tty && !tty {
        context.ui.warn("standard input is no terminal, so the program gets none");
    }
    let request = ExecRequest {
        argv: args.command,
        env: args.env,
        working_dir: args.workdir,
        user: args.user,
        tty: tty && (args.tty || context.ui.out.is_terminal()),
        term: args.term.filter(|term| !term.is_empty()),
        stdin: !args.detach && !args.no_stdin,
        detach: args.detach,
        privileged: args.privileged,
        detach_keys: args.detach_keys.unwrap_or(DetachKeys::NONE),
        streams: [input.as_fd(), output.as_fd(), error.as_fd()],
    };
    let outcome = app.exec(&target, request).map_err(Failure::Exec)?;
    Ok(outcome.code)
}

fn variable(text: &str) -> Result<(String, String), VariableError> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(VariableError),
    }
}

/// A text that is not an environment variable with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write NAME=VALUE")]
struct VariableError;
