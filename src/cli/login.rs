//! `tank login`: credentials of a registry.

use std::io::{self, IsTerminal, Read};

use clap::Args;

use super::failure::{DONE, Failure};
use super::flags::{self, Lock};
use super::{Context, Outcome};
use crate::app::Secret;
use crate::term::ask;

/// The longest password, in bytes: tokens of cloud registries have thousands.
const LONGEST: u64 = 64 << 10;

/// What a script does.
const HINT: &str = "give --user NAME --password-stdin, and the password on standard input";

/// Log in to a registry
///
/// Asks the registry whether it accepts the user and the password, and stores them in auth.json of
/// the root, which only root can read. They are sent to this registry, and to the token server it
/// names, and to no other. A password is never an argument, which everyone on the machine could
/// read: it is asked for without being shown, or comes from standard input.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank login registry.example:5000
  pass show registry | tank login docker.io --user me --password-stdin")]
pub struct LoginArgs {
    /// The registry: a host, with its port where it has one
    #[arg(value_name = "REGISTRY", value_parser = flags::registry)]
    registry: String,
    /// The user; asked for if left out
    #[arg(short, long, alias = "username", value_name = "NAME")]
    user: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "user")]
    password_stdin: bool,
    #[command(flatten)]
    lock: Lock,
}

/// Runs the verb.
pub fn run(args: &LoginArgs, context: &mut Context) -> Outcome {
    let user = match &args.user {
        Some(user) => user.clone(),
        None => asked(&format!("User of {}: ", args.registry), ask::line)?,
    };
    // A colon would be taken for the end of the user: RFC 7617, 2.
    if user.is_empty() || user.contains(|c: char| c == ':' || c.is_control()) {
        let message = "a user is not empty and has neither colons nor control characters";
        return Err(Failure::usage(message, HINT));
    }
    let password = if args.password_stdin {
        from_standard_input()?
    } else {
        asked(&format!("Password of {user} at {}: ", args.registry), ask::secret)?
    };
    if password.is_empty() || password.contains(char::is_control) {
        let message = "a password is not empty and has no control characters";
        return Err(Failure::usage(message, HINT));
    }
    let app = context.open(args.lock)?;
    let report = app.login(&args.registry, user, Secret::new(password))?;
    if !context.ui.is_quiet() {
        let line = format!("logged in to {}; {} has it", report.registry, report.file);
        context.ui.out.line(&line)?;
    }
    Ok(DONE)
}

/// What the person at the terminal answers.
fn asked(
    question: &str,
    ask: fn(&str) -> crate::sys::Result<Option<String>>,
) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal to ask at", HINT));
    }
    match ask(question) {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Failure::usage("there was no answer", HINT)),
        Err(_) => Err(Failure::usage("there is no terminal to ask at", HINT)),
    }
}

/// All of standard input, without the line end that `echo` adds.
fn from_standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let name = || "standard input".to_owned();
    io::stdin()
        .lock()
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|source| Failure::Unreadable { name: name(), source })?;
    if text.len() as u64 > LONGEST {
        return Err(Failure::usage("standard input is too long for a password", HINT));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
