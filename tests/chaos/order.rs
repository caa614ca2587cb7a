//! What the commands of the storm are, and how each of them may end.

use super::cast::{PODS, VARIANTS, name};
use super::choice::Choice;

/// A verb of tank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Apply,
    Delete,
    Reconcile,
    Ps,
    List,
    Plan,
    Exec,
    Stop,
    Start,
    Restart,
    Logs,
    Wait,
}

/// How often each is chosen.
const VERBS: &[(u32, Verb)] = &[
    (20, Verb::Apply),
    (9, Verb::Delete),
    (9, Verb::Reconcile),
    (9, Verb::Ps),
    (7, Verb::List),
    (4, Verb::Plan),
    (13, Verb::Exec),
    (6, Verb::Stop),
    (9, Verb::Start),
    (6, Verb::Restart),
    (7, Verb::Logs),
    (1, Verb::Wait),
];

/// What `exec` runs, what it says and how it ends.
const PROGRAM: &str = "echo begun; exit 7";
pub(super) const SAID: &str = "begun\n";
pub(super) const CODE: i32 = 7;

impl Verb {
    /// Whether it changes what is desired.
    pub(super) fn changes(self) -> bool {
        matches!(self, Self::Apply | Self::Delete | Self::Stop | Self::Start | Self::Restart)
    }

    /// Whether it runs a pass.
    pub(super) fn runs_a_pass(self) -> bool {
        self.changes() || self == Self::Reconcile
    }

    /// The exit codes that it may end with in a storm. A file that is not valid is not among them,
    /// nor a program that does not exist; and those who only look never fail.
    fn codes(self) -> &'static [i32] {
        match self {
            Self::Apply => &[0, 1, 75],
            Self::Delete | Self::Reconcile | Self::Stop | Self::Start | Self::Restart => {
                &[0, 1, 3, 75]
            }
            Self::Ps | Self::List | Self::Plan => &[0],
            // 137: the container was killed, and the program with it.
            Self::Exec => &[CODE, 3, 4, 137],
            Self::Logs => &[0, 3],
            Self::Wait => &[0, 1, 3],
        }
    }

    /// The key of its report in JSON.
    pub(super) fn report(self) -> Option<&'static str> {
        match self {
            Self::Ps => Some("containers"),
            Self::Plan => Some("changes"),
            Self::List => Some("pods"),
            _ if self.runs_a_pass() => Some("planned"),
            _ => None,
        }
    }
}

/// A command to be given.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) verb: Verb,
    pub(super) args: Vec<String>,
    /// The pods it names, each with the variant that is applied.
    pub(super) pods: Vec<(u32, u32)>,
}

impl Order {
    /// Any.
    pub(super) fn any(choice: &mut Choice) -> Self {
        let verb = choice.weighed(VERBS);
        let pods = pods(verb, choice);
        let mut args: Vec<String> = words(verb, choice).iter().map(|&word| word.into()).collect();
        if verb != Verb::Apply {
            args.extend(pods.iter().map(|(n, _)| name(*n)));
        }
        if verb == Verb::Exec {
            args.extend(["--", "sh", "-c", PROGRAM].map(str::to_owned));
        }
        if verb.runs_a_pass() {
            args.extend(["-o", "json", "--lock-timeout", "30s"].map(str::to_owned));
        }
        Self { verb, args, pods }
    }

    /// Whether it may end so.
    pub(super) fn may_exit(&self, code: i32) -> bool {
        // Without a name there is nothing that could be missing, nor anybody to wait for.
        let is_named = !self.pods.is_empty();
        self.verb.codes().contains(&code) && (is_named || code < 3)
    }
}

fn pods(verb: Verb, choice: &mut Choice) -> Vec<(u32, u32)> {
    let count = match verb {
        Verb::Ps | Verb::List | Verb::Plan => 0,
        Verb::Apply if choice.one_in(12) => PODS,
        Verb::Apply | Verb::Delete if choice.one_in(4) => 2 + choice.below(3),
        Verb::Reconcile if choice.one_in(2) => 0,
        _ => 1,
    };
    let first = choice.below(PODS);
    (first..first + count).map(|n| (n % PODS, choice.below(VARIANTS))).collect()
}

fn words(verb: Verb, choice: &mut Choice) -> &'static [&'static str] {
    match verb {
        Verb::Apply => &["apply", "-f", "-"],
        Verb::Delete if choice.one_in(2) => &["delete", "--ignore-not-found"],
        Verb::Delete => &["delete"],
        Verb::Reconcile => &["reconcile"],
        Verb::Ps if choice.one_in(2) => &["ps", "-a", "-o", "json"],
        Verb::Ps => &["ps", "-o", "json"],
        Verb::List => &["list", "-o", "json"],
        Verb::Plan => &["plan", "-o", "json"],
        Verb::Exec => &["exec"],
        Verb::Stop => &["stop"],
        Verb::Start => &["start"],
        Verb::Restart => &["restart"],
        Verb::Logs => &["logs", "-n", "20"],
        Verb::Wait => &["wait", "--for", "ready", "--timeout", "1s"],
    }
}
