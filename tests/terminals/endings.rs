//! However a session ends, the terminal of the caller is as it was, and nothing is left over.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;

use super::{console, tank_with_console};
use crate::support::pods::{busybox, send};
use crate::support::terminal::Terminal;
use crate::support::{Tank, wait};

const SOON: Duration = Duration::from_secs(30);

/// Puts the terminal into the modes of a full-screen program with a mouse.
const DRESS: &str = r"printf '\033[?1049h\033[?25l\033[?1000h\033[?1h\033=dressed'; stty -echo";

/// What of the terminal must be as before, as tmux knows it.
fn state(terminal: &Terminal) -> Vec<String> {
    let facts =
        ["alternate_on", "cursor_flag", "mouse_any_flag", "keypad_cursor_flag", "keypad_flag"];
    let mut state = vec![terminal.settings()];
    state.extend(facts.map(|fact| format!("{fact} {}", terminal.fact(fact))));
    state
}

fn monitor(tank: &Tank) -> u32 {
    let life = tank.lives("con").pop().unwrap();
    let directory = tank.run_root().join("containers").join(life["id"].as_str().unwrap());
    let status = std::fs::read_to_string(directory.join("status.json")).unwrap();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    u32::try_from(status["monitor"]["pid"].as_u64().unwrap()).unwrap()
}

/// Ends a session in some way.
type Ending = fn(&Tank, &Terminal, u32);

#[test]
fn the_callers_terminal_is_given_back_whatever_happens() {
    let endings: [(&str, Ending); 9] = [
        ("the program ends", |_, terminal, _| terminal.line("exit 3")),
        ("INT", |_, _, client| send(client, Signal::INT)),
        ("TERM", |_, _, client| send(client, Signal::TERM)),
        ("HUP", |_, _, client| send(client, Signal::HUP)),
        ("QUIT", |_, _, client| send(client, Signal::QUIT)),
        ("the program is killed", |tank, _, _| send(tank.pid("con"), Signal::KILL)),
        ("the monitor is killed", |tank, _, _| send(monitor(tank), Signal::KILL)),
        ("the pod is deleted", |tank, _, _| drop(tank.run(["delete", "con"]).ok())),
        ("the keys", |_, terminal, _| terminal.keys(&["C-p", "C-q"])),
    ];
    for verb in ["tank attach con", "tank exec --detach-keys ctrl-p,ctrl-q con -- sh"] {
        for (what, end) in endings {
            let is_passed_on =
                verb.starts_with("tank exec") && what.chars().all(char::is_uppercase);
            if is_passed_on {
                continue;
            }
            let tank = tank_with_console();
            let terminal = Terminal::open(&tank, 80, 24);
            let before = state(&terminal);
            terminal.line(verb);
            terminal.await_text("inside>");
            terminal.line(DRESS);
            terminal.await_text("dressed");
            assert_ne!(state(&terminal), before, "{verb}, {what}");
            let client = terminal.process("tank ");
            end(&tank, &terminal, client);
            terminal.line("");
            terminal.await_screen(&format!("{verb}, {what}"), |screen| {
                screen.trim_end().ends_with("outside$")
            });
            assert_eq!(state(&terminal), before, "{verb}, {what}");
        }
    }
}

#[test]
fn a_stopped_job_gives_the_terminal_to_the_shell_and_takes_it_again() {
    let tank = tank_with_console();
    let terminal = Terminal::open(&tank, 80, 24);
    let before = state(&terminal);
    terminal.attach();
    terminal.line(DRESS);
    terminal.await_text("dressed");
    send(terminal.process("tank attach"), Signal::TSTP);
    terminal.await_prompt_after("Stopped");
    assert_eq!(state(&terminal), before);
    terminal.line("echo in the sh''ell");
    terminal.await_line("in the shell");
    terminal.line("fg");
    terminal.await_text("dressed");
    assert_eq!(terminal.fact("alternate_on"), "1");
    assert_eq!(terminal.fact("mouse_any_flag"), "1");
    terminal.line("exit 4");
    terminal.await_prompt();
    assert_eq!(state(&terminal), before);
    terminal.assert_code(4);
}

#[test]
fn an_exec_is_stopped_and_goes_on_like_any_job() {
    let tank = tank_with_console();
    let terminal = Terminal::open(&tank, 80, 24);
    terminal.line("tank exec con -- sh");
    terminal.await_text("inside>");
    send(terminal.process("tank exec"), Signal::TSTP);
    terminal.await_text("Stopped");
    terminal.line("clear; fg");
    terminal.line("echo go''es on; exit 5");
    terminal.await_line("goes on");
    terminal.assert_code(5);
}

#[test]
fn the_keys_leave_an_exec_running_where_they_were_asked_for() {
    let tank = tank_with_console();
    let terminal = Terminal::open(&tank, 80, 24);
    let flood = "trap '' HUP; yes & sleep 4711";
    terminal.line(&format!("tank exec --detach-keys ctrl-a,d con -- sh -c \"{flood}\""));
    terminal.await_text("y\ny\n");
    terminal.keys(&["C-a", "d"]);
    terminal.await_prompt();
    terminal.assert_code(0);
    let inside = || tank.run(["exec", "con", "--", "ps"]).ok().stdout;
    // Its terminal is read on, so that it is not held up.
    for program in ["sleep 4711", "yes"] {
        assert!(inside().contains(program), "{}", inside());
    }
    let written = || {
        let script = "cat /proc/$(pidof yes)/io | grep wchar";
        tank.run(["exec", "con", "--", "sh", "-c", script]).ok().stdout
    };
    let before = written();
    wait::until("more output", SOON, || (written() != before).then_some(()));
    tank.run(["exec", "con", "--", "killall", "sleep", "yes"]).ok();
    wait::until("its end", SOON, || (!inside().contains("sleep 4711")).then_some(()));
}

#[test]
fn an_exec_that_was_left_may_close_its_terminal_and_open_it_again() {
    let tank = tank_with_console();
    let terminal = Terminal::open(&tank, 80, 24);
    let script = "t=$(tty); trap '' HUP; echo ready; until [ -e /tmp/left ]; do sleep 0.1; done; \
                  exec <&- >&- 2>&-; sleep 1; echo back > $t && touch /tmp/back; sleep 4711";
    let mut write = tank.command(["exec", "-i", "con", "--", "sh", "-c", "cat > /tmp/script"]);
    tank.run_with(&mut write, script.as_bytes()).ok();
    terminal.line("tank exec --detach-keys ctrl-a,d con -- sh /tmp/script");
    terminal.await_line("ready");
    terminal.keys(&["C-a", "d"]);
    terminal.await_prompt();
    tank.run(["exec", "con", "--", "touch", "/tmp/left"]).ok();
    wait::until("the terminal to be opened again", SOON, || {
        tank.run(["exec", "con", "--", "ls", "/tmp/back"]).status.success().then_some(())
    });
}

#[test]
fn a_killed_client_leaves_no_process_and_no_terminal() {
    let tank = Tank::new();
    tank.apply(&console("stop_timeout = '0s'")).ok();
    let echo = "command = ['/bin/cat']\nstdin = true";
    tank.apply(&busybox("fed", "stop_timeout = '0s'", echo)).ok();
    let inside = || tank.run(["exec", "con", "--", "sh", "-c", "ls /dev/pts; ps"]).ok().stdout;
    // The listing lists itself, and a shell at its prompt does not reap what others left to it.
    let steady = || inside().lines().filter(|line| !line.contains(['{', '['])).count();
    let (before, world) = (steady(), tank.world().without_files());
    let terminal = Terminal::open(&tank, 80, 24);
    for command in
        ["tank attach con", "tank exec con -- sh", "tank exec -t con -- sh -c 'sleep 99 & wait'"]
    {
        terminal.line(command);
        let client = terminal.process("tank ");
        if !command.contains("sleep") {
            terminal.await_text("inside>");
        }
        send(client, Signal::KILL);
        terminal.await_text("Killed");
        // The settings of the terminal cannot be given back by one who was killed.
        terminal.line("stty sane; clear");
        terminal.await_prompt_after("");
    }
    for command in [
        &["attach", "fed"][..],
        &["attach", "--no-stdin", "fed"],
        &["attach", "con"],
        &["exec", "con", "--", "sh", "-c", "sleep 98 & wait"],
        &["exec", "con", "--", "cat"],
        &["logs", "-f", "con"],
    ] {
        let mut client = tank.command(command);
        let mut client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        client.kill().unwrap();
        client.wait().unwrap();
    }
    drop(terminal);
    let end = std::time::Instant::now() + SOON;
    while steady() != before {
        assert!(std::time::Instant::now() < end, "{}", inside());
    }
    let left = || tank.world().without_files().since(&world);
    let end = std::time::Instant::now() + SOON;
    while !left().is_empty() {
        assert!(std::time::Instant::now() < end, "{:?}", left());
    }
    // Whoever was killed did not end the input of others.
    let fed = tank.lives("fed").pop().unwrap();
    assert_eq!(fed["state"], "running", "{fed}");
}
