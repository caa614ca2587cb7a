//! Steps in words.

use std::fmt;

use super::{Action, Step};

impl Action {
    /// What it is called in JSON and in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateSandbox => "create-sandbox",
            Self::Connect { .. } => "connect",
            Self::Start { .. } => "start",
            Self::Stop { .. } => "stop",
            Self::Remove { .. } => "remove",
            Self::Update { .. } => "update",
            Self::RemoveSandbox => "remove-sandbox",
            Self::Forget => "forget",
        }
    }
}

impl Step {
    /// What is done, without the cause: `start app (attempt 3)`, `create sandbox`.
    pub fn summary(&self) -> String {
        let container = self.container.as_ref().map_or("", |name| name.as_str());
        match &self.action {
            Action::CreateSandbox => "create sandbox".to_owned(),
            Action::Connect { .. } => "connect to the network".to_owned(),
            Action::Start { attempt, .. } => format!("start {container} (attempt {attempt})"),
            Action::Stop { .. } => format!("stop {container}"),
            Action::Remove { .. } => format!("remove {container}"),
            Action::Update { .. } => format!("update {container}"),
            Action::RemoveSandbox => "remove sandbox".to_owned(),
            Action::Forget => "forget pod".to_owned(),
        }
    }
}

/// One line: `start app (attempt 3): exited with code 1, restart = always`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.summary(), self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InstanceId;

    #[test]
    fn steps_read_as_one_line() {
        let id = InstanceId::from_bits(1);
        let table = [
            (Action::CreateSandbox, None, "create-sandbox", "create sandbox"),
            (Action::Connect { exposes: Vec::new() }, None, "connect", "connect to the network"),
            (
                Action::Start { attempt: 3, streak: 2 },
                Some("app"),
                "start",
                "start app (attempt 3)",
            ),
            (Action::Stop { id: id.clone() }, Some("app"), "stop", "stop app"),
            (Action::Remove { id: id.clone() }, Some("app"), "remove", "remove app"),
            (Action::Update { id }, Some("app"), "update", "update app"),
            (Action::RemoveSandbox, None, "remove-sandbox", "remove sandbox"),
            (Action::Forget, None, "forget", "forget pod"),
        ];
        for (action, container, name, summary) in table {
            let container = container.map(|name| name.parse().unwrap());
            let step = Step { id: String::new(), container, action, cause: "because".to_owned() };
            assert_eq!(step.action.name(), name);
            assert_eq!(step.to_string(), format!("{summary}: because"));
        }
    }
}
