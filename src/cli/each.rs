//! Verbs that do the same to each of several things.

use serde::Serialize;
use serde_json::json;

use super::failure::{DONE, Failure};
use super::flags::Output;
use super::ui::Ui;
use super::{Context, Outcome};
use crate::app::Error;

/// What is done to each of several things, and how it is told.
#[derive(Debug)]
pub struct Each<R> {
    /// The key of the list of reports in JSON: `images`.
    pub key: &'static str,
    /// The line that tells one of them.
    pub line: fn(&R) -> String,
}

impl<R: Serialize> Each<R> {
    /// Does it. One that fails does not keep the others from it; the exit code is that of the first
    /// that did.
    pub fn of<N>(
        self,
        context: &mut Context,
        names: &[N],
        output: Output,
        mut work: impl FnMut(&Ui, &N) -> Result<R, Error>,
    ) -> Outcome {
        let ui = &mut context.ui;
        let mut reports = Vec::new();
        let mut code = DONE;
        for name in names {
            match work(ui, name) {
                Ok(report) if output.is_json() => reports.push(report),
                Ok(_) if ui.is_quiet() => {}
                Ok(report) => {
                    ui.out.line(&(self.line)(&report))?;
                    ui.out.flush()?;
                }
                Err(error) => {
                    let failure = Failure::from(error);
                    failure.print(&mut ui.err)?;
                    code = if code == DONE { failure.exit_code() } else { code };
                }
            }
        }
        if output.is_json() {
            ui.out.json(&json!({ self.key: reports }))?;
        }
        Ok(code)
    }
}
