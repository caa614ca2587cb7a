//! Which lines are printed, and how.

use serde_json::Value;

use super::{logged, objects};
use crate::support::Tank;
use crate::support::pods::{runs, script, send};

/// A pod that ends twice and then stays, with a line of each life.
fn three_lives(tank: &Tank) {
    let restart = "restart = { policy = 'on-failure', initial = '10ms' }";
    let lives = "n=$(cat /keep/n); echo $((n + 1)) > /keep/n; echo begin $n; \
        test $n = 2 && { trap 'exit 0' TERM; sleep 1000 & wait; exit 0; }; echo end $n >&2; exit 1";
    let keep = tank.dir().join("keep");
    std::fs::create_dir(&keep).unwrap();
    std::fs::write(keep.join("n"), "0").unwrap();
    let mount = format!("mounts = [{{ target = '/keep', host = '{}' }}]", keep.display());
    tank.apply(&logged("web", restart, &mount, lives)).ok();
    tank.await_life("the third life", "web", |life| runs(life, 3));
    tank.await_log("web", "begin 2");
}

#[test]
fn lives_are_all_or_the_previous_one() {
    let tank = Tank::new();
    three_lives(&tank);
    let logs = |args: &[&str]| {
        let printed = tank.run([&["logs"], args].concat()).ok();
        (printed.stdout, printed.stderr)
    };
    let all = ("begin 0\nbegin 1\nbegin 2\n".to_owned(), "end 0\nend 1\n".to_owned());
    assert_eq!(logs(&["web"]), all);
    assert_eq!(logs(&["--all", "web"]), all);
    let previous = ("begin 1\n".to_owned(), "end 1\n".to_owned());
    assert_eq!(logs(&["-p", "web"]), previous);
    assert_eq!(logs(&["--previous", "-n", "1", "web"]), (String::new(), previous.1));
    assert_eq!(logs(&["--tail", "2", "web"]), ("begin 2\n".to_owned(), "end 1\n".to_owned()));
    assert_eq!(logs(&["--stream", "stderr", "web"]), (String::new(), all.1));
    let attempts: Vec<_> =
        objects(&tank, &["web"]).iter().map(|line| line["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [1, 1, 2, 2, 3]);

    tank.apply(&script("new", "", "trap 'exit 0' TERM; sleep 1000 & wait")).ok();
    let none = tank.run(["logs", "-p", "new"]).exits(3);
    assert!(none.stderr.contains("cannot find a previous life of new/app"), "{none}");
}

#[test]
fn contradictions_and_what_is_no_time_are_refused() {
    let tank = Tank::new();
    for args in [
        &["-f", "-p", "web"][..],
        &["-p", "--all", "web"],
        &["-o", "json", "-t", "web"],
        &["-o", "json", "--prefix", "web"],
        &["-o", "json", "--raw", "web"],
        &["--since", "yesterday", "web"],
        &["--until", "-5m", "web"],
        &["--stream", "both", "web"],
        &["-n", "-1", "web"],
        &[],
    ] {
        tank.run([&["logs"], args].concat()).exits(2);
    }
    tank.run(["logs", "web"]).exits(3);
}

#[test]
fn spans_of_time_begin_and_end_where_they_are_told_to() {
    let tank = Tank::new();
    tank.apply(&script(
        "web",
        "restart = 'never'",
        "for n in 1 2 3 4; do echo $n; sleep 0.01; done",
    ))
    .ok();
    tank.await_status("web", "completed");
    let lines = objects(&tank, &["web"]);
    let time = |line: usize| lines[line]["time"].as_str().unwrap().to_owned();
    let logs = |args: &[&str]| tank.run([&["logs"], args].concat()).ok().stdout;
    assert_eq!(logs(&["--since", &time(1), "web"]), "2\n3\n4\n");
    assert_eq!(logs(&["--until", &time(2), "web"]), "1\n2\n");
    assert_eq!(logs(&["--since", &time(1), "--until", &time(3), "web"]), "2\n3\n");
    assert_eq!(logs(&["-f", "--since", &time(3), "web"]), "4\n");
    assert_eq!(logs(&["-n", "1", "--until", &time(3), "web"]), "3\n");
    let seconds: jiff::Timestamp = time(2).parse().unwrap();
    let seconds = format!("{}.{:09}", seconds.as_second(), seconds.subsec_nanosecond());
    assert_eq!(logs(&["--since", &seconds, "web"]), "3\n4\n");
    for (since, expected) in [("1h", "1\n2\n3\n4\n"), ("0s", ""), ("2020-01-01", "1\n2\n3\n4\n")] {
        assert_eq!(logs(&["--since", since, "web"]), expected, "{since}");
    }
    // Without a zone it is the caller's time that counts.
    let local = time(2).trim_end_matches('Z').to_owned();
    for (zone, expected) in [("UTC0", "3\n4\n"), ("EAST-1", "1\n2\n3\n4\n"), ("WEST1", "")] {
        let mut command = tank.command(["logs", "--since", &local, "web"]);
        let printed = tank.run_with(command.env("TZ", zone), &[]).ok();
        assert_eq!(printed.stdout, expected, "{zone}");
    }
}

#[test]
fn lines_of_several_pods_are_told_apart_and_in_the_order_of_time() {
    let tank = Tank::new();
    let chatty = "trap 'echo late $0; exit 0' USR1; echo early $0; echo oops >&2; \
        while :; do sleep 1000 & wait; done";
    for pod in ["web", "database"] {
        tank.apply(&script(pod, "restart = 'never'", chatty)).ok();
        tank.await_log(pod, "early");
    }
    for pod in ["web", "database"] {
        send(tank.pid(pod), rustix::process::Signal::USR1);
        tank.await_status(pod, "completed");
    }
    let both = tank.run(["logs", "web", "database/app", "web/app"]).ok();
    let expected = "web/app      | early /bin/sh\ndatabase/app | early /bin/sh\n\
        web/app      | late /bin/sh\ndatabase/app | late /bin/sh\n";
    assert_eq!(both.stdout, expected);
    assert_eq!(both.stderr, "web/app      | oops\ndatabase/app | oops\n");
    let bare = tank.run(["logs", "--prefix=never", "-n", "1", "web", "database"]).ok();
    assert_eq!(bare.stdout, "late /bin/sh\nlate /bin/sh\n");
    let one = tank.run(["logs", "--prefix", "-t", "-n", "1", "web"]).ok().stdout;
    let time = objects(&tank, &["-n", "1", "web"])[0]["time"].as_str().unwrap().to_owned();
    let shown = one.strip_prefix("web/app | ").unwrap().strip_suffix("Z late /bin/sh\n").unwrap();
    assert_eq!(shown.len(), "2026-01-31T10:00:00.000000000".len());
    assert!(shown.starts_with(time.trim_end_matches('Z').trim_end_matches('0')), "{one} {time}");
    let followed = tank.run(["logs", "-f", "web", "database"]).ok();
    assert_eq!(followed.stdout, expected);
    tank.run(["logs", "web", "other"]).exits(3);

    let lines = objects(&tank, &["web", "database"]);
    let times: Vec<_> = lines.iter().map(|line| line["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let keys: Vec<_> = lines[0].as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = vec!["time", "pod", "container", "attempt", "stream", "text"];
    expected.sort_unstable();
    assert_eq!(
        {
            let mut keys = keys;
            keys.sort_unstable();
            keys
        },
        expected
    );
    let of = |line: &Value| format!("{} {} {}", line["pod"], line["stream"], line["text"]);
    assert_eq!(of(&lines[0]), r#""web" "stdout" "early /bin/sh""#);
}
