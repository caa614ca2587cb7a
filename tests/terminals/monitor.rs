//! The monitor, under those who attach in great number, or say what no client says.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv,
    send, socket_with,
};

use super::tank_with_console;
use crate::container::terminal::pty;
use crate::support::{Tank, soak, wait};

const SOON: Duration = Duration::from_secs(30);

/// The monitor of the pod `con`.
struct Monitor {
    pid: u64,
    socket: PathBuf,
}

impl Monitor {
    fn of(tank: &Tank) -> Self {
        let life = tank.lives("con").pop().unwrap();
        let directory = tank.run_root().join("containers").join(life["id"].as_str().unwrap());
        let status = fs::read_to_string(directory.join("status.json")).unwrap();
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        let pid = status["monitor"]["pid"].as_u64().unwrap();
        Self { pid, socket: directory.join("attach.sock") }
    }

    /// How many descriptors it has open.
    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap().count()
    }

    /// Its memory of its own, in kilobytes.
    fn memory(&self) -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).unwrap();
        let own = rollup.lines().filter(|line| line.starts_with("Private_Dirty:"));
        own.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
    }

    fn connect(&self) -> OwnedFd {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        connect(&socket, &SocketAddrUnix::new(&self.socket).unwrap()).unwrap();
        socket
    }

    #[track_caller]
    fn await_descriptors(&self, count: usize) {
        wait::until("the descriptors to be closed", SOON, || {
            (self.descriptors() == count).then_some(())
        });
    }
}

/// Attaches on a terminal of this size, sees the prompt, and leaves.
fn attach_and_leave(tank: &Tank, rows: u16) {
    let (master, slave) = pty();
    let size = rustix::termios::Winsize { ws_row: rows, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&slave, size).unwrap();
    let stream = || Stdio::from(slave.try_clone().unwrap());
    let mut command = tank.command(["attach", "con"]);
    let mut client =
        command.stdin(stream()).stdout(stream()).stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    let mut master = fs::File::from(master);
    let mut shown = Vec::new();
    while !String::from_utf8_lossy(&shown).contains("inside>") {
        let mut piece = [0; 4096];
        let count = master.read(&mut piece).unwrap();
        shown.extend_from_slice(&piece[..count]);
    }
    master.write_all(b"\x10\x11").unwrap();
    assert!(client.wait().unwrap().success());
}

#[test]
fn its_memory_and_descriptors_are_flat_over_attachments_and_sizes() {
    let tank = tank_with_console();
    let monitor = Monitor::of(&tank);
    let round = |times: usize| {
        for n in 0..times {
            attach_and_leave(&tank, 20 + u16::try_from(n % 5).unwrap());
        }
    };
    let before = monitor.descriptors();
    round(20);
    monitor.await_descriptors(before);
    let memory = monitor.memory();
    round(100 * soak());
    monitor.await_descriptors(before);

    // As many sizes as there are messages: signals would come together.
    let socket = monitor.connect();
    let (ours, theirs) = std::io::pipe().unwrap();
    attach(&socket, &[theirs.as_fd(), theirs.as_fd()]);
    for n in 0..1000 * soak() {
        let (rows, columns) = (20 + n % 30, 70 + n % 40);
        let message = format!("{{\"Resize\":{{\"rows\":{rows},\"columns\":{columns}}}}}");
        send(&socket, message.as_bytes(), SendFlags::empty()).unwrap();
    }
    drop((socket, ours, theirs));
    monitor.await_descriptors(before);
    let grown = monitor.memory().saturating_sub(memory);
    // The history of what the shell printed meanwhile, which is kept, has a bound.
    assert!(grown <= 400, "{grown} kB more than {memory} kB");
}

/// Says what a client says first.
fn attach(socket: &OwnedFd, fds: &[std::os::fd::BorrowedFd<'_>]) {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, sendmsg};
    let message = b"{\"Attach\":{\"version\":1,\"terminal\":null}}";
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(fds)));
    }
    sendmsg(socket, &[std::io::IoSlice::new(message)], &mut control, SendFlags::empty()).unwrap();
}

#[test]
fn what_no_client_says_ends_the_connection_and_nothing_else() {
    let tank = tank_with_console();
    let monitor = Monitor::of(&tank);
    let before = monitor.descriptors();
    let long = vec![b'x'; 60_000];
    for message in [
        &b"garbage"[..],
        b"{\"Resize\":{\"rows\":-1,\"columns\":1e9}}",
        b"{\"Attach\":{\"version\":1,\"terminal\":{\"rows\":0,\"columns\":65535,\"nudge\":true}}}",
        b"{\"Attach\":{}}",
        b"\0",
        &long,
    ] {
        let socket = monitor.connect();
        send(&socket, message, SendFlags::NOSIGNAL).unwrap();
        let mut answer = [0; 1024];
        // One that is refused is told so, or nothing; in the end it is closed.
        while recv(&socket, &mut answer[..], RecvFlags::empty()).is_ok_and(|(count, _)| count > 0) {
        }
    }
    // One of another version is told which this one is.
    let socket = monitor.connect();
    send(&socket, b"{\"Attach\":{\"version\":99,\"terminal\":null}}", SendFlags::NOSIGNAL).unwrap();
    let mut answer = [0; 1024];
    let (count, _) = recv(&socket, &mut answer[..], RecvFlags::empty()).unwrap();
    assert!(String::from_utf8_lossy(&answer[..count]).contains("\"version\":1"));
    // Sizes that no terminal has change nothing.
    let socket = monitor.connect();
    let (_ours, theirs) = std::io::pipe().unwrap();
    attach(&socket, &[theirs.as_fd(), theirs.as_fd()]);
    for size in [
        "{\"Resize\":{\"rows\":0,\"columns\":0}}",
        "{\"Resize\":{\"rows\":65535,\"columns\":65535}}",
    ] {
        send(&socket, size.as_bytes(), SendFlags::NOSIGNAL).unwrap();
    }
    drop((socket, theirs));
    attach_and_leave(&tank, 24);
    monitor.await_descriptors(before);
}

#[test]
fn more_than_it_has_room_for_are_told_so() {
    let tank = tank_with_console();
    let monitor = Monitor::of(&tank);
    let mut connections: Vec<_> = (0..200).map(|_| monitor.connect()).collect();
    wait::until("all to be let in", SOON, || (monitor.descriptors() > 200).then_some(()));
    let refused = tank.run(["attach", "con"]).exits(125);
    assert!(refused.stderr.contains("200 are attached already"), "{refused}");
    connections.pop();
    attach_and_leave(&tank, 24);
}
