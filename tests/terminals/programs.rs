//! The programs that people use terminals for, from Debian's own packages.

use crate::support::terminal::Terminal;
use crate::support::{Tank, fixtures};

/// The pod `con`: bash of Debian on a terminal.
fn tank_with_debian() -> Tank {
    let tank = Tank::new();
    let rootfs = fixtures::debian_rootfs();
    tank.apply(&format!(
        "name = 'con'\nnetwork = 'none'\nstop_timeout = '0s'\n[[containers]]\nname = 'sh'\n\
         rootfs = {rootfs:?}\ncommand = ['/bin/bash', '--norc']\ntty = true\n\
         env = {{ PS1 = 'inside> ', TERM = 'screen-256color', LANG = 'C.UTF-8', \
         PATH = '/usr/bin:/bin' }}\n",
    ))
    .ok();
    tank
}

/// The two ways to a terminal in it.
const WAYS: [&str; 2] = ["tank attach con", "tank exec -e 'PS1=in''side> ' con -- bash --norc"];

/// Waits until the shell inside asks for the next command, having said `text`. Only then does it
/// read single keys: what is typed earlier goes through the terminal's own line editing, in which
/// some of them mean other things.
#[track_caller]
fn await_inside(terminal: &Terminal, text: &str) {
    terminal.await_screen(text, |screen| {
        let end = screen.trim_end().strip_suffix("inside>");
        end.is_some_and(|before| before.contains(text))
    });
}

/// A terminal in the container, one way or the other.
fn each_way(test: impl Fn(&Tank, &Terminal)) {
    let tank = tank_with_debian();
    for way in WAYS {
        let terminal = Terminal::open(&tank, 100, 30);
        terminal.line(way);
        terminal.await_text("inside>");
        test(&tank, &terminal);
        terminal.line("clear; echo still al''ive");
        terminal.await_line("still alive");
    }
}

#[test]
fn bash_on_debian_has_job_control_and_line_editing() {
    each_way(|_, terminal| {
        terminal.line("sh -c 'echo st''arted; exec sleep 1000'");
        terminal.await_line("started");
        terminal.keys(&["C-z"]);
        await_inside(terminal, "Stopped");
        terminal.line("jobs; bg; jobs; kill %1");
        await_inside(terminal, "Running");
        terminal.line("sh -c 'echo ag''ain; exec sleep 1000'");
        terminal.await_line("again");
        terminal.keys(&["C-c"]);
        terminal.line("echo code $?");
        await_inside(terminal, "code 130");
        terminal.text("echo werld");
        terminal.keys(&["Left", "Left", "Left", "BSpace"]);
        terminal.text("o");
        terminal.keys(&["Enter"]);
        terminal.await_line("world");
        terminal.line("echo 'gr\u{fc}\u{df}e \u{65e5}\u{672c}\u{8a9e}' | wc -m");
        await_inside(terminal, "\n10\n");
        terminal.keys(&["C-r"]);
        terminal.text("werl");
        terminal.keys(&["C-g"]);
        terminal.line("stty size");
        terminal.await_line("30 100");
    });
}

#[test]
fn vim_on_debian_edits_resizes_and_ends() {
    each_way(|_, terminal| {
        terminal.line("rm -f /tmp/text; vim -u NONE -N /tmp/text");
        terminal.await_text("~\n~\n");
        assert_eq!(terminal.fact("alternate_on"), "1");
        terminal.text("ifirst line \u{e9}\u{65e5}");
        terminal.keys(&["Escape"]);
        terminal.resize(60, 20);
        terminal.await_screen("a smaller screen", |screen| {
            screen.lines().count() == 20 && screen.starts_with("first line \u{e9}\u{65e5}")
        });
        terminal.line(":set columns? lines?");
        terminal.await_text("lines=20");
        terminal.keys(&["Enter"]);
        terminal.keys(&["C-z"]);
        terminal.await_text("Stopped");
        terminal.line("fg");
        terminal.await_screen("the editor", |screen| screen.starts_with("first line"));
        terminal.line(":wq");
        terminal.await_text("inside>");
        assert_eq!(terminal.fact("alternate_on"), "0");
        terminal.line("clear; cat /tmp/text");
        terminal.await_line("first line \u{e9}\u{65e5}");
        terminal.resize(100, 30);
    });
}

#[test]
fn vim_on_debian_is_left_in_the_middle_and_found_from_another_terminal() {
    let tank = tank_with_debian();
    let first = Terminal::open(&tank, 100, 30);
    first.line("tank attach con");
    first.await_text("inside>");
    first.line("vim -u NONE -N --cmd 'set mouse=a' /tmp/text");
    first.await_text("~\n~\n");
    first.text("ihalf a sent");
    first.await_text("half a sent");
    first.detach();
    assert_eq!(first.fact("alternate_on"), "0");
    assert_eq!(first.fact("mouse_any_flag"), "0");
    let second = Terminal::open(&tank, 64, 17);
    second.line("tank attach con");
    second.await_screen("the text on the smaller screen", |screen| {
        screen.starts_with("half a sent") && screen.lines().count() == 17
    });
    assert_eq!(second.fact("alternate_on"), "1");
    assert_eq!(second.fact("mouse_any_flag"), "1");
    second.text("ence");
    second.keys(&["Escape"]);
    second.line(":set lines?");
    second.await_text("lines=17");
    second.line(":wq");
    second.await_text("inside>");
    second.line("cat /tmp/text");
    second.await_line("half a sentence");
}

#[test]
fn less_on_debian_pages_and_searches() {
    each_way(|_, terminal| {
        terminal.line("clear; seq 100000 | less");
        terminal.await_text("1\n2\n3\n");
        terminal.keys(&["Space"]);
        terminal.await_line("58");
        terminal.line("/^4711$");
        terminal.await_screen("what was searched for", |screen| screen.starts_with("4711\n"));
        terminal.keys(&["G"]);
        terminal.await_line("100000");
        terminal.keys(&["q"]);
        terminal.await_text("inside>");
    });
}

#[test]
fn htop_and_top_on_debian_draw_themselves_and_follow_the_size() {
    each_way(|_, terminal| {
        terminal.line("htop");
        terminal.await_text("F10Quit");
        terminal.resize(80, 24);
        terminal.await_screen("the last line in its place", |screen| {
            screen.lines().nth(23).is_some_and(|line| line.contains("F10Quit"))
        });
        terminal.keys(&["q"]);
        terminal.await_text("inside>");
        terminal.line("top");
        terminal.await_text("load average");
        terminal.await_text("COMMAND");
        terminal.keys(&["q"]);
        terminal.await_text("inside>");
        terminal.resize(100, 30);
    });
}

#[test]
fn python_on_debian_is_interrupted_and_ends_with_its_input() {
    each_way(|_, terminal| {
        terminal.line("clear; python3 -q");
        terminal.await_text(">>>");
        terminal.line("print(6 * 7, '\u{65e5}\u{672c}')");
        terminal.await_line("42 \u{65e5}\u{672c}");
        terminal.line("import time; time.sleep(1000)");
        terminal.keys(&["C-c"]);
        terminal.await_text("KeyboardInterrupt");
        terminal.keys(&["C-d"]);
        terminal.await_text("inside>");
    });
}

#[test]
fn tmux_on_debian_runs_inside_and_is_attached_to_again() {
    each_way(|_, terminal| {
        terminal.line("clear; tmux -f /dev/null new -s inner \"PS1='pane> ' bash --norc\"");
        terminal.await_text("pane>");
        terminal.await_text("[inner]");
        terminal.line("tty");
        terminal.await_text("/dev/pts/");
        terminal.keys(&["C-b", "d"]);
        terminal.await_text("[detached (from session inner)]");
        terminal.line("clear; tmux attach -t inner");
        terminal.await_text("/dev/pts/");
        terminal.line("exit");
        terminal.await_text("[exited]");
    });
}
