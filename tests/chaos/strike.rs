//! Kills containers and monitors, and nobody else.

use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::Value;

use super::cast::BYSTANDER;
use super::choice::Choice;
use crate::support::Tank;

/// Kills the program or the monitor of one of the containers that a report of `tank ps` names;
/// says whether there was one.
pub(super) fn strike(tank: &Tank, ps: &Value, choice: &mut Choice) -> bool {
    let all = ps["containers"].as_array().expect("containers").iter();
    let alive = all.filter(|one| one["pod"] != BYSTANDER && !one["pid"].is_null());
    let alive: Vec<_> = alive.filter(|one| one["state"] == "running").collect();
    if alive.is_empty() {
        return false;
    }
    let victim = choice.of(&alive);
    let id = victim["id"].as_str().expect("an id");
    if choice.one_in(2) {
        // Its cgroup tells that the number still means the program that was reported.
        kill(&victim["pid"], |proc| fs::read_to_string(format!("{proc}/cgroup")), id)
    } else {
        let run = tank.run_root();
        let status = fs::read(run.join("containers").join(id).join("status.json"));
        let status: Value = serde_json::from_slice(&status.unwrap_or_default()).unwrap_or_default();
        // It holds files of its instance open, also where it has become a pass.
        let own = run.to_str().unwrap();
        kill(&status["monitor"]["pid"], open_files, own)
    }
}

fn open_files(proc: &str) -> std::io::Result<String> {
    let files = fs::read_dir(format!("{proc}/fd"))?.flatten();
    let mut names: Vec<_> = files.filter_map(|fd| fs::read_link(fd.path()).ok()).collect();
    names.push(String::from_utf8_lossy(&fs::read(format!("{proc}/cmdline"))?).into_owned().into());
    Ok(names.iter().map(|name| format!("{}\n", name.display())).collect())
}

/// Kills a process of which `about` says that it is the one that `mark` belongs to.
fn kill(pid: &Value, about: impl Fn(&str) -> std::io::Result<String>, mark: &str) -> bool {
    let pid = pid.as_i64().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let Some(pid) = pid else { return false };
    // What the descriptor is of cannot become another process any more while it is looked at.
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    let proc = format!("/proc/{}", pid.as_raw_nonzero());
    let is_own = about(&proc).is_ok_and(|about| about.contains(mark));
    is_own && pidfd_send_signal(&process, Signal::KILL).is_ok()
}
