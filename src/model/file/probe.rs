//! Reading probes.

use std::time::Duration;

use super::section::Section;
use super::{container, text};
use crate::model::pod::{Check, Probe};
use crate::model::quantity::Timespan;

/// Every check is a process.
const SHORTEST: Duration = Duration::from_millis(100);

/// Reads a probe of a container, if there is one.
pub(super) fn read(section: &Section<'_>, name: &str) -> Option<Probe> {
    let table = section.table(name)?;
    let check = read_check(&table);
    let initial_delay = table.parse::<Timespan>("initial_delay");
    let (period, timeout) = (table.positive_span("period"), table.positive_span("timeout"));
    if period.is_some_and(|period| !period.is_zero() && period < SHORTEST) {
        table.error("period", "period must be at least 100ms");
    }
    let failures = table.integer("failures");
    let successes: Option<u32> = table.integer("successes");
    if name != "readiness" && successes.is_some_and(|successes| successes > 1) {
        table.error("successes", format!("a {name} probe has passed when it passes once"));
    }
    Some(Probe {
        check: check?,
        initial_delay: initial_delay?.0,
        period: period?,
        timeout: timeout?,
        failures: failures?,
        successes: successes?,
    })
}

fn read_check(table: &Section<'_>) -> Option<Check> {
    let http = table.table("http").and_then(|http| {
        let path = http.read("path", text::http_path);
        Some(Check::Http { port: http.integer("port")?, path: path? })
    });
    let tcp = table.table("tcp").and_then(|tcp| Some(Check::Tcp { port: tcp.integer("port")? }));
    let exec = container::read_program(table, "exec").map(Check::Exec);
    if !table.exactly_one("check", &["http", "tcp", "exec"]) {
        return None;
    }
    http.or(tcp).or(exec)
}
