//! What a machine told on its serial line, and what must be true of it.

use std::collections::BTreeSet;

use serde_json::Value;

/// All of it.
pub(super) struct Told(String);

impl Told {
    pub(super) fn new(serial: String) -> Self {
        Self(serial)
    }

    /// How a command ended, and what it printed.
    #[track_caller]
    pub(super) fn of(&self, name: &str) -> (i32, &str) {
        let begin = format!("vm: begin {name}\n");
        let missing = || panic!("nothing of {name} in:\n{}", self.0);
        let (_, rest) = self.0.split_once(&begin).unwrap_or_else(missing);
        let (text, rest) = rest.split_once(&format!("vm: end {name} ")).unwrap_or_else(missing);
        let code = rest.lines().next().and_then(|code| code.parse().ok());
        (code.unwrap_or_else(|| panic!("no exit code of {name} in:\n{}", self.0)), text)
    }

    /// Asserts that a command succeeded; gives what it printed.
    #[track_caller]
    pub(super) fn ok(&self, name: &str) -> &str {
        let (code, text) = self.of(name);
        assert_eq!(code, 0, "{name} in:\n{}", self.0);
        text
    }

    /// The same as JSON.
    #[track_caller]
    pub(super) fn json(&self, name: &str) -> Value {
        let text = self.ok(name);
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The objects in the list that a report is.
    #[track_caller]
    pub(super) fn list(&self, name: &str, key: &str) -> Vec<Value> {
        self.json(name)[key].as_array().expect("a list").clone()
    }

    /// A pod, as `tank list` told.
    #[track_caller]
    pub(super) fn pod(&self, name: &str) -> Value {
        let pods = self.list("list", "pods");
        pods.into_iter().find(|pod| pod["name"] == name).expect("the pod")
    }

    /// The lives of a container, the first one first.
    #[track_caller]
    pub(super) fn lives(&self, pod: &str, container: &str) -> Vec<Value> {
        let lives = self.list("lives", "containers").into_iter();
        let mut own: Vec<_> =
            lives.filter(|life| life["pod"] == pod && life["name"] == container).collect();
        own.sort_by_key(|life| life["attempt"].as_u64());
        own
    }

    /// Asserts what is true after any way to go down: the database is whole, one pass put
    /// everything right, and there is no more of containers than the pods need.
    #[track_caller]
    pub(super) fn assert_recovered(&self) {
        let doctor: Value = serde_json::from_str(self.of("doctor").1).expect("a report");
        let checks = doctor["checks"].as_array().unwrap();
        let state = checks.iter().find(|check| check["name"] == "state").expect("a check");
        assert_eq!(state["status"], "ok", "{doctor}");
        let pass = self.json("pass");
        assert_eq!(pass["failed"], 0, "{pass}");
        for second in ["again", "plan"] {
            let report = self.json(second);
            let planned = report.get("planned").or(report.get("changes"));
            assert_eq!(planned, Some(&0.into()), "{second}: {report}");
        }
        for pod in self.list("list", "pods") {
            assert_eq!(pod["sync"], "sync", "{pod}");
        }
        let ps = self.list("ps", "containers");
        let ids = |wanted: &dyn Fn(&Value) -> bool| -> BTreeSet<&str> {
            ps.iter().filter(|one| wanted(one)).map(|one| one["id"].as_str().unwrap()).collect()
        };
        let (all, alive) = (ids(&|_| true), ids(&|one| one["state"] == "running"));
        for directory in ["kept", "running"] {
            // Where there never was a container there is no directory of them.
            let there: BTreeSet<&str> = self.of(directory).1.lines().collect();
            assert!(alive.is_subset(&there) && there.is_subset(&all), "{directory} of {ps:?}");
        }
    }
}
