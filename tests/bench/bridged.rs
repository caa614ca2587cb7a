//! Pods with networks of their own: what it takes to start one, and where tank's time goes.
//!
//! Each contestant has a machine of its own to itself. Between its turns nothing of the pod is
//! left. What podman leaves of its own accord stays: the chains of its packet filter, and forwarding.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::Outcome;
use crate::machine::Workplace;
use crate::namespace::Network;
use crate::podman::Podman;
use crate::program::{Runner, is_installed};
use crate::race::{Contestant, race};
use crate::report::{Report, Value};
use crate::tank::{Program, Tank};
use crate::trace::{PARTS, Shares};

/// The very first pod: bridge and packet filter have to be made, too.
const FIRST: &str = "start, bridged, first";

/// A pod beside one that runs.
const MORE: &str = "start, bridged, one more";

/// How long the machine is left alone before a turn.
const SETTLE: Duration = Duration::from_millis(200);

/// How many runs are traced at most.
const TRACED: usize = 10;

/// Takes the measures.
pub(crate) fn measure(workplace: &Workplace, runs: usize, report: &mut Report) {
    // The networks outlive those who are to remove what they made in them.
    let [one, other] = match [Network::new(workplace.path()), Network::new(workplace.path())] {
        [Ok(one), Ok(other)] => [one, other],
        [Err(why), _] | [_, Err(why)] => return report.leave_out("bridged pods", &why),
    };
    let tank = Tank::new("bridged", workplace).map(|tank| tank.within(&one.machine));
    let tank = tank.and_then(|tank| tank.have("works", 1, Program::True).map(|()| tank));
    let tank = tank.and_then(|tank| tank.clear().map(|()| RefCell::new(tank)));
    let tank = tank.map_err(|why| report.leave_out("tank, bridged", &why)).ok();
    let runner = Runner::new(workplace.path()).within(Rc::clone(&other.machine));
    let podman = if is_installed("iptables") {
        Podman::new("bridged-podman", workplace, runner).map(RefCell::new)
    } else {
        Err("iptables is not installed, which netavark runs".to_owned())
    };
    let podman = podman.map_err(|why| report.leave_out("podman, bridged", &why)).ok();

    let mut parts = Vec::new();
    for measure in [FIRST, MORE] {
        let mut all = Vec::new();
        if let Some(tank) = &tank {
            let turn = || settled(|| tank.borrow_mut().start());
            all.push(Contestant::new("tank apply", turn));
        }
        if let Some(podman) = &podman {
            let turn = || settled(|| podman.borrow_mut().kube_play());
            all.push(Contestant::new("podman kube play", turn));
        }
        if measure == MORE {
            let beside = [
                tank.as_ref().map(|tank| tank.borrow().have("beside", 1, Program::Sleep)),
                podman.as_ref().map(|podman| podman.borrow_mut().kube_sleeper()),
            ];
            for failure in beside.into_iter().flatten().filter_map(Result::err) {
                report.leave_out("a pod to start another beside", &failure);
            }
        }
        for (contestant, time) in race(all, runs) {
            report.add(measure, &contestant, time.map(Value::Time));
        }
        if let (Some(tank), Some(Value::Time(whole))) = (&tank, report.of_tank(measure)) {
            match shares(&mut tank.borrow_mut(), runs.clamp(1, TRACED)) {
                Ok(shares) => parts.push((measure, whole, shares)),
                Err(why) => report.leave_out(&format!("the parts of {measure}"), &why),
            }
        }
    }
    if !parts.is_empty() {
        report.add_section(table(&parts));
    }
}

/// Gives the kernel time to take apart what the turn before has removed, which it does later on.
fn settled<T>(turn: impl FnOnce() -> T) -> T {
    std::thread::sleep(SETTLE);
    turn()
}

/// The shares of several traced starts together.
fn shares(tank: &mut Tank, runs: usize) -> Outcome<Shares> {
    if !is_installed("strace") {
        return Err("strace is not installed".to_owned());
    }
    let mut shares = Shares::default();
    for _ in 0..runs {
        shares.add(&settled(|| tank.trace())?)?;
    }
    Ok(shares)
}

/// How the time that was measured is spent, as far as strace can say.
fn table(measures: &[(&str, Duration, Shares)]) -> String {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let row = |name: &str, cell: &dyn Fn(&(&str, Duration, Shares)) -> String| {
        let cells: Vec<_> = measures.iter().map(cell).collect();
        format!("| {name} | {} |", cells.join(" | "))
    };
    let mut lines = vec![
        "What `tank apply` of a bridged pod does meanwhile: shares of runs under strace, which \
         slows it, scaled to the medians above.\n"
            .to_owned(),
        row("part", &|(measure, ..)| (*measure).to_owned()),
        format!("|---|{}", "--:|".repeat(measures.len())),
    ];
    for part in PARTS {
        lines.push(row(part.name(), &|(_, whole, shares)| {
            format!("{:.1} ms", ms(whole.mul_f64(shares.of(part))))
        }));
    }
    lines.push(row("all", &|(_, whole, _)| format!("{:.1} ms", ms(*whole))));
    lines.push(row("all, under strace", &|(.., shares)| format!("{:.1} ms", ms(shares.mean()))));
    lines.join("\n")
}
