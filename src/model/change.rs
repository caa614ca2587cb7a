//! What is different between two specs of a pod, in the words of the pod file.

use toml::{Table, Value};

use super::render::{compared_values, inline};
use super::shape::{self, Kind};
use super::{ContainerName, Pod};

pub use super::shape::Effect;

/// A key whose value differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it stands: `stop_timeout`, `containers[app].memory`, `containers[app].env.TZ`.
    pub path: String,
    /// The value it had, as in the file but without quotes; `unset` or `absent` if there was none.
    pub old: String,
    /// The value it has now, likewise.
    pub new: String,
    /// What the change does to a running container.
    pub effect: Effect,
    /// The container it is about; `None` means every container of the pod.
    pub container: Option<ContainerName>,
}

/// Every difference between two specs, in the order of the file's keys.
///
/// Two equal specs have none, two different ones at least one. The content of secret mounts is
/// shown as `***`, and long values are cut.
pub fn changes(old: &Pod, new: &Pod) -> Vec<Change> {
    if old == new {
        return Vec::new();
    }
    let mut found = Changes { list: Vec::new(), container: None };
    found.tables(&shape::POD, &compared_values(old), &compared_values(new), "");
    found.list
}

/// The most characters of a value that are shown.
const SHOWN: usize = 80;

struct Changes {
    list: Vec<Change>,
    /// The container whose keys are being compared.
    container: Option<ContainerName>,
}

impl Changes {
    fn push(&mut self, path: String, old: String, new: String, effect: Effect) {
        self.list.push(Change { path, old, new, effect, container: self.container.clone() });
    }

    /// Compares two tables of one shape, key by key.
    fn tables(&mut self, shape: &shape::Table, old: &Table, new: &Table, path: &str) {
        let is_secret = |table: &Table| table.get("secret") == Some(&Value::Boolean(true));
        let secret = is_secret(old) || is_secret(new);
        for key in shape.keys {
            let (old, new) = (old.get(key.name), new.get(key.name));
            if old == new {
                continue;
            }
            let path = format!("{path}{}", key.name);
            match (&key.kind, old, new) {
                (
                    Kind::Table(shape) | Kind::Short(shape),
                    Some(Value::Table(old)),
                    Some(Value::Table(new)),
                ) => self.tables(shape, old, new, &format!("{path}.")),
                (Kind::Map(kind), Some(Value::Table(old)), Some(Value::Table(new))) => {
                    self.maps(kind, old, new, &path, key.effect);
                }
                (Kind::Tables(shape), Some(Value::Array(old)), Some(Value::Array(new))) => {
                    self.lists(shape, old, new, &path, key.effect);
                }
                _ => {
                    let masked = secret && matches!(key.name, "content" | "file");
                    let show = |value: Option<&Value>| match value {
                        Some(_) if masked => "***".to_owned(),
                        _ => show(&key.kind, value),
                    };
                    self.push(path, show(old), show(new), key.effect);
                }
            }
        }
    }

    /// Compares two tables with keys of the user's choice.
    fn maps(&mut self, kind: &Kind, old: &Table, new: &Table, path: &str, effect: Effect) {
        let added = new.keys().filter(|name| !old.contains_key(*name));
        for name in old.keys().chain(added) {
            let (old, new) = (old.get(name), new.get(name));
            if old != new {
                self.push(format!("{path}.{name}"), show(kind, old), show(kind, new), effect);
            }
        }
    }

    /// Compares two lists of tables, whose members are told apart by their identity.
    fn lists(
        &mut self,
        shape: &shape::Table,
        old: &[Value],
        new: &[Value],
        path: &str,
        effect: Effect,
    ) {
        let identity = |value: &Value| -> String {
            let key = shape.identity.unwrap_or_default();
            value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let find = |list: &[Value], id: &str| list.iter().position(|v| identity(v) == id);
        let added = new.iter().filter(|value| find(old, &identity(value)).is_none());
        for member in old.iter().chain(added) {
            let id = identity(member);
            let outer = self.container.clone();
            if std::ptr::eq(shape, &shape::CONTAINER) {
                self.container = id.parse().ok();
            }
            let here = format!("{path}[{id}]");
            let (before, after) = (find(old, &id), find(new, &id));
            match (before.and_then(|i| old[i].as_table()), after.and_then(|i| new[i].as_table())) {
                (Some(before), Some(after)) => {
                    self.tables(shape, before, after, &format!("{here}."));
                }
                (before, _) => {
                    let (was, is) = match before {
                        Some(_) => ("present", "absent"),
                        None => ("absent", "present"),
                    };
                    self.push(here, was.to_owned(), is.to_owned(), Effect::Replace);
                }
            }
            self.container = outer;
        }
        let order = |list: &[Value], other: &[Value]| -> Vec<String> {
            let kept = |id: &String| find(other, id).is_some();
            list.iter().map(identity).filter(kept).collect()
        };
        let (before, after) = (order(old, new), order(new, old));
        if before != after {
            self.push(path.to_owned(), before.join(", "), after.join(", "), effect);
        }
    }
}

/// A value for people: strings without quotes, and not all of what is long.
fn show(kind: &Kind, value: Option<&Value>) -> String {
    let text = match value {
        None => return "unset".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => inline(kind, value),
    };
    match text.char_indices().nth(SHOWN) {
        None => text,
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

#[cfg(test)]
mod tests;
