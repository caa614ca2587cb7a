//! A terminal as a person has it: a shell in tmux(1), which is a terminal emulator of its own and
//! says what its screen shows.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::{Tank, fixtures, wait};

/// How long something may take to be shown. Generous: it only bounds a hang.
const SOON: Duration = Duration::from_secs(30);

/// What the shell asks with.
const PROMPT: &str = "outside$";

/// A terminal with a shell in which `tank` is the one under test. Dropping it hangs up.
#[derive(Debug)]
pub(crate) struct Terminal {
    socket: PathBuf,
}

impl Terminal {
    /// One of so many columns and rows.
    #[track_caller]
    pub(crate) fn open(tank: &Tank, columns: u16, rows: u16) -> Self {
        let name = (1..).map(|n| format!("tmux{n}")).find(|name| !tank.dir().join(name).exists());
        let terminal = Self { socket: tank.dir().join(name.unwrap()) };
        let binary = Tank::binary();
        let directory = binary.parent().unwrap().display();
        let environment = [
            format!("PATH={directory}:/usr/bin:/bin"),
            format!("TANK_ROOT={}", tank.root().display()),
            format!("TANK_RUN_ROOT={}", tank.run_root().display()),
            format!("PS1={PROMPT} "),
        ];
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let mut args =
            vec!["-f", "/dev/null", "-u", "new-session", "-d", "-x", &columns, "-y", &rows];
        args.extend(["env", "-i", "TERM=screen-256color", "LANG=C.UTF-8"]);
        args.extend(environment.iter().map(String::as_str));
        args.extend(["bash", "--norc", "--noprofile"]);
        terminal.tmux(&args);
        terminal.await_text(PROMPT);
        terminal
    }

    fn tmux(&self, args: &[&str]) -> String {
        let socket = self.socket.to_str().unwrap();
        fixtures::tool("tmux", "tmux", &[&["-S", socket], args].concat())
    }

    /// Types text.
    #[track_caller]
    pub(crate) fn text(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    /// Presses keys by the names that tmux has for them: `C-p`, `Enter`.
    #[track_caller]
    pub(crate) fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Types a line.
    #[track_caller]
    pub(crate) fn line(&self, line: &str) {
        self.text(line);
        self.keys(&["Enter"]);
    }

    /// Empties the screen at once, without a word to the shell.
    pub(crate) fn wipe(&self) {
        self.tmux(&["send-keys", "-R"]);
    }

    /// Pastes the content of a file.
    #[track_caller]
    pub(crate) fn paste(&self, path: &std::path::Path) {
        self.tmux(&["load-buffer", path.to_str().unwrap()]);
        self.tmux(&["paste-buffer", "-r"]);
    }

    /// What the screen shows.
    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen shows something.
    #[track_caller]
    pub(crate) fn await_text(&self, text: &str) -> String {
        self.await_screen(text, |screen| screen.contains(text))
    }

    /// Waits until a line of the screen is this one.
    #[track_caller]
    pub(crate) fn await_line(&self, line: &str) -> String {
        self.await_screen(line, |screen| screen.lines().any(|shown| shown.trim_end() == line))
    }

    /// Waits until the shell asks for the next command.
    #[track_caller]
    pub(crate) fn await_prompt(&self) -> String {
        self.await_prompt_after("")
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub(crate) fn await_screen(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait::until(what, SOON, || {
                last = self.screen();
                wanted(&last).then(|| last.clone())
            })
        }));
        seen.unwrap_or_else(|_| panic!("not shown: {what:?}\n{last}"))
    }

    /// Waits until the shell asks for the next command, having said `text` before.
    #[track_caller]
    pub(crate) fn await_prompt_after(&self, text: &str) -> String {
        self.await_screen(text, |screen| {
            let end = screen.trim_end().strip_suffix(PROMPT);
            end.is_some_and(|before| before.contains(text))
        })
    }

    /// A fact that tmux knows of the terminal: `alternate_on`, `cursor_flag`, `mouse_any_flag`.
    pub(crate) fn fact(&self, name: &str) -> String {
        self.tmux(&["display-message", "-p", &format!("#{{{name}}}")]).trim_end().to_owned()
    }

    /// Gives the terminal another size.
    #[track_caller]
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// The settings of the terminal, as stty(1) reads them.
    pub(crate) fn settings(&self) -> String {
        let device = self.fact("pane_tty");
        fixtures::tool("stty", "coreutils", &["-F", &device, "-a"])
    }

    /// The process in its foreground whose command line contains `text`.
    #[track_caller]
    pub(crate) fn process(&self, text: &str) -> u32 {
        let shell = self.fact("pane_pid");
        wait::until(text, SOON, || {
            let children = format!("/proc/{shell}/task/{shell}/children");
            let children = std::fs::read_to_string(children).unwrap_or_default();
            children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(|pid| {
                let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                String::from_utf8_lossy(&line).replace('\0', " ").contains(text)
            })
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket).arg("kill-server");
        drop(command.output());
    }
}
