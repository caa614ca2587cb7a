//! `tank exec`: a second process in a running container.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use clap::Args;

use super::failure::Failure;
use super::{Context, Outcome};
use crate::app::ExecRequest;
use crate::model::ContainerRef;

/// Run a program in a running container
///
/// The program gets the container's namespaces, limits, user, environment and working directory.
/// It has a terminal if standard input and output are terminals. Its exit code becomes tank's:
/// 128+N when signal N ended it. 125 means that tank itself failed, 126 that the program cannot be
/// executed, 127 that it does not exist.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank exec web -- sh                 a shell in the first container of a pod
  tank exec db/backup -- pg_dump app > app.sql
  tank exec -T -u www-data -w /srv web -- php maintenance.php
  tank exec -d web -- /app/reindex    return at once, and leave it running")]
pub struct ExecArgs {
    /// Use a terminal even if standard input or output is none
    #[arg(short, long, overrides_with = "no_tty")]
    tty: bool,
    /// Use no terminal
    #[arg(short = 'T', long, overrides_with = "tty")]
    no_tty: bool,
    /// Connect standard input; this is so anyway, except with -d
    #[arg(short, long, conflicts_with = "detach")]
    interactive: bool,
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
    let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
    let automatic = !args.no_tty && input.is_terminal() && context.ui.out.is_terminal();
    let request = ExecRequest {
        argv: args.command,
        env: args.env,
        working_dir: args.workdir,
        user: args.user,
        tty: args.tty || (automatic && !args.detach),
        term: args.term.filter(|term| !term.is_empty()),
        stdin: !args.detach,
        detach: args.detach,
        streams: [input.as_fd(), output.as_fd(), error.as_fd()],
    };
    let outcome = app.exec(&args.target, request).map_err(Failure::Exec)?;
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
