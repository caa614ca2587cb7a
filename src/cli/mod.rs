//! Words in, words out: the command line, one file a verb.
//!
//! A verb's file has its arguments (the doc comments are the help, the man page and the
//! completions) and a function that turns them into a request to [`crate::app`] and the report
//! into words. Flags that several verbs share are in [`flags`]. Everything that is printed goes
//! through [`ui::Ui`]; every failure becomes an exit code in [`failure`].

#![forbid(unsafe_code)]

pub mod apply;
pub mod attach;
pub mod completions;
pub mod delete;
pub mod describe;
pub mod doctor;
pub mod events;
pub mod exec;
pub mod get;
pub mod history;
pub mod image;
pub mod list;
pub mod login;
pub mod logout;
pub mod logs;
pub mod man;
pub mod network;
pub mod plan;
pub mod ps;
pub mod reconcile;
pub mod rollback;
pub mod run;
pub mod schema;
pub mod seed;
pub mod volume;
pub mod wait;

pub mod credential_files;
pub mod diagnostics;
pub mod each;
pub mod failure;
pub mod flags;
pub mod generate;
pub mod input;
pub mod install;
pub mod moment;
pub mod pass;
pub mod people;
pub mod pull_progress;
pub mod table;
pub mod text;
pub mod ui;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::app::{App, Options, Target};
use crate::model::ContainerName;
use failure::Failure;
use flags::{Global, Lock};
use ui::{Color, Ui, Verbosity};

/// Runs pods on this machine: state what should exist, and tank makes it so
///
/// Each command opens the state, applies the change it was asked for, runs one pass that compares
/// the desired pods with what is running, acts on the difference, and exits. Running the same
/// command twice does nothing the second time.
#[derive(Debug, Parser)]
#[command(
    name = "tank",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_long_help = AFTER_HELP
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  tank apply -f web.toml        create or change the pods of a file
  tank list                     what should run, and whether it does
  tank logs -f web              follow the output of a pod's first container
  tank exec web -- sh           a shell inside it
  tank delete web               take it away
  tank image pull nginx:1.27    fetch an image; apply does it by itself where one is missing
  tank volume list              the named volumes, and who uses them
  tank network inspect          the addresses and ports of pods

Exit codes:
  0  done              3  not found
  1  failed            4  not running, or not a terminal
  2  invalid input    75  another command holds the lock
  exec and attach: the program's own code, 128+N for signal N;
  125 tank failed, 126 not executable, 127 no such program";

/// The verbs.
#[derive(Debug, Subcommand)]
enum Command {
    Apply(apply::ApplyArgs),
    Delete(delete::DeleteArgs),
    Seed(seed::SeedArgs),
    Start(run::StartArgs),
    Stop(run::StopArgs),
    Restart(run::RestartArgs),
    Wait(wait::WaitArgs),
    Events(events::EventsArgs),
    History(history::HistoryArgs),
    Rollback(rollback::RollbackArgs),
    Get(get::GetArgs),
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    Ps(ps::PsArgs),
    Describe(describe::DescribeArgs),
    Plan(plan::PlanArgs),
    Reconcile(reconcile::ReconcileArgs),
    Exec(exec::ExecArgs),
    Attach(attach::AttachArgs),
    Logs(logs::LogsArgs),
    Image(image::ImageArgs),
    Volume(volume::VolumeArgs),
    Network(network::NetworkArgs),
    Doctor(doctor::DoctorArgs),
    Install(install::InstallArgs),
    Login(login::LoginArgs),
    Logout(logout::LogoutArgs),
    Schema(schema::SchemaArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// What a verb works with.
#[derive(Debug)]
pub struct Context {
    /// Where it writes.
    pub ui: Ui,
    global: Global,
    /// The command as others see it who have to wait for it.
    command: String,
}

impl Context {
    /// Where the state is.
    pub fn options(&self) -> Options {
        self.global.options(Lock::NONE)
    }

    /// Opens the state for a verb that changes it.
    pub fn open(&self, lock: Lock) -> Result<App, Failure> {
        Ok(App::open(self.global.options(lock), &self.command)?)
    }

    /// Opens the state for a verb that only reads it; `None` when there is none yet.
    pub fn open_existing(&self) -> Result<Option<App>, Failure> {
        Ok(App::open_existing(self.global.options(Lock::NONE), &self.command)?)
    }

    /// Says which of several containers a pod's name was taken for.
    fn tell_choice(&mut self, target: &Target) {
        if !target.others.is_empty() && !self.ui.is_quiet() {
            let others: Vec<_> = target.others.iter().map(ContainerName::as_str).collect();
            let others = others.join(", ");
            self.ui.note(&format!("{target} is meant; pod {} also has {others}", target.pod));
        }
    }

    /// Opens the state for a verb that only says what it would do; without one, the verb sees a
    /// machine on which nothing was ever applied.
    pub fn open_for_plan(&self, lock: Lock) -> Result<App, Failure> {
        let options = self.global.options(lock);
        match App::open_existing(options.clone(), &self.command)? {
            Some(app) => Ok(app),
            None => Ok(App::without_state(options)),
        }
    }
}

/// How a verb ends: with an exit code, or with a failure that has one.
pub type Outcome = Result<u8, Failure>;

/// Runs one command line and returns the exit code of the process.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    match Cli::try_parse_from(&arguments) {
        Ok(cli) => run(cli, &arguments).into(),
        Err(e) => refuse(&e, &arguments).into(),
    }
}

fn run(cli: Cli, arguments: &[OsString]) -> u8 {
    let ui = Ui::new(cli.global.color, cli.global.verbosity());
    let detailed = matches!(&cli.command, Command::Plan(plan) if plan.detailed_exitcode);
    let words = arguments.iter().skip(1).map(|word| word.to_string_lossy());
    let command = words.fold("tank".to_owned(), |line, word| format!("{line} {word}"));
    let mut context = Context { ui, global: cli.global, command };
    let outcome = dispatch(cli.command, &mut context);
    let outcome = outcome.and_then(|code| match context.ui.out.flush() {
        Err(e) if failure::is_broken_pipe(&e) => Ok(code),
        flushed => flushed.map(|()| code).map_err(Failure::from),
    });
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            // A result that was printed before it failed comes before the reason; where nobody
            // reads either of them, the exit code is all that is left to say it.
            drop(context.ui.out.flush());
            drop(failure.print(&mut context.ui.err).and_then(|()| context.ui.err.flush()));
            if detailed { failure::FAILED } else { failure.exit_code() }
        }
    }
}

fn dispatch(command: Command, context: &mut Context) -> Outcome {
    match command {
        Command::Apply(args) => apply::run(args, context),
        Command::Delete(args) => delete::run(args, context),
        Command::Seed(args) => seed::run(&args, context),
        Command::Start(args) => run::start(args, context),
        Command::Stop(args) => run::stop(args, context),
        Command::Restart(args) => run::restart(args, context),
        Command::Wait(args) => wait::run(&args, context),
        Command::Events(args) => events::run(args, context),
        Command::History(args) => history::run(&args, context),
        Command::Rollback(args) => rollback::run(&args, context),
        Command::Get(args) => get::run(&args, context),
        Command::List(args) => list::run(&args, context),
        Command::Ps(args) => ps::run(&args, context),
        Command::Describe(args) => describe::run(&args, context),
        Command::Plan(args) => plan::run(&args, context),
        Command::Reconcile(args) => reconcile::run(args, context),
        Command::Exec(args) => exec::run(args, context),
        Command::Attach(args) => attach::run(args, context),
        Command::Logs(args) => logs::run(&args, context),
        Command::Image(args) => image::run(&args, context),
        Command::Volume(args) => volume::run(&args, context),
        Command::Network(args) => network::run(&args, context),
        Command::Doctor(args) => doctor::run(&args, context),
        Command::Install(args) => install::run(&args, context),
        Command::Login(args) => login::run(&args, context),
        Command::Logout(args) => logout::run(&args, context),
        Command::Schema(args) => schema::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(&args, context),
    }
}

/// Prints help and versions where results go, and usage errors where errors go.
fn refuse(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let mut ui = Ui::new(Color::Auto, Verbosity::Normal);
    let stream = if error.use_stderr() { &mut ui.err } else { &mut ui.out };
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if error.use_stderr() && !is_help {
        drop(stream.text("tank: "));
    }
    let text = error.render();
    let text = if stream.color() { text.ansi().to_string() } else { text.to_string() };
    drop(stream.generated(text.as_bytes()).and_then(|()| stream.flush()));
    match error.use_stderr() {
        // Here 2 would mean that there is something to do.
        true if arguments.iter().any(|argument| argument == "--detailed-exitcode") => {
            failure::FAILED
        }
        true => failure::INVALID,
        false => failure::DONE,
    }
}

#[cfg(test)]
mod tests;
