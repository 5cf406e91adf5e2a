use serde::Deserialize;
use serde_json::Value;

use super::BadLine;
use crate::Record;

/// Rewrites the JSON of a record from one schema to the next.
pub(super) type Upgrade = fn(Value) -> Result<Value, String>;

/// From schema 1 to 2, from 2 to 3, and so on up to [`SCHEMA`](crate::SCHEMA). A change of [`Event`](crate::Event) that old lines do not fit adds
/// one and counts the schema up; stored lines stay as they are, so that their hashes hold.
pub(super) const UPGRADES: &[Upgrade] = &[];

#[derive(Deserialize)]
struct Versioned {
    schema: u32,
}

/// Reads a line of any schema from 1 to `current`.
pub(super) fn decode(line: &[u8], upgrades: &[Upgrade], current: u32) -> Result<Record, BadLine> {
    let malformed = |error: serde_json::Error| BadLine::Malformed(error.to_string());
    let Versioned { schema } = serde_json::from_slice(line).map_err(malformed)?;
    if schema > current {
        return Err(BadLine::Newer { found: schema });
    }
    let Some(steps) = (schema as usize).checked_sub(1).and_then(|first| upgrades.get(first..)) else {
        return Err(BadLine::Malformed(format!("there is no schema {schema}")));
    };
    if steps.is_empty() {
        return serde_json::from_slice(line).map_err(malformed);
    }
    let mut value: Value = serde_json::from_slice(line).map_err(malformed)?;
    if !value.is_object() {
        return Err(BadLine::Malformed("it is no object".into()));
    }
    for (number, step) in (schema..).zip(steps) {
        value =
            step(value).map_err(|reason| BadLine::Malformed(format!("it cannot be brought from schema {number} to the next: {reason}")))?;
        if let Some(record) = value.as_object_mut() {
            record.insert("schema".into(), (number + 1).into());
        }
    }
    serde_json::from_value(value).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    /// Schema 1 called a reason `cause`.
    fn first(mut value: Value) -> Result<Value, String> {
        let event = value["event"].as_object_mut().ok_or("it has no event")?;
        if let Some(cause) = event.remove("cause") {
            event.insert("reason".into(), cause);
        }
        Ok(value)
    }

    /// Schema 2 had no dots.
    fn second(mut value: Value) -> Result<Value, String> {
        let reason = value["event"]["reason"].as_str().ok_or("it has no reason")?;
        value["event"]["reason"] = format!("{reason}.").into();
        Ok(value)
    }

    fn line(schema: u32, field: &str) -> Vec<u8> {
        format!(r#"{{"at":5,"event":{{"{field}":"why","type":"cancelled"}},"previous":"","schema":{schema},"seq":3}}"#).into_bytes()
    }

    fn reason(line: &[u8]) -> Result<String, BadLine> {
        match decode(line, &[first, second], 3)? {
            Record { schema: 3, seq: 3, event: Event::Cancelled { reason }, .. } => Ok(reason),
            record => panic!("{record:?}"),
        }
    }

    #[test]
    fn each_schema_goes_through_the_steps_after_it() {
        assert_eq!(reason(&line(1, "cause")).unwrap(), "why.");
        assert_eq!(reason(&line(2, "reason")).unwrap(), "why.");
        assert_eq!(reason(&line(3, "reason")).unwrap(), "why");
        assert_eq!(reason(&line(4, "reason")), Err(BadLine::Newer { found: 4 }));
    }

    #[test]
    fn what_a_step_cannot_read_is_named() {
        let no_event = br#"{"schema":1,"event":7}"#;
        assert!(matches!(reason(no_event), Err(BadLine::Malformed(why)) if why.contains("from schema 1") && why.contains("no event")));
        for schema in [br#"{"schema":0}"#.as_slice(), br#"{"schema":-1}"#, br"[1]", b"", br#"{"schema":1}{"schema":1}"#] {
            assert!(matches!(reason(schema), Err(BadLine::Malformed(_))));
        }
    }

    #[test]
    fn every_schema_up_to_the_current_one_has_its_step() {
        assert_eq!(UPGRADES.len() + 1, crate::SCHEMA as usize);
    }
}
