//! Attaching to a container's terminal: what is shown, what is typed, and leaving.

use std::time::Duration;

use rustix::process::Signal;

use super::{console, tank_with_console};
use crate::support::pods::{busybox, send};
use crate::support::terminal::Terminal;
use crate::support::{Tank, wait};

/// A tank with the pod `con` of a shell script on a terminal, with more keys of its container.
fn tank_with_script(script: &str, keys: &str) -> Tank {
    let tank = Tank::new();
    let command = format!("command = ['/bin/sh', '-c', '''{script}''']\ntty = true\n{keys}");
    tank.apply(&busybox("con", "restart = 'never'\nstop_timeout = '0s'", &command)).ok();
    tank
}

#[test]
fn what_is_typed_is_answered_and_the_keys_leave_it_running() {
    let tank = tank_with_console();
    let terminal = Terminal::open(&tank, 100, 30);
    terminal.attach();
    let hint = terminal.await_text("attached to con; ctrl-p ctrl-q leaves it running");
    assert_eq!(hint.matches("attached to").count(), 1, "{hint}");
    terminal.line("echo $((6 * 7)); stty size");
    terminal.await_text("\n42\n30 100\n");
    let pid = tank.pid("con");
    terminal.detach();
    terminal.assert_code(0);
    assert_eq!(tank.pid("con"), pid);
}

#[test]
fn another_terminal_of_another_size_shows_the_same() {
    let tank = tank_with_console();
    let first = Terminal::open(&tank, 100, 30);
    first.attach();
    first.line("echo one two three");
    first.await_line("one two three");
    first.detach();
    let second = Terminal::open(&tank, 60, 20);
    second.line("tank attach con");
    let shown = second.await_text("\none two three\ninside>");
    assert!(shown.contains("attached to con"), "{shown}");
    second.line("stty size");
    second.await_line("20 60");
}

#[test]
fn an_editor_is_left_and_found_again_with_its_screen_and_modes() {
    let tank = tank_with_console();
    let first = Terminal::open(&tank, 100, 30);
    first.attach();
    first.line("vi /tmp/file");
    first.await_text("~\n~\n");
    first.text("isome words");
    first.await_text("some words");
    assert_eq!(first.fact("alternate_on"), "1");
    first.detach();
    assert_eq!(first.fact("alternate_on"), "0");
    assert!(!first.screen().contains("some words"), "{}", first.screen());
    let second = Terminal::open(&tank, 70, 15);
    second.line("tank attach con");
    second.await_text("some words");
    assert_eq!(second.fact("alternate_on"), "1");
    second.text(" and more");
    second.await_text("some words and more");
    second.keys(&["Escape"]);
    second.await_text("- /tmp/file");
    second.line(":wq");
    second.await_text("inside>");
    assert_eq!(second.fact("alternate_on"), "0");
    second.line("cat /tmp/file");
    second.await_line("some words and more");
}

#[test]
fn a_terminal_that_is_resized_is_so_inside() {
    let tank = tank_with_console();
    let terminal = Terminal::open(&tank, 100, 30);
    terminal.attach();
    terminal.line("sh -c 'trap \"stty size\" WINCH; echo re\"\"ady; while :; do sleep 0.1; done'");
    terminal.await_line("ready");
    terminal.resize(91, 34);
    terminal.await_line("34 91");
}

#[test]
fn all_who_are_attached_see_and_type() {
    let tank = tank_with_console();
    let terminals = [80, 81, 82].map(|columns| Terminal::open(&tank, columns, 24));
    terminals.iter().for_each(Terminal::attach);
    for (place, typist) in terminals.iter().enumerate() {
        typist.line(&format!("echo from-$((10 + {place}))"));
        for reader in &terminals {
            reader.await_line(&format!("from-1{place}"));
        }
    }
    terminals[0].detach();
    terminals[1].line("echo $((40 + 2))");
    terminals[2].await_line("42");
}

#[test]
fn one_who_does_not_read_slows_nobody_and_catches_up() {
    let tank = tank_with_console();
    let [stopped, watching] = [90, 91].map(|columns| Terminal::open(&tank, columns, 24));
    stopped.attach();
    watching.attach();
    let client = stopped.process("tank attach");
    send(client, Signal::STOP);
    // Far more than all pipes and buffers on the way could hold.
    watching.line("clear; yes 0123456789abcdef | head -c 20000000 > /dev/console; echo do''ne");
    watching.await_text("done\n");
    watching.line("clear; echo last wo''rds");
    watching.await_text("last words");
    stopped.line("clear; fg");
    stopped.await_screen("the last words alone", |screen| {
        screen.contains("last words") && !screen.contains("0123456789abcdef")
    });
    stopped.line("echo typ''ed");
    watching.await_line("typed");
    stopped.detach();
}

#[test]
fn a_flood_is_no_reason_to_be_let_go_or_not_to_leave() {
    let tank = tank_with_console();
    let terminal = Terminal::open(&tank, 100, 30);
    terminal.attach();
    terminal.line("yes");
    terminal.await_text("y\ny\ny\n");
    terminal.keys(&["C-c"]);
    terminal.line("echo ca''lm");
    terminal.await_line("calm");
    terminal.line("yes");
    terminal.await_text("y\ny\ny\n");
    terminal.detach();
    terminal.assert_code(0);
}

#[test]
fn keys_are_chosen_by_flag_environment_and_settings() {
    let tank = tank_with_console();
    let terminal = Terminal::open(&tank, 100, 30);
    std::fs::write(tank.root().join("config.toml"), "detach_keys = 'ctrl-x,x'\n").unwrap();
    for (command, hint, keys) in [
        ("tank attach con", "ctrl-x x", ["C-x", "x"]),
        ("TANK_DETACH_KEYS=ctrl-a,d tank attach con", "ctrl-a d", ["C-a", "d"]),
        (
            "TANK_DETACH_KEYS=a tank attach --detach-keys ctrl-],ctrl-^ con",
            "ctrl-] ctrl-^",
            ["C-]", "C-^"],
        ),
    ] {
        terminal.wipe();
        terminal.line(command);
        terminal.await_text(&format!("attached to con; {hint} leaves it running"));
        terminal.await_text("inside>");
        // The usual keys are not withheld.
        terminal.keys(&["C-p", "C-q"]);
        terminal.keys(&keys);
        terminal.await_prompt_after("left con running");
    }
    terminal.wipe();
    terminal.line("tank attach --detach-keys none con");
    terminal.await_text("attached to con; no keys leave it");
    terminal.await_text("inside>");
    terminal.keys(&["C-x", "x"]);
    terminal.keys(&["C-u"]);
    terminal.line("exit 3");
    terminal.await_prompt();
    terminal.assert_code(3);
    for wrong in ["ctrl-P", "two"] {
        let refused = tank.run(["attach", "--detach-keys", wrong, "con"]).exits(2);
        assert!(refused.stderr.contains(wrong), "{refused}");
    }
}

#[test]
fn a_prefix_alone_is_typed_after_a_while_and_a_doubled_one_leaves() {
    let tank = Tank::new();
    let script = "stty raw -echo; echo ready; while :; do \
                  echo -n \"<$(dd bs=1 count=1 2>/dev/null | od -An -tx1 | tr -d ' ')>\"; done";
    let shown = format!("command = ['/bin/sh', '-c', '''{script}''']\ntty = true");
    tank.apply(&busybox("con", "stop_timeout = '0s'", &shown)).ok();
    let terminal = Terminal::open(&tank, 80, 24);
    terminal.line("tank attach con");
    terminal.await_text("ready");
    terminal.keys(&["C-p"]);
    terminal.await_text("<10>");
    terminal.keys(&["C-p", "x", "C-q"]);
    terminal.await_text("<10><10><78><11>");
    terminal.keys(&["C-p", "C-p", "C-q"]);
    terminal.await_prompt_after("left con running");
    terminal.line("clear; tank attach con");
    terminal.await_text("<10><10><78><11><10>");
}

#[test]
fn keys_of_newer_keyboard_protocols_leave_too() {
    let tank = tank_with_console();
    let terminal = Terminal::open(&tank, 80, 24);
    for sequence in ["\x1b[112;5u\x1b[113;5u", "\x1b[27;5;112~\x1b[27;5;113~"] {
        terminal.attach();
        terminal.text(sequence);
        terminal.await_prompt_after("left con running");
    }
}

#[test]
fn a_program_that_ends_gives_its_code() {
    for (line, code) in [("exit 7", 7), ("exit 0", 0)] {
        let tank = tank_with_console();
        let terminal = Terminal::open(&tank, 80, 24);
        terminal.attach();
        terminal.line(line);
        terminal.await_prompt();
        terminal.assert_code(code);
        // Whoever was told of the end finds it on record.
        let life = tank.lives("con").pop().unwrap();
        assert_eq!(life["exit_code"], code, "{life}");
    }
    let tank = tank_with_console();
    let terminal = Terminal::open(&tank, 80, 24);
    terminal.attach();
    send(tank.pid("con"), Signal::KILL);
    terminal.await_prompt();
    terminal.assert_code(137);
}

#[test]
fn what_cannot_be_attached_to_is_told_by_its_code() {
    let tank = Tank::new();
    let idle = "command = ['/bin/sleep', '1000']";
    tank.apply(&busybox("plain", "stop_timeout = '0s'", idle)).ok();
    tank.apply(&busybox("ended", "restart = 'never'", "command = ['/bin/true']")).ok();
    tank.await_status("ended", "completed");
    let ended = tank.run(["attach", "ended"]).exits(4);
    assert!(ended.stderr.contains("ended is not running"), "{ended}");
    assert!(ended.stderr.contains("tank describe ended"), "{ended}");
    let _ = tank.run(["attach", "other"]).exits(3);
    let unknown = tank.run(["attach", "plain/other"]).exits(3);
    assert!(unknown.stderr.contains("plain has app"), "{unknown}");
    let refused = tank.run(["attach", "-t", "plain"]).exits(4);
    assert!(refused.stderr.contains("plain is not a tty"), "{refused}");
    let terminal = Terminal::open(&tank, 100, 24);
    terminal.line("tank attach -t plain");
    terminal.await_text("plain is not a tty");
    terminal.await_text("hint: ");
    terminal.assert_code(4);
}

#[test]
fn a_paste_of_100_kilobytes_arrives_whole() {
    let tank = Tank::new();
    let sum = "stty raw -echo; echo ready; head -c 100000 | md5sum; sleep 1000";
    let command = format!("command = ['/bin/sh', '-c', '{sum}']\ntty = true");
    tank.apply(&busybox("con", "stop_timeout = '0s'", &command)).ok();
    let terminal = Terminal::open(&tank, 80, 24);
    terminal.line("tank attach con");
    terminal.await_text("ready");
    let pasted: String =
        "gr\u{fc}\u{df}e \u{65e5}\u{672c} 0123456789\r".chars().cycle().take(90_000).collect();
    let mut pasted = pasted.into_bytes();
    pasted.truncate(100_000);
    let path = tank.file("pasted", &pasted);
    terminal.paste(&path);
    let sum = crate::support::fixtures::tool("md5sum", "coreutils", &[path.to_str().unwrap()]);
    terminal.await_text(sum.split(' ').next().unwrap());
}

#[test]
fn watching_needs_no_input() {
    let tank = tank_with_console();
    let [watching, typing] = [80, 81].map(|columns| Terminal::open(&tank, columns, 24));
    typing.attach();
    watching.line("clear; tank attach --no-stdin con");
    watching.await_text("inside>");
    watching.line("echo typed by the watc''her");
    typing.line("echo se''en");
    watching.await_line("seen");
    assert!(!typing.screen().contains("watcher"), "{}", typing.screen());
    watching.keys(&["C-p", "C-q"]);
    watching.await_prompt_after("left con running");
}

#[test]
fn a_pod_that_is_deleted_lets_go_of_those_who_are_attached() {
    let tank = Tank::new();
    tank.apply(&console("stop_timeout = '0s'")).ok();
    let terminal = Terminal::open(&tank, 80, 24);
    terminal.attach();
    tank.run(["delete", "con"]).ok();
    terminal.await_prompt();
    terminal.assert_code(137);
}

#[test]
fn the_monitor_keeps_nothing_of_those_who_left() {
    let tank = tank_with_console();
    let monitor = tank.lives("con").pop().unwrap();
    let status = tank.run_root().join("containers").join(monitor["id"].as_str().unwrap());
    let status = std::fs::read_to_string(status.join("status.json")).unwrap();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let pid = status["monitor"]["pid"].as_u64().unwrap();
    let open = || std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let terminal = Terminal::open(&tank, 80, 24);
    let before = open();
    for _ in 0..5 {
        terminal.attach();
        assert!(open() > before);
        terminal.detach();
    }
    wait::until("the descriptors to be closed", Duration::from_secs(10), || {
        (open() == before).then_some(())
    });
}

#[test]
fn a_terminal_that_everybody_closed_may_be_opened_again() {
    let script = "exec <&- >&- 2>&-; touch /tmp/closed; until [ -e /tmp/open ]; do sleep 0.1; done;
        exec <>/dev/console >&0 2>&0; echo back; while read line; do echo \"got $line\"; done";
    let tank = tank_with_script(script, "");
    let terminal = Terminal::open(&tank, 80, 24);
    terminal.line("tank attach con");
    terminal.await_text("attached to con");
    wait::until("the terminal to be closed", Duration::from_secs(10), || {
        let closed = tank.run(["exec", "con", "--", "test", "-e", "/tmp/closed"]);
        closed.status.success().then_some(())
    });
    // Nobody is there to read it.
    terminal.line("lost");
    tank.run(["exec", "con", "--", "touch", "/tmp/open"]).ok();
    terminal.await_line("back");
    terminal.line("word");
    terminal.await_line("got word");
    tank.await_log("con", "got word");
}

#[test]
fn a_key_is_one_signal_below_init_too() {
    let script = "trap 'echo asked' INT; sleep 1000 & echo ready; while :; do wait; done";
    let tank = tank_with_script(script, "init = true");
    let terminal = Terminal::open(&tank, 80, 24);
    terminal.line("tank attach con");
    terminal.await_line("ready");
    let asked = |screen: &str| screen.matches("asked").count();
    for times in 1..=5 {
        terminal.keys(&["C-c"]);
        terminal.await_screen("asked once more", |screen| asked(screen) >= times);
    }
    let screen = terminal.screen();
    assert_eq!(asked(&screen), 5, "{screen}");
}
