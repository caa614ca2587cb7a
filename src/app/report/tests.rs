use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::model::{Exit, ExitReason, Instance, InstanceId, ProcessIdentity, State};
use crate::plan;

fn instance() -> Instance {
    Instance {
        id: InstanceId::from_bits(0xab),
        pod: "web".parse().unwrap(),
        container: "app".parse().unwrap(),
        generation: 1,
        attempt: 3,
        streak: 2,
        state: State::Running,
        boot: "boot".into(),
        monitor: None,
        process: Some(ProcessIdentity { pid: 42, start_time: 7 }),
        image: None,
        created_at: Timestamp::UNIX_EPOCH,
        started_at: Some(Timestamp::UNIX_EPOCH),
        exit: None,
        removed: false,
        notes: vec![],
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_pass_has_the_promised_fields() {
    let report = PassReport {
        pods: vec![PodOutcome {
            name: "web".parse().unwrap(),
            result: PodResult::Configured,
            generation: Some(2),
        }],
        planned: 2,
        executed: 1,
        failed: 1,
        errors: vec![StepError { pod: None, step: "start/app/1".into(), error: "no".into() }],
        steps: vec![],
        waiting: vec![WaitingPod {
            pod: "app".parse().unwrap(),
            on: "web".parse().unwrap(),
            reason: "waits for pod web, which is pending".into(),
        }],
    };
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        json!({
            "pods": [{"name": "web", "result": "configured", "generation": 2}],
            "planned": 2, "executed": 1, "failed": 1,
            "errors": [{"pod": null, "step": "start/app/1", "error": "no"}],
            "steps": [],
            "waiting": [
                {"pod": "app", "on": "web", "reason": "waits for pod web, which is pending"}
            ],
        })
    );
}

#[test]
fn a_running_container_has_a_pid_and_no_exit() {
    let value =
        serde_json::to_value(ContainerReport::new(&instance(), None, None, vec![])).unwrap();
    for key in [
        "pod",
        "name",
        "id",
        "state",
        "pid",
        "attempt",
        "exit_code",
        "signal",
        "oom",
        "reason",
        "image",
        "started_at",
        "finished_at",
    ] {
        assert!(keys(&value).contains(&key), "{key}");
    }
    assert_eq!(value["pid"], 42);
    assert_eq!(value["started_at"], "1970-01-01T00:00:00Z");
    assert_eq!(value["oom"], Value::Null);
}

#[test]
fn an_unknown_exit_is_null_and_never_zero() {
    let ended = Instance {
        state: State::Failed,
        exit: Some(Exit::unknown(ExitReason::Unknown)),
        ..instance()
    };
    let value = serde_json::to_value(ContainerReport::new(&ended, None, None, vec![])).unwrap();
    assert_eq!(value["exit_code"], Value::Null);
    assert_eq!(value["pid"], Value::Null);
    assert_eq!(value["reason"], "unknown");
}

#[test]
fn a_plan_lists_the_steps_of_all_lanes() {
    let step = plan::Step {
        id: "start/app/2".into(),
        container: Some("app".parse().unwrap()),
        action: plan::Action::Start { attempt: 2, streak: 1 },
        cause: "exited with code 1".into(),
    };
    let lane = plan::Lane { pod: "web".parse().unwrap(), steps: vec![step], after: vec![] };
    let report = PlanReport::from(&plan::Plan { lanes: vec![lane], ..plan::Plan::default() });
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!(value["changes"], 1);
    assert_eq!(value["steps"][0]["action"], "start");
    assert_eq!(value["steps"][0]["cause"], "exited with code 1");
    assert_eq!(value["steps"][0]["container"], "app");
}
