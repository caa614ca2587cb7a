//! What about this machine keeps pods from being reached, or from reaching others.

use std::path::Path;

use super::error::Result;
use super::forwarding::{Forwarding, Record, get, has_ipv6};
use super::layout::{Layout, Member};
use super::link;
use super::names::Resolvers;
use super::netlink::Connection;
use super::nft::Nft;
use super::route;
use super::subnet::overlap;
use super::view::NETLINK_ROUTE;

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked: `forwarding`.
    pub check: &'static str,
    /// How it is.
    pub severity: Severity,
    /// That in a sentence.
    pub detail: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Fine,
    /// It may hurt, or already costs something.
    Warning,
    /// Pods on the bridge cannot work like this.
    Problem,
}

impl Finding {
    /// As it should be.
    fn fine(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, severity: Severity::Fine, detail: detail.into(), advice: None }
    }

    /// Something that may hurt.
    pub fn warning(
        check: &'static str,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = Some(advice.into());
        Self { check, severity: Severity::Warning, detail: detail.into(), advice }
    }

    /// Something that cannot work.
    fn problem(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, ..Self::warning(check, detail, advice) }
    }
}

/// Checks this machine. `layout` is the network of the root, where there is one, with the pods on
/// it, and `record` the file that says which kernel parameters were changed for it.
pub fn host(layout: Option<&Layout>, members: &[Member], record: &Path) -> Vec<Finding> {
    let mut findings = filter(layout);
    findings.push(connections());
    findings.push(forwarding(layout, members, record));
    findings.push(bridge_filter());
    findings.push(ipv6());
    findings.push(resolvers());
    findings.extend(layout.map(subnets));
    findings
}

/// Whether there is a packet filter, and whether somebody else's drops what pods send.
fn filter(layout: Option<&Layout>) -> Vec<Finding> {
    const CHECK: &str = "nf_tables";
    let hooks = Nft::open().and_then(|mut nft| nft.forwarding_policies());
    let hooks = match hooks {
        Ok(hooks) => hooks,
        Err(e) => {
            let detail = format!("the packet filter cannot be used: {}", text(&e));
            let advice = "pods need a kernel with nf_tables (CONFIG_NF_TABLES_INET, NFT_NAT, \
                          NFT_MASQ, NFT_FIB_INET, NFT_CT)";
            return vec![Finding::problem(CHECK, detail, advice)];
        }
    };
    let mut findings = vec![Finding::fine(CHECK, "the packet filter can be used")];
    let bridge = layout.map_or("the bridge", |layout| layout.bridge.as_str());
    for (table, chain) in hooks {
        let detail = format!("chain {chain} of table {table} drops what it does not know");
        let advice = match table.as_str() {
            "ip filter" | "ip6 filter" => format!(
                "where Docker made it: iptables -I DOCKER-USER -i {bridge} -j ACCEPT; \
                 iptables -I DOCKER-USER -o {bridge} -j ACCEPT (ip6tables likewise); where ufw did: \
                 ufw route allow in on {bridge}; ufw route allow out on {bridge}"
            ),
            _ => format!("let it accept what comes in or goes out by {bridge}"),
        };
        findings.push(Finding::warning("other firewalls", detail, advice));
    }
    if Path::new("/run/firewalld").exists() {
        let detail = "firewalld runs, and rejects what is forwarded between its zones";
        let advice = format!("firewall-cmd --permanent --zone=trusted --add-interface={bridge}");
        findings.push(Finding::warning("other firewalls", detail, advice));
    }
    findings
}

/// Whether the kernel can remember more connections.
fn connections() -> Finding {
    const CHECK: &str = "conntrack";
    let number = |name: &str| get(name).and_then(|text| text.parse::<u64>().ok());
    let count = number("netfilter/nf_conntrack_count");
    match (count, number("netfilter/nf_conntrack_max")) {
        (Some(count), Some(most)) if most > 0 && count >= most / 10 * 9 => Finding::warning(
            CHECK,
            format!("{count} of at most {most} connections are remembered; more are dropped"),
            "raise net.netfilter.nf_conntrack_max",
        ),
        (Some(count), Some(most)) => {
            Finding::fine(CHECK, format!("{count} of at most {most} connections are remembered"))
        }
        _ => Finding::fine(CHECK, "no connection was remembered yet"),
    }
}

/// Whether packets may pass between the bridge and others.
fn forwarding(layout: Option<&Layout>, members: &[Member], record: &Path) -> Finding {
    const CHECK: &str = "forwarding";
    if get("ipv4/ip_forward").as_deref() == Some("1") {
        return Finding::fine(CHECK, "it is on for all interfaces, which tank did not do");
    }
    let record = Record::read(record);
    let links = Connection::open(NETLINK_ROUTE)
        .and_then(|mut route| Ok((link::all(&mut route)?, route::uplink(&mut route)?)));
    match (layout, links) {
        (Some(layout), Ok((links, uplink))) if record.has(&layout.owner) => {
            let wanted = Forwarding::wanted(layout, members, &links, uplink, &record);
            match wanted.drift() {
                Some(drift) => Finding::problem(CHECK, drift, "tank reconcile puts it right"),
                None => {
                    Finding::fine(CHECK, "it is on, and only for what comes from or goes to pods")
                }
            }
        }
        _ => Finding::fine(CHECK, "it is off; tank turns it on for its bridge when a pod needs it"),
    }
}

/// Whether frames between pods are sent through the filters for packets.
fn bridge_filter() -> Finding {
    const CHECK: &str = "bridge filter";
    let path = "/proc/sys/net/bridge/bridge-nf-call-iptables";
    let on = crate::sys::file::read_proc(path).is_ok_and(|text| text.trim_end() == "1");
    if on {
        return Finding::warning(
            CHECK,
            "what pods send each other passes all packet filters of this machine, which takes time",
            "unless something else needs it (Docker and Kubernetes turn it on): \
             sysctl net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0",
        );
    }
    Finding::fine(CHECK, "what pods send each other passes no packet filter of this machine")
}

fn ipv6() -> Finding {
    let text = if has_ipv6() {
        "this machine has it, and so can pods"
    } else {
        "this machine has none, and so have pods"
    };
    Finding::fine("IPv6", text)
}

/// Whether pods can ask anybody for names.
fn resolvers() -> Finding {
    const CHECK: &str = "resolvers";
    if Resolvers::of_host().any_reachable() {
        return Finding::fine(CHECK, "pods ask the name servers of this machine");
    }
    let detail = "/etc/resolv.conf names no server that pods can reach: one on the loopback \
                  interface is this machine's alone";
    Finding::warning(CHECK, detail, "name others in the pod file: dns = [\"192.0.2.53\"]")
}

/// Whether the machine has meanwhile come to reach the pods' subnets by another interface.
fn subnets(layout: &Layout) -> Finding {
    const CHECK: &str = "subnets";
    match collision(layout) {
        Ok(None) => {
            let ipv6 = layout.ipv6.map_or_else(String::new, |subnet| format!(" and {subnet}"));
            Finding::fine(CHECK, format!("nobody else has {}{ipv6}", layout.ipv4))
        }
        Ok(Some(detail)) => Finding::problem(
            CHECK,
            detail,
            "give pods another subnet (config.toml, [network]) when no pod is on the network",
        ),
        Err(e) => Finding::warning(CHECK, text(&e), "tank doctor as root"),
    }
}

fn collision(layout: &Layout) -> Result<Option<String>> {
    let mut connection = Connection::open(NETLINK_ROUTE)?;
    let own = link::find(&mut connection, &layout.bridge)?.map(|bridge| bridge.index);
    let subnets = [Some(layout.ipv4.into()), layout.ipv6.map(ipnet::IpNet::from)];
    let others = route::routes(&mut connection)?
        .into_iter()
        .filter(|route| own.is_none() || route.index != own);
    for route in others {
        let taken = subnets.iter().flatten().find(|own| overlap(**own, route.destination));
        if let Some(subnet) = taken {
            return Ok(Some(format!(
                "{subnet} is reached by another interface, too: {}",
                route.destination
            )));
        }
    }
    Ok(None)
}

fn text(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
