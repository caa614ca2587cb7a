//! The last part, the same for the main process of a container and for every later one: the user,
//! the environment, the credentials, the working directory, and `execve`.

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use oci_spec::runtime::{LinuxSeccomp, Process, UserBuilder};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use super::{arrival, null};
use crate::runtime::credentials::Credentials;
use crate::runtime::failure::{Doing, Failure};
use crate::runtime::in_root::Root;
use crate::runtime::message::Message;
use crate::runtime::user::{self, User};
use crate::runtime::{reaper, seccomp};
use crate::sys::{self, descriptors, fsinfo, process, socket};

/// A program to become, in the namespaces and the root file system it is meant for.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// The program and its arguments.
    pub(crate) arguments: &'a [OsString],
    /// Environment, directory, capabilities, limits.
    pub(crate) process: &'a Process,
    /// Its system call filter.
    pub(crate) seccomp: Option<&'a LinuxSeccomp>,
    /// `user[:group]`, resolved by the files of this root file system; `None` is root.
    pub(crate) user: Option<&'a str>,
    /// Whether a missing working directory is made.
    pub(crate) make_working_dir: bool,
    /// Whether this process stays as a reaping init and the program becomes its child.
    pub(crate) init: bool,
    /// This process's own [`open_oom_score`].
    pub(crate) oom_score: Option<File>,
    /// Whether it is to be in a pid namespace that this process joined for its children, where
    /// others live that must not see what this process still can do.
    pub(crate) enters_pid_namespace: bool,
}

impl Program<'_> {
    /// Becomes the program. Harmless refusals of the host are sent over `socket` first.
    pub(crate) fn execute(mut self, socket: BorrowedFd<'_>) -> Result<Infallible, Failure> {
        let user = self.resolve_user()?;
        let arguments = c_strings(self.arguments.iter().map(OsString::as_os_str))?;
        let environment = self.environment(&user);
        let path = search_path(&environment);
        let environment = c_strings(environment.iter().map(OsStr::new))?;
        let filter = self.seccomp.map(seccomp::compile).transpose();
        let filter = filter.doing("compile the system call filter")?;
        replace_null_devices()?;
        give_streams(&user)?;

        let credentials = Credentials::new(&as_user(self.process, &user)?, filter);
        let entered = self.enter_directory(self.make_working_dir);
        let score = self.oom_score.take();
        let notes = credentials.prepare(score.as_ref().map(AsFd::as_fd)).doing("take the user")?;
        drop(score);
        // A directory that root was refused (a network file system) may be open to the user.
        if entered.is_err() {
            self.enter_directory(false)?;
        }
        check_directory()?;
        if !notes.is_empty() {
            Message::Notes(notes).send(socket, None).doing("report notes")?;
        }
        process::close_from_on_exec(3).doing("close descriptors")?;
        live_without_parent()?;
        if self.enters_pid_namespace {
            credentials.reduce().doing("give up capabilities")?;
            arrival::enter(socket, self.process.terminal() == Some(true))?;
        }
        if self.init {
            reaper::become_reaper(&credentials).doing("start the program below init")?;
        }
        credentials.seal().doing("seal the process")?;
        execute(&arguments, &environment, &path)
    }

    fn resolve_user(&self) -> Result<User, Failure> {
        let root = Root::open(Path::new("/")).doing("open the root file system")?;
        let files = user::read_account_files(&root).doing("read the accounts")?;
        files.resolve(self.user.unwrap_or_default()).doing("find the user")
    }

    fn environment(&self, user: &User) -> Vec<String> {
        let mut environment = self.process.env().clone().unwrap_or_default();
        if !environment.iter().any(|variable| variable.starts_with("HOME=")) {
            environment.push(format!("HOME={}", user.home));
        }
        environment
    }

    fn enter_directory(&self, make: bool) -> Result<(), Failure> {
        let path = self.process.cwd();
        let doing = || format!("enter the working directory {}", path.display());
        match rustix::process::chdir(path) {
            Err(Errno::NOENT) if make => {
                let root = Root::open(Path::new("/")).doing(doing())?;
                root.ensure_directory(path).doing(doing())?;
                rustix::process::chdir(path)
            }
            result => result,
        }
        .map_err(|errno| sys::Error::new("chdir", path.display().to_string(), errno))
        .doing(doing())
    }
}

/// The process as that user.
fn as_user(process: &Process, user: &User) -> Result<Process, Failure> {
    let identity = UserBuilder::default()
        .uid(user.uid)
        .gid(user.gid)
        .additional_gids(user.groups.clone())
        .build()
        .doing("set the user")?;
    let mut process = process.clone();
    process.set_user(identity);
    Ok(process)
}

/// The file that sets this process's OOM score; a monitor's children start with the monitor's.
pub(crate) fn open_oom_score() -> Option<File> {
    File::options().write(true).open("/proc/self/oom_score_adj").ok()
}

/// A specification without a part that tank always writes.
pub(crate) fn incomplete(part: &str) -> Failure {
    Failure {
        doing: "use the specification".into(),
        detail: format!("it has no usable {part}"),
        program: None,
    }
}

/// Arranges that this process is killed with the one that made it.
pub(crate) fn die_with_parent(socket: BorrowedFd<'_>) -> Result<(), Failure> {
    let doing = "tie the process to its parent";
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|errno| sys::Error::new("prctl", "PR_SET_PDEATHSIG", errno))
        .doing(doing)?;
    // The parent may have died before the call; then nobody holds the other end of the socket.
    if socket::peer_is_there(socket) {
        return Ok(());
    }
    Err(sys::Error::new("prctl", "PR_SET_PDEATHSIG", Errno::SRCH)).doing(doing)
}

/// The program lives on when the process beside it is killed.
pub(crate) fn live_without_parent() -> Result<(), Failure> {
    rustix::process::set_parent_process_death_signal(None)
        .map_err(|errno| sys::Error::new("prctl", "PR_SET_PDEATHSIG", errno))
        .doing("untie the process from its parent")
}

/// Makes these descriptors standard input, output and error.
pub(crate) fn set_streams(streams: [BorrowedFd<'_>; 3]) -> Result<(), Failure> {
    for (number, fd) in (0..).zip(streams) {
        process::duplicate_to(fd, number).doing("set the standard streams")?;
    }
    Ok(())
}

/// Puts the root's own null device in the place of the host's, which the program could give another
/// mode or owner through its streams.
fn replace_null_devices() -> Result<(), Failure> {
    let doing = "replace the null device";
    for (number, stream) in (0..).zip(descriptors::streams()) {
        if !null::is(stream).doing(doing)? {
            continue;
        }
        // What else may be there is not waited for; to the device itself the flag means nothing.
        let own = match null::open(OFlags::RDWR | OFlags::NONBLOCK) {
            Ok(own) => own,
            // The container has taken its own away; then there is nobody at the other end.
            Err(_) => end_of_pipe(number == 0).doing(doing)?,
        };
        process::duplicate_to(own.as_fd(), number).doing(doing)?;
    }
    Ok(())
}

/// One end of a pipe whose other end is closed.
fn end_of_pipe(to_read: bool) -> sys::Result<OwnedFd> {
    let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
        .map_err(|errno| sys::Error::new("pipe2", "", errno))?;
    Ok(if to_read { read } else { write })
}

/// Lets the user open `/dev/stdout` and its like, which are checked by the owner of what is behind.
fn give_streams(user: &User) -> Result<(), Failure> {
    if user.uid == 0 {
        return Ok(());
    }
    let doing = "give the standard streams to the user";
    for stream in descriptors::streams() {
        // Only what has no name on the host: a pipe or the program's own terminal.
        let is_pipe = fsinfo::is_anonymous_pipe(stream).doing(doing)?;
        if is_pipe || rustix::termios::isatty(stream) {
            let owner = Some(rustix::fs::Uid::from_raw(user.uid));
            rustix::fs::fchown(stream, owner, None)
                .map_err(|errno| sys::Error::new("fchown", "a standard stream", errno))
                .doing(doing)?;
        }
    }
    Ok(())
}

/// Makes sure that the working directory lies inside the root: a descriptor of the host that was
/// entered by a path like `/proc/self/fd/7` shows as `(unreachable)` (CVE-2024-21626).
fn check_directory() -> Result<(), Failure> {
    let doing = "check the working directory";
    let path = rustix::process::getcwd(Vec::new())
        .map_err(|errno| sys::Error::new("getcwd", "", errno))
        .doing(doing)?;
    if path.as_bytes().starts_with(b"/") {
        return Ok(());
    }
    Err(sys::Error::new("getcwd", path.to_string_lossy(), Errno::NOENT)).doing(doing)
}

fn c_strings<'a>(words: impl Iterator<Item = &'a OsStr>) -> Result<Vec<CString>, Failure> {
    words
        .map(|word| CString::new(word.as_bytes()).map_err(|_| incomplete("a word with NUL")))
        .collect()
}

fn search_path(environment: &[String]) -> String {
    let path = environment.iter().find_map(|variable| variable.strip_prefix("PATH="));
    path.unwrap_or_default().to_owned()
}

/// Executes the program by the rules of execvp(3): a name without a slash is looked for in `PATH`.
fn execute(
    arguments: &[CString],
    environment: &[CString],
    path: &str,
) -> Result<Infallible, Failure> {
    let name = arguments.first().ok_or_else(|| incomplete("args"))?;
    if name.is_empty() {
        let cause = sys::Error::new("execve", "", Errno::NOENT);
        return Err(Failure::of_program("a program without a name", &cause));
    }
    let failed = |cause| Failure::of_program(&name.to_string_lossy(), &cause);
    if name.as_bytes().contains(&b'/') {
        return process::execute(name, arguments, environment).map_err(failed);
    }
    let mut cause = sys::Error::new("execve", name.to_string_lossy(), Errno::NOENT);
    for directory in path.split(':') {
        let directory = if directory.is_empty() { "." } else { directory };
        let file = Path::new(directory).join(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let Ok(file) = CString::new(file.as_os_str().as_bytes()) else { continue };
        let Err(error) = process::execute(&file, arguments, environment);
        match error.errno() {
            libc::ENOENT | libc::ENOTDIR => {}
            // One that may not be executed is remembered; a later one may.
            libc::EACCES => cause = error,
            _ => return Err(failed(error)),
        }
    }
    Err(failed(cause))
}
