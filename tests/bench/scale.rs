//! What a pass with nothing to do takes by the number of pods: time and memory, of pods that were
//! stopped and of pods that run.

use std::fmt::Write;
use std::time::Duration;

use crate::Outcome;
use crate::machine::Workplace;
use crate::program::Cost;
use crate::race::{Contestant, race};
use crate::report::{Report, Value};
use crate::tank::{Program, Tank};

/// How many pods there are of each kind, the fewest first.
const STOPPED: [usize; 3] = [100, 300, 1000];
const RUNNING: [usize; 3] = [50, 100, 200];

/// Takes the measures. All roots are there at once and take turns.
pub(crate) fn measure(workplace: &Workplace, runs: usize, report: &mut Report) {
    let kinds = STOPPED.map(|count| ("stopped", count)).into_iter();
    let kinds: Vec<_> = kinds.chain(RUNNING.map(|count| ("running", count))).collect();
    let mut all = Vec::new();
    for (kind, count) in &kinds {
        match prepare(workplace, kind, *count) {
            Ok(tank) => all.push(Contestant::new(*kind, move || tank.reconcile_cost())),
            Err(why) => report.leave_out(&format!("{count} {kind} pods"), &why),
        }
    }
    if all.len() < kinds.len() {
        return;
    }
    let costs: Vec<_> = race(all, runs).into_iter().map(|(_, cost)| cost).collect();
    let mut table = String::from(
        "A pass with nothing to do, by the number of pods; each line also with what every pod more \
         than in the line before adds.\n\n\
         | pods | time | a pod more | most memory | a pod more |\n|---|--:|--:|--:|--:|\n",
    );
    for kind in ["stopped", "running"] {
        let own = kinds.iter().zip(&costs).filter(|((own, _), _)| *own == kind);
        let own: Outcome<Vec<_>> =
            own.map(|((_, count), cost)| cost.clone().map(|cost| (*count, cost))).collect();
        match own {
            Ok(own) => add(kind, &own, &mut table, report),
            Err(why) => report.leave_out(&format!("{kind} pods"), &why),
        }
    }
    report.add_section(table.trim_end().to_owned());
}

/// A tank with so many pods of a kind.
fn prepare(workplace: &Workplace, kind: &str, count: usize) -> Outcome<Tank> {
    eprintln!("making {count} {kind} pods");
    let tank = Tank::new(&format!("{kind}{count}"), workplace)?;
    let name = format!("{kind}{count}-");
    if kind == "running" {
        tank.have(&name, count, Program::Sleep)?;
    } else {
        tank.have(&name, count, Program::True)?;
        tank.stop(&name, count)?;
    }
    Ok(tank)
}

/// Adds what pods of one kind take, the fewest first.
fn add(kind: &str, costs: &[(usize, Cost)], table: &mut String, report: &mut Report) {
    let mut before: Option<&(usize, Cost)> = None;
    for pods in costs {
        let (count, cost) = pods;
        let more = before.map(|before| a_pod_more(before, pods));
        let cell = |value: Option<Value>| value.map_or_else(String::new, |value| value.to_string());
        let (time, memory) = (Value::Time(cost.time), Value::Memory(cost.memory));
        writeln!(
            table,
            "| {count} {kind} | {time} | {} | {memory} | {} |",
            cell(more.map(|more| Value::Time(more.time))),
            cell(more.map(|more| Value::Memory(more.memory))),
        )
        .unwrap_or_default();
        before = Some(pods);
    }
    if let [few, some, many] = costs {
        let measure = format!("reconcile, {kind} pods");
        for (contestant, (count, cost)) in [("tank", many), ("pods", some)] {
            let contestant = format!("{contestant}, {count}");
            report.add(&measure, &contestant, Ok(Value::Time(cost.time)));
        }
        let more = Value::Memory(a_pod_more(few, many).memory);
        report.add(&format!("memory of a pass, a {kind} pod more"), "tank reconcile", Ok(more));
    }
}

/// What each pod adds between two numbers of them.
fn a_pod_more((few, low): &(usize, Cost), (many, high): &(usize, Cost)) -> Cost {
    let pods = u32::try_from(many - few).unwrap_or(u32::MAX);
    Cost {
        time: high.time.checked_sub(low.time).unwrap_or(Duration::ZERO) / pods,
        memory: high.memory.saturating_sub(low.memory) / u64::from(pods),
    }
}
