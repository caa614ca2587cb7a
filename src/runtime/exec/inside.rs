//! The process that joins a container and becomes a program there.

use std::convert::Infallible;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use oci_spec::runtime::Spec;

use super::ExecRequest;
use crate::model::capability::ALL;
use crate::runtime::capabilities;
use crate::runtime::cgroup::Group;
use crate::runtime::failure::{Doing, Failure};
use crate::runtime::init::program::{self, Program};
use crate::runtime::launch::Launch;
use crate::runtime::message::Message;
use crate::sys::credentials::bounding_set;
use crate::sys::process::Namespaces;
use crate::sys::{namespace, pty};

/// What the process inside knows.
#[derive(Debug)]
pub(in crate::runtime) struct Inside<'a> {
    /// The container's specification.
    pub(in crate::runtime) spec: &'a Spec,
    /// What else is known of the container.
    pub(in crate::runtime) launch: &'a Launch,
    /// The cgroup of this process.
    pub(in crate::runtime) group: &'a Group,
    /// What to execute.
    pub(in crate::runtime) request: &'a ExecRequest,
}

impl Inside<'_> {
    /// Joins the container, whose first process is behind `container`, and becomes the program: a
    /// copy of this process does, which the other side of `socket` is told of ([`Message::Entered`]),
    /// as of everything else that it has to know.
    pub(in crate::runtime) fn become_program(
        &self,
        container: OwnedFd,
        socket: BorrowedFd<'_>,
    ) -> Result<Infallible, Failure> {
        program::die_with_parent(socket)?;
        self.group.join().doing("join the cgroup")?;
        let oom_score = program::open_oom_score();
        let kinds = Namespaces::NEWPID
            | Namespaces::NEWNET
            | Namespaces::NEWIPC
            | Namespaces::NEWUTS
            | Namespaces::NEWCGROUP
            | Namespaces::NEWNS;
        namespace::join_process(container.as_fd(), kinds).doing("join the namespaces")?;
        drop(container);
        if let Some((rows, columns)) = self.request.terminal {
            let pty = pty::open("/dev/pts/ptmx").doing("open a terminal")?;
            pty::set_size(&pty.master, rows, columns).doing("set the terminal's size")?;
            Message::Terminal
                .send(socket, Some(pty.master.as_fd()))
                .doing("hand over the terminal")?;
            let slave = pty.slave.as_fd();
            program::set_streams([slave, slave, slave])?;
        }
        let process = self.process()?;
        let linux = self.spec.linux().as_ref();
        let program = Program {
            process: &process,
            arguments: &self.request.arguments,
            seccomp: linux
                .and_then(|linux| linux.seccomp().as_ref())
                .filter(|_| !self.request.privileged),
            user: self.request.user.as_deref().or(self.launch.user.as_deref()),
            make_working_dir: false,
            init: false,
            oom_score,
            enters_pid_namespace: true,
        };
        program.execute(socket)
    }

    /// The container's own process, with what the request changes.
    fn process(&self) -> Result<oci_spec::runtime::Process, Failure> {
        let process = self.spec.process().as_ref().ok_or_else(|| program::incomplete("process"))?;
        let mut process = process.clone();
        let request = self.request;
        let mut environment = process.env().clone().unwrap_or_default();
        let sets = |list: &[String], key: &str| {
            list.iter().any(|variable| variable.split('=').next() == Some(key))
        };
        if request.terminal.is_some() && !sets(&environment, "TERM") {
            environment.push(format!("TERM={}", request.terminal_type));
        }
        environment.retain(|variable| {
            !request.environment.contains_key(variable.split('=').next().unwrap_or_default())
        });
        let over = request.environment.iter().map(|(key, value)| format!("{key}={value}"));
        environment.extend(over);
        process.set_env(Some(environment)).set_terminal(Some(request.terminal.is_some()));
        if request.privileged {
            let all = capabilities::resolve([ALL], [], bounding_set());
            let all = all.doing("find all capabilities")?.capabilities;
            process
                .set_capabilities(Some(capabilities::to_oci(&all)))
                .set_no_new_privileges(Some(false));
        }
        if let Some(directory) = &request.working_dir {
            process.set_cwd(directory.into());
        }
        Ok(process)
    }
}
