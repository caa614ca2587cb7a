//! What a pass needs of the machine by the number of pods.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use crate::support::{Tank, fixtures, program};

/// How many pods there are.
const PODS: u64 = 300;

/// What each of them may add to the memory of a pass, about twice what it does.
const A_POD: u64 = 16 << 10;

/// What a pass may take without any.
const NONE: u64 = 2 << 20;

#[test]
fn pass_over_many_pods_takes_little_memory() {
    let tank = Tank::new();
    let mut pods = String::new();
    for n in 0..PODS {
        // Nothing has to run for a pod to be looked at, compared and left alone.
        writeln!(
            pods,
            "[[pods]]\nname = 'pod{n}'\nnetwork = 'none'\nrestart = 'never'\n\
             [[pods.containers]]\nname = 'app'\nrootfs = '/no/such/root'\ncommand = ['sleep']"
        )
        .unwrap();
    }
    tank.apply(&pods).exits(1);
    let mut limited = Command::new(fixtures::installed("prlimit", "util-linux"));
    limited.arg(format!("--data={}", NONE + PODS * A_POD));
    let pass = tank.command(["reconcile", "-o", "json"]);
    limited.arg(pass.get_program()).args(pass.get_args()).env_clear();
    let pass = program::run(&mut limited, &[], Duration::from_secs(60)).ok().json();
    assert_eq!((&pass["planned"], &pass["failed"]), (&0.into(), &0.into()), "{pass}");
}
