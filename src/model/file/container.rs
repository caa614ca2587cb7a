//! Reading a container.

use super::diagnostic::Diagnostic;
use super::files::Files;
use super::report::Report;
use super::section::Section;
use super::{log, mount, probe, text};
use crate::model::pod::{Capabilities, Container, Port, Seccomp, Source};
use crate::model::quantity::Bytes;
use crate::model::signal::Signal;
use crate::model::value::ValueError;
use crate::model::{capability, image_name, path, sysctl, ulimit};

/// Reads containers: all of them, or nothing.
pub(super) fn read_all(sections: &[Section<'_>], files: &dyn Files) -> Option<Vec<Container>> {
    let containers = sections.iter().filter_map(|section| read(section, files));
    let containers: Vec<Container> = containers.collect();
    (containers.len() == sections.len()).then_some(containers)
}

/// Reads a container. Nothing if something it cannot do without is missing or wrong, which has
/// been reported.
fn read(section: &Section<'_>, files: &dyn Files) -> Option<Container> {
    let name = section.parse("name");
    let source = read_source(section);
    let pull = section.choice("pull");
    let command = read_program(section, "command");
    let args = section.has("args").then(|| section.list("args", text::argument));
    let working_dir = section.read("working_dir", path::absolute);
    let memory: Option<Bytes> = section.parse("memory");
    if memory == Some(Bytes(0)) {
        section.error("memory", "memory must be more than 0");
    }
    let mut ports: Vec<Port> = section.list("ports", str::parse);
    ports.sort();
    let seccomp = section.read("seccomp", read_seccomp);
    let pids: Option<u64> = section.integer("pids");

    let is_rootfs = section.has("rootfs") && !section.has("image");
    if is_rootfs && command.is_none() && args.as_ref().is_none_or(Vec::is_empty) {
        section.report().absent(
            Diagnostic::new(section.place("rootfs"), "a container with a rootfs needs a command")
                .with_help("add: command = [\"/bin/sh\"]"),
        );
    }
    if is_rootfs && section.has("pull") {
        section.error("pull", "pull has no meaning with a rootfs");
    }

    Some(Container {
        command,
        args,
        env: section.map("env", text::env_name, text::env_value),
        working_dir: working_dir.map(|path| path.display().to_string()),
        user: section.read("user", |user| text::user(user).map(|()| user.to_owned())),
        tty: section.flag("tty"),
        stdin: section.flag("stdin"),
        init: section.flag("init"),
        stop_signal: section.parse("stop_signal").map(|signal: Signal| signal.to_string()),
        ports,
        memory,
        cpus: section.parse("cpus"),
        pids: pids.filter(|pids| *pids > 0),
        read_only: section.flag("read_only"),
        capabilities: read_capabilities(section),
        no_new_privileges: section.flag("no_new_privileges"),
        devices: section.list("devices", path::device),
        sysctls: section.map("sysctls", sysctl::check_name, |value| {
            sysctl::check_value(value).map(|()| value.to_owned())
        }),
        ulimits: section.map("ulimits", ulimit::check_name, str::parse),
        mounts: mount::read_all(section, files),
        log: log::read(section),
        liveness: probe::read(section, "liveness"),
        readiness: probe::read(section, "readiness"),
        startup: probe::read(section, "startup"),
        // Last, so that what is missing does not keep the others from being looked at.
        name: name?,
        source: source?,
        pull: pull?,
        seccomp: seccomp?,
    })
}

fn read_source(section: &Section<'_>) -> Option<Source> {
    let image = section.read("image", image_name::normalise);
    let rootfs = section.read("rootfs", path::absolute);
    if !section.exactly_one("image", &["image", "rootfs"]) {
        return None;
    }
    image.map(Source::Image).or(rootfs.map(Source::Rootfs))
}

/// Reads a program with its arguments, which is never nothing.
pub(super) fn read_program(section: &Section<'_>, name: &str) -> Option<Vec<String>> {
    let texts = section.texts(name)?;
    if texts.first().is_none_or(|program| program.get_ref().is_empty()) {
        section.error(name, format!("{name} does not name a program"));
    }
    Some(section.list(name, text::argument))
}

fn read_seccomp(text: &str) -> Result<Seccomp, ValueError> {
    match text {
        "default" => Ok(Seccomp::Default),
        "unconfined" => Ok(Seccomp::Unconfined),
        _ if text.starts_with('/') => path::absolute(text).map(Seccomp::Profile),
        _ => {
            Err(ValueError::new("seccomp", text, "is not default, unconfined or an absolute path"))
        }
    }
}

fn read_capabilities(section: &Section<'_>) -> Capabilities {
    let Some(table) = section.table("capabilities") else {
        return Capabilities::default();
    };
    let capabilities = Capabilities {
        add: table.list("add", capability::normalise),
        drop: table.list("drop", capability::normalise),
    };
    for name in capabilities.add.intersection(&capabilities.drop) {
        table.error("add", format!("capability \"{name}\" is both added and dropped"));
    }
    capabilities
}

/// Reports host ports that two of a pod's published ports want.
pub(super) fn check_ports<'s, 'a: 's>(
    report: &Report<'_>,
    containers: impl Iterator<Item = &'s Section<'a>>,
) {
    let mut seen: Vec<Port> = Vec::new();
    for text in containers.flat_map(|section| section.texts("ports").unwrap_or_default()) {
        let Ok(port) = text.get_ref().parse::<Port>() else {
            continue;
        };
        if let Some(other) = seen.iter().find(|other| other.conflicts(&port)) {
            let message = format!("port \"{port}\" and port \"{other}\" want the same host port");
            report.error(Diagnostic::new(text.span(), message));
        }
        seen.push(port);
    }
}
