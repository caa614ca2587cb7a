//! Reading a pod.

use std::collections::BTreeSet;

use super::container;
use super::diagnostic::Diagnostic;
use super::files::Files;
use super::section::Section;
use super::{names, text};
use crate::model::pod::{Network, Pod, Restart, RestartPolicy};
use crate::model::quantity::Timespan;
use crate::model::{PodName, sysctl};

/// Reads a pod. Nothing if something it cannot do without is missing or wrong, which has been
/// reported.
pub(super) fn read(section: &Section<'_>, files: &dyn Files) -> Option<Pod> {
    let name: Option<PodName> = section.parse("name");
    let hostname = section.read("hostname", |host| text::hostname(host).map(|()| host.to_owned()));
    let restart = read_restart(section);
    let stop_timeout = section.parse::<Timespan>("stop_timeout");
    let network = section.choice("network");
    let dns = names::read_servers(section);
    let dns_search = names::read_search(section);
    let extra_hosts = section.map("extra_hosts", text::host, names::read_address);
    let depends_on: BTreeSet<PodName> = section.list("depends_on", str::parse);
    let labels = section.map("labels", text::label_name, text::label_value);
    let init_containers = section.tables("init_containers");
    let containers = section.tables("containers");

    if name.as_ref().is_some_and(|name| depends_on.contains(name)) {
        section.error("depends_on", "a pod cannot depend on itself");
    }
    if let Some(network) = network {
        check_pod_network(network, section);
        for container in init_containers.iter().chain(&containers) {
            check_container_network(network, container);
        }
    }
    for container in &init_containers {
        for probe in ["liveness", "readiness", "startup"] {
            if container.has(probe) {
                container.error(probe, "an init container has no probes: it runs to its end");
            }
        }
    }

    let all = || init_containers.iter().chain(&containers);
    let names = all().filter_map(|container| container.text("name"));
    section.report().unique(names, |name| format!("two containers are named {name:?}"));
    container::check_ports(section.report(), all());

    let init_containers = container::read_all(&init_containers, files);
    let containers = container::read_all(&containers, files);
    let name = name?;
    Some(Pod {
        hostname: hostname.unwrap_or_else(|| name.to_string()),
        name,
        restart: restart?,
        stop_timeout: stop_timeout?.0,
        network: network?,
        isolated: section.flag("isolated"),
        share_pids: section.flag("share_pids"),
        dns,
        dns_search,
        extra_hosts,
        depends_on,
        labels,
        init_containers: init_containers?,
        containers: containers?,
    })
}

/// Reports what a pod says about a network that it does not have.
fn check_pod_network(network: Network, pod: &Section<'_>) {
    if network != Network::Bridge && pod.flag("isolated") {
        pod.error("isolated", "isolated only has a meaning with network = \"bridge\"");
    }
    for name in ["dns", "dns_search"] {
        let is_written = pod.texts(name).is_some_and(|texts| !texts.is_empty());
        if network == Network::None && is_written {
            pod.error(name, format!("{name} has no meaning with network = \"none\""));
        }
    }
}

/// Reports what makes no sense, or reaches outside, in the pod's kind of network.
fn check_container_network(network: Network, container: &Section<'_>) {
    let ports = container.texts("ports").is_some_and(|ports| !ports.is_empty());
    match network {
        Network::Bridge => {}
        Network::None if ports => {
            container.error("ports", "ports cannot be published with network = \"none\"");
        }
        Network::None => {}
        Network::Host => {
            if ports {
                container.error("ports", "ports cannot be published with network = \"host\"");
            }
            for name in container.names("sysctls") {
                if sysctl::is_network(name.get_ref()) {
                    let message = "with network = \"host\" this is the host's own parameter";
                    container.report().error(Diagnostic::new(name.span(), message));
                }
            }
        }
    }
}

/// Reads `restart = "never"` or the table of the same name.
fn read_restart(section: &Section<'_>) -> Option<Restart> {
    let Some(table) = section.table("restart") else {
        return Some(Restart { policy: section.choice("restart")?, ..Restart::default() });
    };
    let policy = table.choice("policy");
    let max_retries = table.integer("max_retries");
    let (initial, max) = (table.positive_span("initial"), table.positive_span("max"));
    if initial.is_some() && max.is_some() && initial > max {
        let name = if table.has("max") { "max" } else { "initial" };
        table.error(name, "max must not be shorter than initial");
    }
    if table.has("max_retries") && policy == Some(RestartPolicy::Never) {
        table.error("max_retries", "max_retries has no meaning with policy = \"never\"");
    }
    Some(Restart { policy: policy?, max_retries, initial: initial?, max: max? })
}
