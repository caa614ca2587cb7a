//! Machines that are shut down in order and started again.

use serde_json::Value;

use super::{Computer, ROOTFS, SLEEPER, pod, script};

/// Pods that should run afterwards, and pods that should not.
fn pods() -> String {
    let sleeper = script(SLEEPER);
    let prepared = format!(
        "[[pods.init_containers]]\nname = 'first'\nrootfs = '{ROOTFS}'\ncommand = ['true']\n\
         [[pods.containers]]\nname = 'side'\n{sleeper}\n"
    );
    [
        pod("always", "network = 'bridge'", &sleeper),
        pod("failing", "restart = 'on-failure'\nnetwork = 'none'", &sleeper),
        pod("several", "network = 'none'", &sleeper) + &prepared,
        pod("stopped", "network = 'none'", &sleeper),
        pod("once", "restart = 'never'\nnetwork = 'none'", &sleeper),
        pod("done", "restart = 'on-failure'\nnetwork = 'none'", &script("exit 0")),
    ]
    .concat()
}

#[test]
fn what_should_run_runs_again_and_what_should_not_does_not() {
    let computer = Computer::new(&[("pods.toml", pods().as_bytes())]);
    let before = computer.run(
        "run apply tank apply -f /payload/pods.toml\n\
         run stop tank stop stopped\n\
         run wait tank wait done --for stopped\n\
         check always failing several\n\
         sync\n",
    );
    for command in ["apply", "stop", "wait"] {
        before.ok(command);
    }
    before.assert_recovered();

    let after =
        computer.run("check always failing several\nrun exec tank exec always -- hostname\nsync\n");
    after.assert_recovered();
    after.ok("ready");
    assert_eq!(after.ok("exec"), "always\n");
    for (pod, container) in
        [("always", "app"), ("failing", "app"), ("several", "app"), ("several", "side")]
    {
        assert_eq!(after.pod(pod)["status"], "running");
        // What a reboot took down did not fail.
        assert_eq!(after.pod(pod)["restarts"], 0, "{}", after.pod(pod));
        let lives = after.lives(pod, container);
        let [old, new] = lives.as_slice() else { panic!("two lives of {pod}: {lives:?}") };
        assert_went_down(old);
        assert_eq!((&new["attempt"], &new["state"]), (&2.into(), &"running".into()), "{new}");
    }
    // The namespaces that it prepared are gone, so that it has its turn again.
    let first = after.lives("several", "first");
    assert!(first.len() == 2 && first.iter().all(|life| life["exit_code"] == 0), "{first:?}");
    assert_eq!(before.pod("always")["ip"], after.pod("always")["ip"]);

    assert_eq!(after.pod("stopped")["status"], "stopped");
    assert_eq!(after.lives("stopped", "app"), before.lives("stopped", "app"));
    assert_eq!(after.pod("done")["status"], "completed");
    assert_eq!(after.lives("done", "app"), before.lives("done", "app"));
    assert_eq!(after.pod("once")["status"], "failed");
    let once = after.lives("once", "app");
    assert_eq!(once.len(), 1, "{once:?}");
    assert_went_down(&once[0]);
}

/// Asserts that a life ended with the machine: how is not known.
fn assert_went_down(life: &Value) {
    assert_eq!(life["reason"], "host-reboot", "{life}");
    assert!(life["exit_code"].is_null() && life["signal"].is_null(), "{life}");
}
