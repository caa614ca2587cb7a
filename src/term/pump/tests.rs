#![expect(clippy::disallowed_methods, reason = "the other end of a session is another program")]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use super::*;
use crate::term::size::{self, Size};

fn pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = std::io::pipe().unwrap();
    (reader.into(), writer.into())
}

fn pty() -> (OwnedFd, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
    (master, slave)
}

fn file(fd: OwnedFd) -> std::fs::File {
    fd.into()
}

fn link(source: OwnedFd, sink: OwnedFd, kind: Kind) -> Link {
    Link::new(source, sink, kind)
}

fn session(links: Vec<Link>) -> Session<'static> {
    Session { links, process: None, signals: None, raw: None, detach: None }
}

fn no_events(event: Event) -> ControlFlow<()> {
    panic!("{event:?}")
}

fn run_quietly(session: Session<'_>) {
    assert!(run(session, &mut no_events).unwrap().lost_output.is_none());
}

/// Bytes in which a lost, doubled or swapped piece shows.
fn pattern(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    for number in 0..length as u64 / 8 {
        bytes.extend_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    }
    bytes
}

const LARGE: usize = 100_000_000;

/// Pumps a lot from a pipe to `sink`, whose other end is read a little at a time.
fn pump_to_slow_reader(sink: OwnedFd, mut reader: impl Read + Send) {
    let (source, program) = pipe();
    let received = thread::scope(|scope| {
        scope.spawn(move || {
            file(program).write_all(&pattern(LARGE)).unwrap();
        });
        let received = scope.spawn(move || {
            let mut received = Vec::with_capacity(LARGE);
            let mut piece = [0; 3000];
            loop {
                match reader.read(&mut piece).unwrap() {
                    0 => return received,
                    count => received.extend_from_slice(&piece[..count]),
                }
                thread::yield_now();
            }
        });
        run_quietly(session(vec![link(source, sink, Kind::Output)]));
        received.join().unwrap()
    });
    assert_eq!(received.len(), LARGE);
    assert!(received == pattern(LARGE), "the bytes are others");
}

#[test]
fn a_slow_pipe_gets_every_byte() {
    let (reader, sink) = pipe();
    pump_to_slow_reader(sink, file(reader));
}

#[test]
fn a_slow_socket_gets_every_byte() {
    let (reader, sink) = UnixStream::pair().unwrap();
    pump_to_slow_reader(sink.into(), reader);
}

#[test]
fn the_callers_descriptors_stay_blocking() {
    let (source, program) = pipe();
    let (_reader, sink) = pipe();
    let kept = sink.try_clone().unwrap();
    file(program).write_all(b"x").unwrap();
    run_quietly(session(vec![link(source, sink, Kind::Output)]));
    let flags = rustix::fs::fcntl_getfl(&kept).unwrap();
    assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
}

/// A program with its streams as pipes, and its pidfd.
fn start(script: &str) -> (std::process::Child, OwnedFd) {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let child = command.spawn().unwrap();
    let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
    (child, pidfd_open(pid, PidfdFlags::empty()).unwrap())
}

fn all_of(reader: OwnedFd) -> String {
    let mut text = String::new();
    file(reader).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_end_of_input_reaches_the_program_and_its_last_words_the_caller() {
    let (mut child, pidfd) = start("cat; echo end");
    let (input, caller) = pipe();
    let (output, sink) = pipe();
    file(caller).write_all(b"some words\n").unwrap();
    let links = vec![
        link(input, child.stdin.take().unwrap().into(), Kind::Input),
        link(child.stdout.take().unwrap().into(), sink, Kind::Output),
    ];
    run_quietly(Session { process: Some(pidfd.as_fd()), ..session(links) });
    assert!(child.wait().unwrap().success());
    assert_eq!(all_of(output), "some words\nend\n");
}

#[test]
fn a_program_that_closed_its_output_is_waited_for() {
    let (mut child, pidfd) = start("exec >&-; read word; test $word = go");
    let (input, caller) = pipe();
    let (_output, sink) = pipe();
    let links = vec![
        link(input, child.stdin.take().unwrap().into(), Kind::Input),
        link(child.stdout.take().unwrap().into(), sink, Kind::Output),
    ];
    file(caller).write_all(b"go\n").unwrap();
    run_quietly(Session { process: Some(pidfd.as_fd()), ..session(links) });
    assert!(child.wait().unwrap().success());
}

#[test]
fn those_who_keep_the_output_open_are_not_waited_for() {
    let (mut child, pidfd) = start("echo $$; (exec sleep 600) & echo end $!");
    let (output, sink) = pipe();
    let begin = Instant::now();
    let links = vec![link(child.stdout.take().unwrap().into(), sink, Kind::Output)];
    run_quietly(Session { process: Some(pidfd.as_fd()), ..session(links) });
    assert!((GRACE..GRACE * 5).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    child.wait().unwrap();
    let words = all_of(output);
    let left = words.rsplit([' ', '\n']).nth(1).unwrap();
    let left = Pid::from_raw(left.parse().unwrap()).unwrap();
    rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
    assert!(words.contains("\nend "), "{words}");
}

#[test]
fn a_caller_who_reads_no_more_closes_the_programs_pipe() {
    let (mut child, pidfd) = start("yes");
    let (output, sink) = pipe();
    drop(output);
    let links = vec![link(child.stdout.take().unwrap().into(), sink, Kind::Output)];
    let mut events = Vec::new();
    let ended = run(Session { process: Some(pidfd.as_fd()), ..session(links) }, &mut |event| {
        events.push(event);
        ControlFlow::Continue(())
    });
    assert!(ended.unwrap().lost_output.is_none());
    assert_eq!(events, [Event::ReaderLeft]);
    assert!(!child.wait().unwrap().success());
}

#[test]
fn output_that_cannot_be_written_is_reported() {
    let (source, program) = pipe();
    file(program).write_all(b"x").unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let links = vec![link(source, full.into(), Kind::Output)];
    let lost = run(session(links), &mut no_events).unwrap().lost_output.unwrap();
    assert!(lost.is(libc::ENOSPC), "{lost}");
}

#[test]
fn a_terminal_session_ends_with_the_last_user_of_the_terminal() {
    let (master, slave) = pty();
    let (input, caller) = pipe();
    let (output, sink) = pipe();
    let written = master.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut slave = file(slave);
            let mut line = [0; 64];
            let count = slave.read(&mut line).unwrap();
            assert_eq!(&line[..count], b"hello\n");
            slave.write_all(b"bye\n").unwrap();
        });
        file(caller).write_all(b"hello\n").unwrap();
        run_quietly(session(vec![
            link(input, written, Kind::TerminalInput),
            link(master, sink, Kind::TerminalOutput),
        ]));
    });
    assert!(all_of(output).ends_with("bye\r\n"));
}

#[test]
fn a_caller_who_hangs_up_is_an_event_and_the_rest_is_thrown_away() {
    let (master, slave) = pty();
    let (output, sink) = pipe();
    drop(output);
    let mut events = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || file(slave).write_all(&[b'x'; 100_000]).unwrap());
        let links = vec![link(master, sink, Kind::TerminalOutput)];
        run(session(links), &mut |event| {
            events.push(event);
            ControlFlow::Continue(())
        })
        .unwrap();
    });
    assert_eq!(events, [Event::Signal(libc::SIGHUP)]);
}

#[test]
fn signals_are_events_and_the_new_size_reaches_the_program() {
    let (caller, _caller_slave) = pty();
    let (master, slave) = pty();
    let (_output, sink) = UnixStream::pair().unwrap();
    size::set(&caller, Size { rows: 50, columns: 132 }).unwrap();
    let signals = Signals::take().unwrap();
    nix::sys::signal::raise(nix::sys::signal::SIGWINCH).unwrap();
    let resized = master.try_clone().unwrap();
    let links = vec![link(master, sink.into(), Kind::TerminalOutput)];
    run(Session { signals: Some(&signals), ..session(links) }, &mut |event| {
        assert_eq!(event, Event::Resized);
        size::set(&resized, size::of(&caller).unwrap()).unwrap();
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(size::of(&slave), Some(Size { rows: 50, columns: 132 }));
}

#[test]
fn bytes_after_the_process_are_delivered_to_a_reader_who_was_late() {
    let (mut child, pidfd) = start("head -c 150000 /dev/zero");
    let (reader, sink) = UnixStream::pair().unwrap();
    let late = thread::scope(|scope| {
        let late = scope.spawn(move || {
            // The pipe and the buffer are full by now, and the process waits, or has ended.
            let mut reader = reader;
            let mut bytes = Vec::new();
            thread::sleep(GRACE + Duration::from_millis(500));
            reader.read_to_end(&mut bytes).unwrap();
            bytes.len()
        });
        sink.shutdown(Shutdown::Read).unwrap();
        rustix::net::sockopt::set_socket_send_buffer_size(&sink, 4096).unwrap();
        let links = vec![link(child.stdout.take().unwrap().into(), sink.into(), Kind::Output)];
        run_quietly(Session { process: Some(pidfd.as_fd()), ..session(links) });
        late.join().unwrap()
    });
    child.wait().unwrap();
    assert_eq!(late, 150_000);
}
