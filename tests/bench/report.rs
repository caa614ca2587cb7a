//! The tables, in Markdown.

use std::fmt;
use std::time::Duration;

use crate::Outcome;
use crate::machine::Workplace;

/// What was measured of one contestant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    Time(Duration),
    /// In bytes.
    Memory(u64),
    /// In bits a second.
    Rate(u64),
}

impl Value {
    /// As a number, to compare with values of the same kind.
    fn number(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64(),
            Self::Memory(number) | Self::Rate(number) => {
                Duration::from_micros(number).as_secs_f64()
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if *time < Duration::from_millis(1) => {
                write!(f, "{:.1} µs", time.as_secs_f64() * 1e6)
            }
            Self::Time(time) => write!(f, "{:.1} ms", time.as_secs_f64() * 1e3),
            Self::Memory(bytes) if *bytes < 100_000 => write!(f, "{:.1} kB", *bytes as f64 / 1e3),
            Self::Memory(bytes) => write!(f, "{} kB", bytes / 1000),
            Self::Rate(_) => write!(f, "{:.2} Gbit/s", self.number() / 1e3),
        }
    }
}

/// One line: what was measured, by which contestant.
#[derive(Debug)]
struct Row {
    measure: String,
    contestant: String,
    value: Value,
}

/// What tank must keep to: its value in `measure`, at most `factor` times that of `peer`.
#[derive(Debug)]
struct Budget {
    measure: &'static str,
    peer: Limit,
}

/// What bounds a measure.
#[derive(Debug)]
enum Limit {
    Times(f64, &'static str),
    Within(Duration),
    /// In bytes.
    Below(u64),
}

const BUDGETS: [Budget; 14] = [
    Budget { measure: "start", peer: Limit::Times(2.0, "crun run") },
    Budget { measure: "start", peer: Limit::Times(0.1, "podman kube play") },
    Budget { measure: "start, bridged, first", peer: Limit::Times(0.1, "podman kube play") },
    Budget { measure: "start, bridged, one more", peer: Limit::Times(0.1, "podman kube play") },
    Budget { measure: "exec", peer: Limit::Times(1.0, "crun exec") },
    Budget { measure: "ps", peer: Limit::Times(1.0 / 3.0, "podman ps, 1 container") },
    Budget { measure: "reconcile, 1000 pods", peer: Limit::Within(Duration::from_millis(50)) },
    Budget { measure: "reconcile, stopped pods", peer: Limit::Within(Duration::from_millis(50)) },
    // As many times as long as there are more pods, at most.
    Budget { measure: "reconcile, stopped pods", peer: Limit::Times(10.0 / 3.0, "pods, 300") },
    Budget { measure: "reconcile, running pods", peer: Limit::Times(2.0, "pods, 100") },
    Budget { measure: "memory of a pass, a stopped pod more", peer: Limit::Below(16_000) },
    Budget { measure: "memory of a pass, a running pod more", peer: Limit::Below(16_000) },
    Budget { measure: "monitor", peer: Limit::Times(0.5, "conmon") },
    Budget { measure: "pull", peer: Limit::Times(0.5, "podman pull") },
];

/// All that was measured, and what was not.
#[derive(Debug)]
pub(crate) struct Report {
    header: String,
    rows: Vec<Row>,
    /// Tables of another shape.
    sections: Vec<String>,
    left_out: Vec<String>,
}

impl Report {
    pub(crate) fn new(workplace: &Workplace, runs: usize) -> Self {
        let header = format!("{}; medians of {runs} runs", workplace.description());
        Self { header, rows: Vec::new(), sections: Vec::new(), left_out: Vec::new() }
    }

    pub(crate) fn add(&mut self, measure: &str, contestant: &str, value: Outcome<Value>) {
        let (measure, contestant) = (measure.to_owned(), contestant.to_owned());
        match value {
            Ok(value) => self.rows.push(Row { measure, contestant, value }),
            Err(why) => self.leave_out(&format!("{contestant} ({measure})"), &why),
        }
    }

    /// Adds text that comes behind the tables.
    pub(crate) fn add_section(&mut self, text: String) {
        self.sections.push(text);
    }

    pub(crate) fn leave_out(&mut self, what: &str, why: &str) {
        self.left_out.push(format!("{what}: {why}"));
    }

    /// What tank had in a measure.
    pub(crate) fn of_tank(&self, measure: &str) -> Option<Value> {
        let row = self.rows.iter().find(|row| row.measure == measure && is_tank(&row.contestant));
        row.map(|row| row.value)
    }

    /// The bound of a budget, if what it compares with was measured.
    fn limit(&self, budget: &Budget) -> Option<f64> {
        match budget.peer {
            Limit::Within(time) => Some(Value::Time(time).number()),
            Limit::Below(bytes) => Some(Value::Memory(bytes).number()),
            Limit::Times(factor, peer) => {
                let mut rows = self.rows.iter();
                rows.find(|row| row.measure == budget.measure && row.contestant == peer)
                    .map(|row| factor * row.value.number())
            }
        }
    }
}

fn is_tank(contestant: &str) -> bool {
    contestant.starts_with("tank")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.header)?;
        writeln!(f, "| measure | contestant | median | times tank's |\n|---|---|--:|--:|")?;
        for Row { measure, contestant, value } in &self.rows {
            let ratio = self
                .of_tank(measure)
                .map_or_else(String::new, |tank| format!("{:.2}", value.number() / tank.number()));
            writeln!(f, "| {measure} | {contestant} | {value} | {ratio} |")?;
        }
        writeln!(f, "\n| budget | at most | tank | |\n|---|---|--:|---|")?;
        for budget in &BUDGETS {
            let tank = self.of_tank(budget.measure);
            let (Some(tank), Some(limit)) = (tank, self.limit(budget)) else { continue };
            let bound = match budget.peer {
                Limit::Within(time) => format!("{} ms", time.as_millis()),
                Limit::Below(bytes) => Value::Memory(bytes).to_string(),
                Limit::Times(factor, peer) => format!("{factor:.2} × {peer}"),
            };
            let verdict = if tank.number() <= limit { "met" } else { "missed" };
            writeln!(f, "| {} | {bound} | {tank} | {verdict} |", budget.measure)?;
        }
        for section in &self.sections {
            writeln!(f, "\n{section}")?;
        }
        if !self.left_out.is_empty() {
            writeln!(f, "\nLeft out:\n")?;
            self.left_out.iter().try_for_each(|line| writeln!(f, "- {line}"))?;
        }
        Ok(())
    }
}
