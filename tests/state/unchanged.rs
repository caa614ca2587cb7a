//! What is as it should be is left alone, down to the system calls.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::database;
use crate::support::pods::sleeper;
use crate::support::{Tank, fixtures, program};

/// Every system call that changes a file, a mount, a process or a namespace. Descriptors and
/// memory of the caller's own are nobody's business.
const MUTATING: &str = "write,writev,pwrite64,pwritev,pwritev2,sendfile,splice,copy_file_range,\
    fsync,fdatasync,sync,syncfs,sync_file_range,msync,fallocate,truncate,ftruncate,\
    rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,link,linkat,\
    symlink,symlinkat,creat,chmod,fchmod,fchmodat,?fchmodat2,chown,fchown,lchown,fchownat,utime,\
    utimes,futimesat,utimensat,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,\
    fremovexattr,mount,umount2,move_mount,fsopen,fsconfig,fsmount,open_tree,mount_setattr,\
    pivot_root,chroot,clone,clone3,fork,vfork,execveat,unshare,setns,kill,tkill,tgkill,\
    rt_sigqueueinfo,pidfd_send_signal,bpf,setrlimit,prlimit64,sethostname,setdomainname";

/// Runs `tank ARGS` under strace(1); gives its output and the calls it should not have made.
fn traced(tank: &Tank, args: &[&str]) -> (program::Output, Vec<String>) {
    let trace = tank.dir().join("trace");
    let mut command = Command::new("strace");
    assert!(fs::exists("/usr/bin/strace").unwrap(), "{}", fixtures::advice("strace"));
    command.args(["-f", "-y", "-qq", "-s", "200", "-e", &format!("trace={MUTATING}"), "-o"]);
    command.arg(&trace);
    let traced = tank.command(args);
    command.arg(traced.get_program()).args(traced.get_args()).env_clear();
    let output = program::run(&mut command, &[], Duration::from_secs(60));
    let calls = fs::read_to_string(&trace).unwrap_or_else(|error| panic!("{error}\n{output}"));
    let calls = calls.lines().filter(|line| !is_allowed(tank, line)).map(str::to_owned);
    (output, calls.collect())
}

/// What a command that changes nothing still does:
/// it prints, to standard output and standard error;
/// it locks the pod for the time it looks at it, and writes into the lock file who it is, so that
/// others can say for whom they wait (nobody reads it after the unlock);
/// readers of a database in WAL mode share an index in `state.db-shm`, which is no durable state;
/// SQLite, as root, gives the log the owner of the database whenever it opens it;
/// a directory that must be there is made, and was there;
/// `prlimit64` without a new limit asks, and changes nothing.
fn is_allowed(tank: &Tank, line: &str) -> bool {
    // "PID call(descriptor<path>, ..."
    let call = line.split_once(' ').map_or(line, |(_, call)| call.trim_start());
    let name = call.split('(').next().unwrap_or_default();
    let of = |path: &Path| call.contains(&format!("<{}>", path.display()));
    match name {
        "write" if call.starts_with("write(1<") || call.starts_with("write(2<") => true,
        "write" | "ftruncate" if of(&tank.run_root().join("locks/web.lock")) => true,
        "fchown" if of(&tank.root().join("state.db-wal")) => true,
        "mkdir" | "mkdirat" => call.contains(" = -1 EEXIST "),
        "prlimit64" => call.contains(", NULL, "),
        _ => of(&tank.root().join("state.db-shm")),
    }
}

/// A trace that sees nothing would pass every test below.
#[test]
fn strace_sees_what_a_change_does() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let (output, calls) = traced(&tank, &["delete", "web"]);
    output.ok();
    let seen = |call: &str| calls.iter().any(|line| line.contains(call));
    for call in [" unlinkat(", " fdatasync(", "state.db-wal>", " pidfd_send_signal(", " umount2("] {
        assert!(seen(call), "no {call} in\n{}", calls.join("\n"));
    }
}

#[test]
fn applying_the_unchanged_file_writes_nothing() {
    let tank = Tank::new();
    let file = tank.file("pod.toml", sleeper("web"));
    let apply = ["apply", "-f", file.to_str().unwrap()];
    tank.run(apply).ok();
    let (pid, before, world) = (tank.pid("web"), database(&tank), tank.asleep());

    let again = tank.run(apply).ok();
    assert_eq!(again.stdout, "pod/web unchanged\nplanned 0, executed 0, failed 0\n");
    assert!(database(&tank) == before, "the database was written");
    let (output, calls) = traced(&tank, &apply);
    assert_eq!(output.ok().stdout, again.stdout);
    assert!(calls.is_empty(), "\n{}", calls.join("\n"));
    assert!(database(&tank) == before, "the database was written");
    assert_eq!(tank.world().since(&world), Vec::<String>::new());
    assert_eq!(tank.pid("web"), pid);
}

#[test]
fn pass_and_reports_write_nothing_when_all_is_well() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let before = database(&tank);
    for args in
        [&["reconcile"][..], &["list"], &["ps"], &["get", "web"], &["describe", "web"], &["plan"]]
    {
        let (output, calls) = traced(&tank, args);
        output.ok();
        assert!(calls.is_empty(), "{args:?}\n{}", calls.join("\n"));
    }
    assert!(database(&tank) == before, "the database was written");
}

#[test]
fn what_get_prints_is_what_is_desired() {
    let tank = Tank::new();
    let more = "\n[[containers.mounts]]\ntarget = '/tmp'\ntmpfs = '1MiB'\n";
    let pod = sleeper("web").replace("network", "labels = { a = 'b \"c\"' }\nnetwork") + more;
    tank.apply(&pod).ok();
    let pid = tank.pid("web");
    let got = tank.run(["get", "web"]).ok().stdout;
    let applied = tank.apply(&got).ok();
    assert!(applied.stdout.starts_with("pod/web unchanged\n"), "{applied}");
    assert_eq!(tank.run(["get", "web"]).ok().stdout, got);
    assert_eq!(tank.pid("web"), pid);
    assert_eq!(tank.listed("web")["generation"], 1);
}

#[test]
fn order_and_spelling_are_no_change() {
    let tank = Tank::new();
    tank.apply(&(sleeper("web") + "memory = '64MiB'\nenv = { A = '1', B = '2' }\n")).ok();
    let pid = tank.pid("web");
    let same = sleeper("web") + "env = { B = '2', A = '1' }\nmemory = '65536KiB'\n";
    let applied = tank.apply(&same).ok();
    assert!(applied.stdout.starts_with("pod/web unchanged\nplanned 0,"), "{applied}");
    assert_eq!(tank.pid("web"), pid);
}
