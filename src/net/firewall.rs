//! What tank's packet filter says, as a value.
//!
//! One table `inet` has everything about packets that pass the machine, and where a pod is
//! isolated one table `bridge` of the same name what passes between the ports of the bridge. What
//! belongs to single pods is elements of maps and sets; the rules are the same whatever runs.

mod conditions;
mod members;

use std::net::{Ipv4Addr, Ipv6Addr};

use super::forwarding::Forwarding;
use super::layout::{Layout, Member};
use super::nft::expression::{
    Base, DESTINATION_CHANGED, ESTABLISHED, Expression, IPV4, IPV6, Meta, RELATED,
};
use super::nft::ruleset::{
    Chain, FORWARD, Family, Hook, OUTPUT, POSTROUTING, PREROUTING, Set, Table, Type, interface,
};
use conditions::{
    WORDS6, any_of, destination4, destination6, family, from, rule, service, source4, source6, to,
    within,
};
use members::{
    BOUND4, BOUND6, GUARDED4, GUARDED6, ISOLATED, ISOLATED4, ISOLATED6, OWN4, OWN6, PUBLISHED4,
    PUBLISHED6, isolated_sets, pod_sets,
};
pub(super) use members::{is_of_pods, of_pod, udp_ports};

/// `ETH_P_IP`, `ETH_P_ARP` and `ETH_P_IPV6` of linux/if_ether.h: what frames carry.
const IPV4_FRAME: u16 = 0x0800;
const ARP_FRAME: u16 = 0x0806;
const IPV6_FRAME: u16 = 0x86dd;

/// The length of the name of an interface in words.
const INTERFACE_WORDS: u32 = 4;

/// The addresses of a link: fe80::/10.
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0);

/// `RTN_LOCAL` of linux/rtnetlink.h: an address of this machine.
const LOCAL: u32 = 2;

const PUBLISH: &str = "publish";

/// Sends connections to published ports to their pods. A port that is bound to an address comes
/// before one of all addresses.
fn publish() -> Chain {
    let (any4, any6) = (service(0), service(0));
    let rules = vec![
        rule(
            "ports of one address",
            [
                &family(IPV4),
                &[destination4()],
                &service(1),
                &[Expression::Map(BOUND4), Expression::DestinationNat4],
            ],
        ),
        rule(
            "ports of all addresses",
            [&family(IPV4), &any4, &[Expression::Map(PUBLISHED4), Expression::DestinationNat4]],
        ),
        rule(
            "ports of one address",
            [
                &family(IPV6),
                &[destination6()],
                &service(WORDS6),
                &[Expression::Map(BOUND6), Expression::DestinationNat6],
            ],
        ),
        rule(
            "ports of all addresses",
            [&family(IPV6), &any6, &[Expression::Map(PUBLISHED6), Expression::DestinationNat6]],
        ),
    ];
    Chain { name: PUBLISH, hook: None, rules }
}

/// A chain through which connections to this machine pass on their way to [`publish`].
fn entrance(name: &'static str, number: u32) -> Chain {
    let local = Expression::Equal(LOCAL.to_ne_bytes().to_vec());
    let jump = [Expression::DestinationType, local, Expression::Jump(PUBLISH)];
    let hook = Some(Hook { kind: "nat", number, priority: -100 });
    Chain { name, hook, rules: vec![rule("to this machine", [&jump])] }
}

/// Drops what pretends to be for the loopback interface, or from it. The kernel does so by itself,
/// but not where the bridge may route such addresses, and not before a published port was
/// translated. From pods come their own addresses only.
fn sources(layout: &Layout) -> Chain {
    let bridge = layout.bridge.as_str();
    let (drop, accept) = (&[Expression::Drop][..], &[Expression::Accept][..]);
    let mut rules = Vec::new();
    for address in [destination4(), source4()] {
        rules.push(rule(
            "127.0.0.1 is not reached from outside",
            [
                &from("lo", false),
                &family(IPV4),
                &[address],
                &within(Ipv4Addr::new(127, 0, 0, 0), 8, true),
                drop,
            ],
        ));
    }
    let own4 = within(layout.ipv4.network(), layout.ipv4.prefix_len(), false);
    rules.push(rule(
        "no forged sources",
        [&from(bridge, true), &family(IPV4), &[source4()], &own4, drop],
    ));
    // Neighbour discovery is without an address, or with one of the link: RFC 4861.
    for (network, prefix) in [(Ipv6Addr::UNSPECIFIED, 128), (LINK_LOCAL, 10)] {
        rules.push(rule(
            "neighbours",
            [
                &from(bridge, true),
                &family(IPV6),
                &[source6()],
                &within(network, prefix, true),
                accept,
            ],
        ));
    }
    let foreign6 = match layout.ipv6 {
        Some(subnet) => {
            let foreign = within(subnet.network(), subnet.prefix_len(), false);
            [&[source6()][..], &foreign[..]].concat()
        }
        None => Vec::new(),
    };
    rules.push(rule("no forged sources", [&from(bridge, true), &family(IPV6), &foreign6, drop]));
    let hook = Some(Hook { kind: "filter", number: PREROUTING, priority: -300 });
    Chain { name: "sources", hook, rules }
}

/// Drops what an isolated pod sends with another's address, by which it would not be known to be
/// isolated.
fn isolated_sources() -> Chain {
    let carries = |number: u16| {
        let number = Expression::Equal(number.to_be_bytes().to_vec());
        [Expression::Meta { key: Meta::Carried, word: 0 }, number]
    };
    let isolated = [Expression::Meta { key: Meta::InputName, word: 0 }, Expression::In(ISOLATED)];
    let input = Expression::Meta { key: Meta::InputName, word: 0 };
    let at = |offset, length| Expression::Payload {
        base: Base::Network,
        offset,
        length,
        word: INTERFACE_WORDS,
    };
    let drop = &[Expression::Drop][..];
    let accept = &[Expression::Accept][..];
    let mut rules = vec![rule(
        "no forged sources",
        [
            &isolated,
            &carries(IPV4_FRAME),
            &[input.clone(), at(12, 4), Expression::NotIn(OWN4)],
            drop,
        ],
    )];
    for (network, prefix) in [(Ipv6Addr::UNSPECIFIED, 128), (LINK_LOCAL, 10)] {
        rules.push(rule(
            "neighbours",
            [&isolated, &carries(IPV6_FRAME), &[source6()], &within(network, prefix, true), accept],
        ));
    }
    // The address of the sender in ARP: RFC 826.
    rules.push(rule(
        "no forged neighbours",
        [
            &isolated,
            &carries(ARP_FRAME),
            &[input.clone(), at(14, 4), Expression::NotIn(OWN4)],
            drop,
        ],
    ));
    rules.push(rule(
        "no forged sources",
        [&isolated, &carries(IPV6_FRAME), &[input, at(8, 16), Expression::NotIn(OWN6)], drop],
    ));
    let hook = Some(Hook { kind: "filter", number: PREROUTING, priority: -300 });
    Chain { name: "sources", hook, rules }
}

/// What may pass through the machine.
fn forward(layout: &Layout) -> Chain {
    let bridge = layout.bridge.as_str();
    let drop = &[Expression::Drop][..];
    let accept = &[Expression::Accept][..];
    let mut rules = Vec::new();
    let isolated: [(u8, Expression, &str); 4] = [
        (IPV4, source4(), ISOLATED4),
        (IPV4, destination4(), ISOLATED4),
        (IPV6, source6(), ISOLATED6),
        (IPV6, destination6(), ISOLATED6),
    ];
    for (number, load, set) in isolated {
        rules.push(rule(
            "isolated pods",
            [
                &from(bridge, true),
                &to(bridge, true),
                &family(number),
                &[load, Expression::In(set)],
                drop,
            ],
        ));
    }
    let inwards = [from(bridge, false), to(bridge, true)].concat();
    let answers = any_of(Expression::ConnectionState, ESTABLISHED | RELATED);
    let published = any_of(Expression::ConnectionStatus, DESTINATION_CHANGED);
    rules.push(rule("answers", [&inwards, &answers, accept]));
    rules.push(rule("published ports", [&inwards, &published, accept]));
    rules.push(rule("nothing else reaches pods", [&inwards, drop]));
    for (number, set) in [(IPV4, GUARDED4), (IPV6, GUARDED6)] {
        rules.push(rule(
            "forwarding is for pods only",
            [
                &family(number),
                &[Expression::Meta { key: Meta::InputName, word: 0 }, Expression::In(set)],
                &[Expression::Meta { key: Meta::OutputName, word: 0 }, Expression::In(set)],
                drop,
            ],
        ));
    }
    let hook = Some(Hook { kind: "filter", number: FORWARD, priority: 0 });
    Chain { name: "forward", hook, rules }
}

/// Gives connections another source where answers would not find back.
fn postrouting(layout: &Layout) -> Chain {
    let bridge = layout.bridge.as_str();
    let masquerade = &[Expression::Masquerade][..];
    let own4 = [
        &family(IPV4)[..],
        &[source4()],
        &within(layout.ipv4.network(), layout.ipv4.prefix_len(), true),
    ]
    .concat();
    let mut sources = vec![own4];
    if let Some(subnet) = layout.ipv6 {
        let within = within(subnet.network(), subnet.prefix_len(), true);
        sources.push([&family(IPV6)[..], &[source6()], &within].concat());
    }
    let published = any_of(Expression::ConnectionStatus, DESTINATION_CHANGED);
    let mut rules = Vec::new();
    for own in &sources {
        rules.push(rule("pods to the world", [&to(bridge, false), own, masquerade]));
        rules.push(rule(
            "pods to published ports",
            [&to(bridge, true), own, &published, masquerade],
        ));
    }
    rules.push(rule(
        "this machine to published ports",
        [
            &to(bridge, true),
            &family(IPV4),
            &[source4()],
            &within(Ipv4Addr::new(127, 0, 0, 0), 8, true),
            masquerade,
        ],
    ));
    let hook = Some(Hook { kind: "nat", number: POSTROUTING, priority: 100 });
    Chain { name: "postrouting", hook, rules }
}

/// The tables of a root with these pods.
pub(super) fn tables(layout: &Layout, forwarding: &Forwarding, pods: &[Member]) -> Vec<Table> {
    let set = |name, key, elements| Set { name, key, data: &[], elements };
    let names = |names: &[String]| names.iter().map(|name| (interface(name), Vec::new())).collect();
    let mut sets = pod_sets(pods);
    sets.push(set(GUARDED4, &[Type::Interface], names(&forwarding.guarded4)));
    sets.push(set(GUARDED6, &[Type::Interface], names(&forwarding.guarded6)));
    let inet = Table {
        family: Family::Inet,
        name: layout.table.clone(),
        sets,
        chains: vec![
            publish(),
            sources(layout),
            entrance("prerouting", PREROUTING),
            entrance("output", OUTPUT),
            forward(layout),
            postrouting(layout),
        ],
    };
    if !pods.iter().any(|pod| pod.isolated) {
        return vec![inet];
    }
    let side = |key| {
        let parts = [Expression::Meta { key, word: 0 }, Expression::In(ISOLATED), Expression::Drop];
        rule("isolated pods", [&parts])
    };
    let between = Chain {
        name: "forward",
        hook: Some(Hook { kind: "filter", number: FORWARD, priority: 0 }),
        rules: vec![side(Meta::InputName), side(Meta::OutputName)],
    };
    let bridge = Table {
        family: Family::Bridge,
        name: layout.table.clone(),
        sets: isolated_sets(pods),
        chains: vec![isolated_sources(), between],
    };
    vec![inet, bridge]
}
