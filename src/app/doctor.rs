//! Checking the machine and the state.

use std::path::Path;

use super::App;
use super::error::Error;
use super::report::{Check, CheckStatus, DoctorReport};
use crate::net::checks::{self, Finding, Severity};

impl App {
    /// Checks the state, if there is one, and the machine.
    pub fn doctor(&self) -> Result<DoctorReport, Error> {
        let Some(engine) = &self.engine else {
            let findings = checks::host(None, &[], Path::new(""));
            return Ok(DoctorReport { checks: findings.into_iter().map(check).collect() });
        };
        self.learn_settings()?;
        let failed = |e| Error::of_engine("cannot check the state", e);
        let problems = engine.store.integrity_check().map_err(|e| failed(e.into()))?;
        let state = match problems.first() {
            None => Check {
                name: "state".to_owned(),
                status: CheckStatus::Ok,
                detail: "the database is whole".to_owned(),
                advice: None,
            },
            Some(problem) => Check {
                name: "state".to_owned(),
                status: CheckStatus::Problem,
                detail: format!("the database is damaged: {problem}"),
                advice: Some("take it from a backup; running containers are not affected".into()),
            },
        };
        let strays = engine.strays().map_err(failed)?;
        let strays = match strays.as_slice() {
            [] => Check {
                name: "strays".to_owned(),
                status: CheckStatus::Ok,
                detail: "nothing is there that the state does not know".to_owned(),
                advice: None,
            },
            strays => Check {
                name: "strays".to_owned(),
                status: CheckStatus::Warning,
                detail: format!("the state does not know {}", strays.join(", ")),
                advice: Some("tank leaves it alone: remove it if it is nobody's".to_owned()),
            },
        };
        let network = engine.check_network().map_err(failed)?;
        let checks = [state, strays].into_iter().chain(network.into_iter().map(check));
        Ok(DoctorReport { checks: checks.collect() })
    }
}

fn check(finding: Finding) -> Check {
    Check {
        name: finding.check.to_owned(),
        status: match finding.severity {
            Severity::Fine => CheckStatus::Ok,
            Severity::Warning => CheckStatus::Warning,
            Severity::Problem => CheckStatus::Problem,
        },
        detail: finding.detail,
        advice: finding.advice,
    }
}
