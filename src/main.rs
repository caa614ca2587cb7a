//! The `tank` program: picks the role it was started in and runs it.

use std::process::ExitCode;

use tank::runtime::{exec, monitor, probe, sandbox};

/// A role besides the command: the name the program is started under, and what it then does.
type Role = (&'static str, fn() -> ExitCode);

/// The roles that tank starts itself in. They are looked up before anything else is done.
const ROLES: &[Role] = &[
    (monitor::NAME, monitor::main),
    (exec::SUPERVISOR, exec::supervisor_main),
    (probe::NAME, probe::main),
    (sandbox::NAME, sandbox::main),
];

fn main() -> ExitCode {
    let name = std::env::args_os().next();
    let role = ROLES.iter().find(|(role, _)| name.as_ref().is_some_and(|name| name == role));
    match role {
        Some((_, main)) => main(),
        None => tank::cli::main(std::env::args_os()),
    }
}
