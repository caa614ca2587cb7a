//! Flags that more than one verb has, each defined once.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use jiff::SignedDuration;

use super::credential_files::credential_files;
use super::ui::{Color, Verbosity};
use crate::app::{Options, Platform};
use crate::model::ValueError;
use crate::model::image_name::{self, ImageName};

/// Where tank keeps its state, and how it talks.
#[derive(Debug, Args)]
pub struct Global {
    /// Directory of everything that must survive a reboot
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TANK_ROOT",
        default_value = "/var/lib/tank",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    root: PathBuf,

    /// Directory of everything that a reboot discards
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TANK_RUN_ROOT",
        default_value = "/run/tank",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    run_root: PathBuf,

    /// When to use colours; NO_COLOR is obeyed
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        help_heading = "Global options"
    )]
    pub color: Color,

    /// Show progress also where standard error is not a terminal
    #[arg(short, long, global = true, help_heading = "Global options")]
    verbose: bool,

    /// Show results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    quiet: bool,
}

impl Global {
    /// How much to say.
    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }

    /// The state to open.
    pub fn options(&self, lock: Lock) -> Options {
        Options {
            root: self.root.clone(),
            run_root: self.run_root.clone(),
            lock_timeout: lock.lock_timeout,
            credential_files: credential_files(),
        }
    }
}

/// How long to wait for others.
#[derive(Debug, Clone, Copy, Args)]
pub struct Lock {
    /// How long to wait for another tank command that holds a lock
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    lock_timeout: Duration,
}

impl Lock {
    /// For verbs that only read: they take no lock.
    pub const NONE: Self = Self { lock_timeout: Duration::ZERO };
}

/// The pod files a verb reads.
#[derive(Debug, Args)]
pub struct Files {
    /// Pod file, directory of *.toml files, or - for standard input; may be repeated
    #[arg(short, long = "file", value_name = "FILE", required = true, action = ArgAction::Append)]
    pub files: Vec<PathBuf>,
}

/// Waiting for the effect of a change.
#[derive(Debug, Clone, Copy, Args)]
pub struct Wait {
    /// Wait until the pods are ready, or gone; fail if it takes longer than this, or than 60s
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "60s",
        value_parser = duration
    )]
    pub wait: Option<Duration>,
}

/// Output for scripts.
#[derive(Debug, Clone, Copy, Args)]
pub struct Output {
    /// Print JSON for scripts
    #[arg(short, long, value_name = "FORMAT", value_enum)]
    output: Option<OutputFormat>,
}

impl Output {
    /// Whether JSON is wanted.
    pub fn is_json(self) -> bool {
        self.output.is_some()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    /// One JSON object
    Json,
}

/// Reads a value that checks itself, and explains what is wrong with it in one line.
pub fn explained<T>(result: Result<T, ValueError>) -> Result<T, String> {
    result.map_err(|error| match error.help() {
        Some(help) => format!("{error} ({help})"),
        None => error.to_string(),
    })
}

/// Reads the name of an image, and completes it.
pub fn image_name(text: &str) -> Result<ImageName, String> {
    explained(ImageName::parse(text))
}

/// Reads the name of a registry.
pub fn registry(text: &str) -> Result<String, String> {
    explained(image_name::registry(text))
}

/// Reads a platform.
pub fn platform(text: &str) -> Result<Platform, String> {
    explained(text.parse())
}

/// Reads a duration as people write it: `500ms`, `60s`, `1m30s`, `2h`.
pub fn duration(text: &str) -> Result<Duration, DurationError> {
    let duration: SignedDuration = text.parse().map_err(|_| DurationError::Unreadable)?;
    duration.try_into().map_err(|_| DurationError::Negative)
}

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It has another form.
    #[error("write a number and a unit, like 500ms, 60s, 1m30s or 2h")]
    Unreadable,
    /// It goes backwards.
    #[error("it must not be negative")]
    Negative,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, millis) in [("500ms", 500), ("60s", 60_000), ("1m30s", 90_000), ("0s", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "60", "s", "1x"] {
            assert_eq!(duration(text), Err(DurationError::Unreadable), "{text}");
        }
        assert_eq!(duration("-5s"), Err(DurationError::Negative));
    }
}
