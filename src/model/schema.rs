//! The JSON Schemas of the pod file and of `config.toml`, for editors.

use serde_json::{Map, Value, json};

use super::shape::{self, Key, Kind, Presence, Table};

/// The schema, in the dialect of draft 2020-12.
///
/// It knows keys, types, words and patterns. What depends on two keys at once is left to
/// [`parse`](super::file::parse).
pub fn json_schema() -> Value {
    let definitions: Map<String, Value> = shape::ALL
        .iter()
        .filter(|table| !std::ptr::eq(**table, &shape::FILE))
        .map(|table| (definition_name(table).to_owned(), table_schema(table)))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tank pod file",
        "description": "One pod, or several as [[pods]].",
        "type": "object",
        "if": { "required": ["pods"] },
        "then": table_schema(&shape::FILE),
        "else": reference(&shape::POD),
        "$defs": definitions,
    })
}

/// The schema of `config.toml`, in the same dialect.
pub fn settings_schema() -> Value {
    let definitions: Map<String, Value> = shape::SETTINGS
        .iter()
        .filter(|table| !std::ptr::eq(**table, &shape::CONFIG))
        .map(|table| (definition_name(table).to_owned(), table_schema(table)))
        .collect();
    let mut schema = table_schema(&shape::CONFIG);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "tank config.toml".into();
    schema["$defs"] = definitions.into();
    schema
}

/// `container` for the table of `a container`.
fn definition_name(table: &Table) -> &'static str {
    let name = table.name.trim_start_matches('[').trim_end_matches(']');
    name.strip_prefix("a ").or(name.strip_prefix("an ")).unwrap_or(name)
}

fn reference(table: &Table) -> Value {
    json!({ "$ref": format!("#/$defs/{}", definition_name(table).replace(' ', "%20")) })
}

fn table_schema(table: &Table) -> Value {
    let properties: Map<String, Value> =
        table.keys.iter().map(|key| (key.name.to_owned(), key_schema(key))).collect();
    let required = table.keys.iter().filter(|key| key.presence == Presence::Required);
    json!({
        "type": "object",
        "description": table.doc,
        "properties": properties,
        "required": required.map(|key| key.name).collect::<Vec<_>>(),
        "additionalProperties": false,
    })
}

fn key_schema(key: &Key) -> Value {
    let mut schema = kind_schema(&key.kind);
    schema["description"] = key.doc.into();
    if let Presence::Default(text) = key.presence {
        schema["default"] = match key.kind {
            Kind::Boolean => (text == "true").into(),
            Kind::Integer { .. } => text.parse::<u64>().map_or(Value::Null, Value::from),
            Kind::Array(_) | Kind::Tables(_) => json!([]),
            Kind::Map(_) | Kind::Table(_) => json!({}),
            _ => text.into(),
        };
    }
    if matches!(key.kind, Kind::Tables(_)) && key.presence == Presence::Required {
        schema["minItems"] = 1.into();
    }
    schema
}

fn kind_schema(kind: &Kind) -> Value {
    let with_pattern = |mut schema: Value, pattern: &str| {
        if !pattern.is_empty() {
            schema["pattern"] = pattern.into();
        }
        schema
    };
    match kind {
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Number => json!({ "type": "number", "exclusiveMinimum": 0 }),
        Kind::Text(pattern) => with_pattern(json!({ "type": "string" }), pattern),
        Kind::TextOrInteger(pattern) => {
            with_pattern(json!({ "type": ["string", "integer"], "minimum": 0 }), pattern)
        }
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Array(kind) => json!({ "type": "array", "items": kind_schema(kind) }),
        Kind::Map(kind) => json!({ "type": "object", "additionalProperties": kind_schema(kind) }),
        Kind::Table(table) => reference(table),
        Kind::Tables(table) => json!({ "type": "array", "items": reference(table) }),
        Kind::Short(table) => {
            let first = table.keys.first().map(|key| kind_schema(&key.kind));
            json!({ "anyOf": [first, reference(table)] })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_every_table_is_described() {
        let schema = json_schema();
        for table in shape::ALL {
            let described = match std::ptr::eq(table, &shape::FILE) {
                true => &schema["then"],
                false => &schema["$defs"][definition_name(table)],
            };
            assert_eq!(described["additionalProperties"], false, "{}", table.name);
            for key in table.keys {
                let property = &described["properties"][key.name];
                let description = property["description"].as_str().unwrap_or_default();
                assert!(description.starts_with(key.doc), "{} {}", table.name, key.name);
            }
        }
    }

    #[test]
    fn every_key_of_the_settings_is_described() {
        let schema = settings_schema();
        for table in [&shape::REGISTRIES, &shape::IMAGES, &shape::NETWORK] {
            let described = &schema["$defs"][definition_name(table)];
            assert_eq!(described["additionalProperties"], false, "{}", table.name);
            for key in table.keys {
                assert_eq!(described["properties"][key.name]["description"], key.doc);
            }
        }
        assert_eq!(schema["properties"]["images"]["$ref"], "#/$defs/images");
        assert_eq!(schema["properties"]["network"]["$ref"], "#/$defs/network");
    }

    #[test]
    fn defaults_have_the_type_of_their_key() {
        let container = &json_schema()["$defs"]["container"]["properties"];
        assert_eq!(container["pids"]["default"], 2048);
        assert_eq!(container["tty"]["default"], false);
        assert_eq!(container["env"]["default"], json!({}));
        assert_eq!(container["seccomp"]["default"], "default");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(map) => {
                    found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    map.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let schema = json_schema();
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(found.len() > 8);
        for reference in found {
            let pointer = reference.trim_start_matches('#').replace("%20", " ");
            assert!(schema.pointer(&pointer).is_some(), "{reference}");
        }
    }
}
