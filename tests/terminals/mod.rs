//! `tank attach` and `tank exec` on terminals that people sit at, and what becomes of them.

mod attach;
mod endings;
mod monitor;
mod programs;
mod streams;

use crate::support::Tank;
use crate::support::pods::busybox;
use crate::support::terminal::Terminal;

/// The pod `con`: a shell of busybox on a terminal, with more keys of its pod.
pub(crate) fn console(pod: &str) -> String {
    let shell = "command = ['/bin/sh']\ntty = true\nenv = { PS1 = 'inside> ', PATH = '/bin' }";
    busybox("con", pod, shell)
}

/// A tank with that pod.
pub(crate) fn tank_with_console() -> Tank {
    let tank = Tank::new();
    tank.apply(&console("restart = 'never'\nstop_timeout = '0s'")).ok();
    tank
}

impl Terminal {
    /// Attaches to the pod `con` and waits for its shell.
    #[track_caller]
    pub(crate) fn attach(&self) {
        // What is waited for must not be there from before.
        self.wipe();
        self.line("tank attach con");
        self.await_text("inside>");
    }

    /// Leaves with the usual keys.
    #[track_caller]
    pub(crate) fn detach(&self) {
        self.keys(&["C-p", "C-q"]);
        self.await_prompt_after("left con running");
    }

    /// Asserts that the last command of the shell ended with this code.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: u8) {
        self.line("echo code=$?.");
        self.await_line(&format!("code={code}."));
    }
}
