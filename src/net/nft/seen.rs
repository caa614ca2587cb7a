//! What there is of a table, and how it differs from what it should be.

use std::collections::BTreeMap;

use super::Nft;
use super::ruleset::{BySet, Elements, FORWARD, Family, Hook, Rule, Table, kind_of, length_of};
use crate::net::attribute::{Attributes, be32, find, read, text};
use crate::net::error::Result;

/// `NFT_MSG_GETCHAIN`, and so on.
const GET_TABLE: u8 = 1;
const GET_CHAIN: u8 = 4;
const GET_RULE: u8 = 7;
const GET_SET: u8 = 10;
const GET_ELEMENTS: u8 = 13;

/// The number of elements from which a set is large, and how often it is read at most.
const LARGE: usize = 512;
const READS: usize = 8;

/// `NF_DROP` and `NF_ACCEPT`
const DROP: u32 = 0;
const ACCEPT: u32 = 1;

/// A table as the kernel has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::net) struct Seen {
    /// Whether it is there, and with what flags: `NFT_TABLE_F_DORMANT`.
    flags: Option<u32>,
    /// Its chains, with kind, hook, priority and policy of those that have one.
    chains: BTreeMap<String, Option<(String, u32, i32, u32)>>,
    /// The comments of its rules, with their chains, in their order.
    rules: Vec<(String, String)>,
    /// Its sets: types and lengths of key and data.
    sets: BTreeMap<String, [u32; 4]>,
    /// Their elements.
    pub(in crate::net) elements: BySet,
}

/// How a table differs from what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::net) enum Difference {
    /// Not at all.
    None,
    /// It has to be made anew, because of this.
    Structure(String),
    /// Only elements of its sets differ.
    Elements {
        /// By set, those that are missing or have other data.
        missing: BySet,
        /// By set, those that should not be there.
        surplus: BySet,
    },
}

impl Nft {
    /// Looks at a table; nothing is seen of one that is not there.
    pub(in crate::net) fn look(&mut self, family: Family, table: &str) -> Result<Seen> {
        let named = Attributes::new().text(1, table);
        let of_table = |payload: &[u8]| find(payload, 1).is_some_and(|name| text(name) == table);
        let tables = self.list(GET_TABLE, family, &Attributes::new(), |payload| {
            let flags = find(payload, 2).and_then(be32).unwrap_or_default();
            of_table(payload).then_some(flags)
        })?;
        let Some(flags) = tables.first().copied() else { return Ok(Seen::default()) };
        let chains = self.list(GET_CHAIN, family, &Attributes::new(), |payload| {
            let name = text(find(payload, 3)?);
            of_table(payload).then_some((name, hook(payload)))
        })?;
        let rules = self.list(GET_RULE, family, &named, |payload| {
            let comment = find(payload, 7).and_then(comment).unwrap_or_default();
            of_table(payload).then_some((text(find(payload, 2)?), comment))
        })?;
        let sets = self.list(GET_SET, family, &named, |payload| {
            let number = |kind| find(payload, kind).and_then(be32).unwrap_or_default();
            let shape = [number(4), number(5), number(6), number(7)];
            of_table(payload).then_some((text(find(payload, 2)?), shape))
        })?;
        let mut elements = BTreeMap::new();
        for (set, _) in &sets {
            elements.insert(set.clone(), self.elements(family, table, set)?);
        }
        Ok(Seen {
            flags: Some(flags),
            chains: chains.into_iter().collect(),
            rules,
            sets: sets.into_iter().collect(),
            elements,
        })
    }
}

impl Nft {
    /// The elements of a set. A large one may still be growing its hash table, from which some are
    /// missing meanwhile without a word: it is read until it stays as it is.
    fn elements(&mut self, family: Family, table: &str, set: &str) -> Result<Elements> {
        let mut elements = self.elements_now(family, table, set)?;
        for _ in 0..READS {
            if elements.len() < LARGE {
                break;
            }
            let again = self.elements_now(family, table, set)?;
            let same = again == elements;
            elements = again;
            if same {
                break;
            }
        }
        Ok(elements)
    }

    fn elements_now(&mut self, family: Family, table: &str, set: &str) -> Result<Elements> {
        let named = Attributes::new().text(1, table).text(2, set);
        let lists = self.list(GET_ELEMENTS, family, &named, |payload| {
            Some(read(find(payload, 3)?).filter_map(|(_, one)| element(one)).collect())
        })?;
        Ok(lists.into_iter().flat_map(|list: Elements| list).collect())
    }

    /// The chains of this machine that see forwarded packets and drop those that no rule of theirs
    /// knows, each after its table.
    pub(in crate::net) fn forwarding_policies(&mut self) -> Result<Vec<(String, String)>> {
        let mut chains = Vec::new();
        for family in [Family::Inet, Family::Ip, Family::Ip6] {
            chains.extend(self.list(GET_CHAIN, family, &Attributes::new(), |payload| {
                let (kind, number, _, policy) = hook(payload)?;
                let table = format!("{} {}", family.name(), text(find(payload, 1)?));
                (kind == "filter" && number == FORWARD && policy == DROP)
                    .then_some((table, text(find(payload, 3)?)))
            })?);
        }
        Ok(chains)
    }
}

/// Kind, hook, priority and policy of a chain.
fn hook(payload: &[u8]) -> Option<(String, u32, i32, u32)> {
    let hook = find(payload, 4)?;
    let number = be32(find(hook, 1)?)?;
    let priority = be32(find(hook, 2)?)?.cast_signed();
    let policy = find(payload, 5).and_then(be32).unwrap_or(ACCEPT);
    Some((text(find(payload, 7)?), number, priority, policy))
}

/// The comment in the user data of a rule: type 0, length, text.
fn comment(data: &[u8]) -> Option<String> {
    match data {
        [0, length, rest @ ..] => Some(text(rest.get(..usize::from(*length))?)),
        _ => None,
    }
}

/// Key and data of an element.
fn element(payload: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let value = |kind| find(find(payload, kind)?, 1).map(<[u8]>::to_vec);
    Some((value(1)?, value(2).unwrap_or_default()))
}

impl Seen {
    /// Whether there is such a table.
    pub(in crate::net) fn exists(&self) -> bool {
        self.flags.is_some()
    }

    /// Compares a table with what it should be.
    pub(in crate::net) fn difference(&self, wanted: &Table) -> Difference {
        if let Some(cause) = self.broken(wanted) {
            let table = format!("{} {}", wanted.family.name(), wanted.name);
            return Difference::Structure(format!("firewall table {table} {cause}"));
        }
        let (mut missing, mut surplus) = (BTreeMap::new(), BTreeMap::new());
        let none = Elements::new();
        for set in &wanted.sets {
            let seen = self.elements.get(set.name).unwrap_or(&none);
            let lacks = without(&set.elements, seen);
            let has = without(seen, &set.elements);
            if !lacks.is_empty() {
                missing.insert(set.name.to_owned(), lacks);
            }
            if !has.is_empty() {
                surplus.insert(set.name.to_owned(), has);
            }
        }
        if missing.is_empty() && surplus.is_empty() {
            return Difference::None;
        }
        Difference::Elements { missing, surplus }
    }

    /// What is wrong with everything but elements.
    fn broken(&self, wanted: &Table) -> Option<String> {
        if !self.exists() {
            return Some("is missing".to_owned());
        }
        if self.flags != Some(0) {
            return Some("is dormant".to_owned());
        }
        let place = |hook: &Hook| (hook.kind.to_owned(), hook.number, hook.priority, ACCEPT);
        let is_known = |name: &String| wanted.chains.iter().any(|chain| chain.name == name);
        if let Some(name) = self.chains.keys().find(|name| !is_known(name)) {
            return Some(format!("has a chain {name}, which is not tank's"));
        }
        for chain in &wanted.chains {
            match self.chains.get(chain.name) {
                Some(seen) if *seen == chain.hook.as_ref().map(place) => {}
                Some(_) => return Some(format!("has another chain {}", chain.name)),
                None => return Some(format!("lacks its chain {}", chain.name)),
            }
        }
        for set in &wanted.sets {
            let data = match set.data {
                [] => [0, 0],
                data => [kind_of(data), length_of(data)],
            };
            let shape = [kind_of(set.key), length_of(set.key), data[0], data[1]];
            if self.sets.get(set.name) != Some(&shape) {
                return Some(format!("lacks its set {}", set.name));
            }
        }
        for chain in &wanted.chains {
            let seen = self.rules.iter().filter(|(name, _)| name == chain.name);
            if !chain.rules.iter().map(Rule::note).eq(seen.map(|(_, note)| note.clone())) {
                return Some(format!("has other rules in its chain {}", chain.name));
            }
        }
        None
    }
}

/// The elements of `all` that `others` does not have as they are.
fn without(all: &Elements, others: &Elements) -> Elements {
    all.iter()
        .filter(|(key, data)| others.get(*key) != Some(*data))
        .map(|(key, data)| (key.clone(), data.clone()))
        .collect()
}
