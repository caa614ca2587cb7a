//! Writing a pod in the format of the pod file.

mod quote;
mod values;

use toml::{Table, Value};

use super::Pod;
use super::shape::{self, Kind};

pub(super) use values::compared_values;
use values::pod_values;

/// The pod as a file of one pod: its keys in the order of [`shape`], without those that say what
/// leaving them out would say. Reading it gives the same pod.
pub fn to_toml(pod: &Pod) -> String {
    let mut values = pod_values(pod);
    if pod.hostname == pod.name.as_str() {
        values.remove("hostname");
    }
    let mut text = String::new();
    write_table(&mut text, &shape::POD, &values, "");
    text
}

/// Writes the keys of a table, then the tables in it under headers of their own, whose names start
/// with `path`.
fn write_table(text: &mut String, shape: &shape::Table, values: &Table, path: &str) {
    for key in shape.keys {
        let Some(value) = values.get(key.name).filter(|value| !key.is_default(value)) else {
            continue;
        };
        let name = format!("{path}{}", key.name);
        match (&key.kind, value) {
            (Kind::Tables(shape), Value::Array(items)) => {
                for item in items.iter().filter_map(Value::as_table) {
                    text.extend(["\n[[", &name, "]]\n"]);
                    write_table(text, shape, item, &format!("{name}."));
                }
            }
            (Kind::Table(shape), Value::Table(table)) if !shape.inline => {
                text.extend(["\n[", &name, "]\n"]);
                write_table(text, shape, table, &format!("{name}."));
            }
            _ => text.extend([key.name, " = ", &inline(&key.kind, value), "\n"]),
        }
    }
}

/// A value on one line, but for strings of several.
pub(super) fn inline(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (_, Value::String(text)) => quote::string(text),
        (Kind::Array(kind), Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|item| inline(kind, item)).collect();
            format!("[{}]", items.join(", "))
        }
        (Kind::Map(kind), Value::Table(table)) => {
            braces(table.iter().map(|(name, value)| (quote::key(name), inline(kind, value))))
        }
        (Kind::Table(shape) | Kind::Short(shape), Value::Table(table)) => {
            let written = shape.keys.iter().filter_map(|key| {
                let value = table.get(key.name).filter(|value| !key.is_default(value))?;
                Some((key.name.to_owned(), inline(&key.kind, value)))
            });
            let written: Vec<(String, String)> = written.collect();
            match (kind, written.as_slice()) {
                (Kind::Short(shape), [(name, value)]) if name == shape.keys[0].name => {
                    value.clone()
                }
                _ => braces(written.into_iter()),
            }
        }
        _ => value.to_string(),
    }
}

fn braces(entries: impl Iterator<Item = (String, String)>) -> String {
    let entries: Vec<String> = entries.map(|(key, value)| format!("{key} = {value}")).collect();
    match entries.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{ {} }}", entries.join(", ")),
    }
}

#[cfg(test)]
mod tests;
