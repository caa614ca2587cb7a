//! Attaching to a container without a terminal.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::pods::{busybox, send};
use crate::support::{Tank, wait};

const SOON: Duration = Duration::from_secs(30);

fn tank_with(script: &str, keys: &str) -> Tank {
    let tank = Tank::new();
    let pod = "restart = 'never'\nstop_timeout = '0s'";
    let command = format!("command = ['/bin/sh', '-c', '''{script}''']\n{keys}");
    tank.apply(&busybox("job", pod, &command)).ok();
    tank
}

fn piped(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Reads until `text` has come.
fn read_until(source: &mut impl Read, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let mut piece = [0; 4096];
        let count = source.read(&mut piece).unwrap();
        assert!(count > 0, "no {text:?} in {:?}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&piece[..count]);
    }
    String::from_utf8(read).unwrap()
}

/// Waits until a client is attached: then it listens for signals.
fn await_attached(client: &Child) {
    wait::until("the client to be attached", SOON, || {
        let fds = std::fs::read_dir(format!("/proc/{}/fd", client.id())).unwrap();
        let mut links = fds.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok());
        links.any(|to| to.to_string_lossy().contains("signalfd")).then_some(())
    });
}

#[test]
fn input_is_fed_its_end_is_passed_on_and_the_code_is_the_programs() {
    let tank = tank_with("cat; echo err >&2; exit 6", "stdin = true");
    let mut command = tank.command(["attach", "job"]);
    let output = tank.run_with(&mut command, b"one\ntwo\n").exits(6);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("one\ntwo\n", "err\n"));
}

#[test]
fn much_input_and_output_arrive_whole() {
    const SIZE: usize = 20_000_000;
    let tank = tank_with("md5sum", "stdin = true");
    let sent: Vec<u8> = (0..SIZE).map(|n| u8::try_from(n * n / 251 % 256).unwrap()).collect();
    let path = tank.file("sent", &sent);
    let sum = crate::support::fixtures::tool("md5sum", "coreutils", &[path.to_str().unwrap()]);
    let mut command = tank.command(["attach", "job"]);
    let output = command.stdin(std::fs::File::open(path).unwrap()).output().unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answer.split(' ').next(), sum.split(' ').next());
}

#[test]
fn several_feed_and_the_first_end_counts() {
    let tank = tank_with("cat; echo end", "stdin = true");
    let [mut one, mut two] = [(); 2].map(|()| piped(tank.command(["attach", "job"])));
    for (client, word) in [(&mut one, "first"), (&mut two, "second")] {
        client.stdin.as_mut().unwrap().write_all(format!("{word}\n").as_bytes()).unwrap();
        read_until(client.stdout.as_mut().unwrap(), word);
    }
    let mut rest = two.stdout.take().unwrap();
    drop(one.stdin.take());
    assert!(read_until(&mut rest, "end\n").ends_with("end\n"));
    for mut client in [one, two] {
        assert!(client.wait().unwrap().success());
    }
}

#[test]
fn a_client_that_is_killed_or_interrupted_ends_nothing() {
    let tank = tank_with("cat; echo end", "stdin = true");
    for signal in [Signal::KILL, Signal::INT] {
        let mut client = piped(tank.command(["attach", "job"]));
        client.stdin.as_mut().unwrap().write_all(b"word\n").unwrap();
        read_until(client.stdout.as_mut().unwrap(), "word\n");
        send(client.id(), signal);
        let status = client.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(signal.as_raw()));
    }
    let mut command = tank.command(["attach", "job"]);
    let output = tank.run_with(&mut command, b"last\n").ok();
    assert_eq!(output.stdout, "last\nend\n");
}

#[test]
fn without_stdin_there_is_only_output() {
    let tank = tank_with("read line; echo got \"$line\"; sleep 0.5; echo then", "");
    let mut command = tank.command(["attach", "job"]);
    let output = tank.run_with(&mut command, b"ignored\n").ok();
    assert!(output.stdout.ends_with("then\n"), "{output}");
    assert!(!output.stdout.contains("ignored"), "{output}");
}

#[test]
fn input_that_the_program_closed_keeps_nobody() {
    let tank = tank_with("exec <&-; sleep 0.5; echo done", "stdin = true");
    let mut client = piped(tank.command(["attach", "job"]));
    let mut input = client.stdin.take().unwrap();
    let writer = std::thread::spawn(move || while input.write_all(&[b'x'; 4096]).is_ok() {});
    assert!(read_until(client.stdout.as_mut().unwrap(), "done").ends_with("done\n"));
    assert!(client.wait().unwrap().success());
    writer.join().unwrap();
}

#[test]
fn one_who_does_not_read_slows_nobody_and_is_told_what_was_skipped() {
    let script = "read _; yes 0123456789abcdef | head -c 50000000; echo; echo done; read _; exit 2";
    let tank = tank_with(script, "stdin = true");
    let mut slow = piped(tank.command(["attach", "job"]));
    await_attached(&slow);
    let mut go = tank.command(["attach", "job"]);
    let mut go =
        go.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begin = Instant::now();
    go.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    wait::until("the end of the output", SOON, || {
        let log = tank.run(["logs", "-n", "1", "job"]).ok().stdout;
        (log == "done\n").then_some(())
    });
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    go.stdin.as_mut().unwrap().write_all(b"end\n").unwrap();
    let mut output = String::new();
    slow.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    let mut errors = String::new();
    slow.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(output.len() < 50_000_000, "{}", output.len());
    assert!(output.starts_with("0123456789abcdef\n"));
    assert_eq!(errors.matches("some is skipped").count(), 1, "{errors}");
    assert_eq!(slow.wait().unwrap().code(), Some(2));
    go.wait().unwrap();
}

#[test]
fn one_who_reads_too_late_hears_how_it_ended() {
    let tank = tank_with("read _; yes | head -c 5000000; exit 6", "stdin = true");
    let mut late = piped(tank.command(["attach", "job"]));
    late.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    tank.await_status("job", "failed");
    let mut output = Vec::new();
    late.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    assert!(output.starts_with(b"y\ny\n") && output.len() < 5_000_000, "{}", output.len());
    assert_eq!(late.wait().unwrap().code(), Some(6));
}

#[test]
fn a_client_whose_reader_left_leaves_too() {
    let tank = tank_with("while :; do echo line; sleep 0.1; done", "");
    let mut client = tank.command(["attach", "job"]);
    let mut client = client.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    read_until(client.stdout.as_mut().unwrap(), "line\n");
    drop(client.stdout.take());
    let ended = wait::process_ended(client.id(), SOON);
    client.kill().unwrap();
    assert!(ended && client.wait().unwrap().success());
    assert_eq!(tank.lives("job").len(), 1);
}

#[test]
fn a_hundred_can_watch() {
    let tank = tank_with("read _; echo to everybody", "stdin = true");
    let mut clients: Vec<_> = (0..100).map(|_| piped(tank.command(["attach", "job"]))).collect();
    clients.iter().for_each(await_attached);
    clients[0].stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    for client in &mut clients {
        read_until(client.stdout.as_mut().unwrap(), "to everybody\n");
        assert!(client.wait().unwrap().success());
    }
}
