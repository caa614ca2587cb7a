//! How the tables are written down: a key with what is usual, and what is special about it.

use super::{Effect, Key, Kind, Presence};

pub(super) const NAME: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
pub(super) const PATH: &str = "^/";
pub(super) const DURATION: &str = r"^([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+$";
pub(super) const SIZE: &str = r"^[0-9]+(\.[0-9]+)? ?([KMGT]iB?|[kMGT]B?|B)?$";
pub(super) const ADDRESS: &str = "^[0-9a-fA-F.:]+$";
pub(super) const ANY: &str = "";

/// A key that may be left out, and whose change replaces the container.
pub(super) const fn key(
    name: &'static str,
    kind: Kind,
    doc: &'static str,
    example: &'static str,
) -> Key {
    let (presence, effect) = (Presence::Optional, Effect::Replace);
    Key { name, kind, doc, presence, example, effect }
}

impl Key {
    pub(super) const fn required(mut self) -> Self {
        self.presence = Presence::Required;
        self
    }

    pub(super) const fn default(mut self, value: &'static str) -> Self {
        self.presence = Presence::Default(value);
        self
    }

    pub(super) const fn live(mut self) -> Self {
        self.effect = Effect::Live;
        self
    }
}
