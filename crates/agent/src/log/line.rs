use jarre_core::Timestamp;
use serde::Serialize;

use super::upgrade::{self, UPGRADES};
use crate::{Event, Record, SCHEMA};

/// A line that is no record of a log, or one that this version does not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadLine {
    /// It is not the JSON of a record.
    #[error("it is no record: {0}")]
    Malformed(String),
    /// A later version wrote it.
    #[error("it is of schema {found}, and this version reads up to {SCHEMA}: read it with the version that wrote it, or a later one")]
    Newer {
        /// The schema of the line.
        found: u32,
    },
}

/// The line that a record is stored as: JSON without white space, the keys of every object in the order of their bytes, so that the same record
/// has the same bytes whatever it was built with.
///
/// # Errors
/// [`Malformed`](BadLine::Malformed) where the line could not be read again, because a tool's data is nested more than about 120 deep.
///
/// ```
/// use jarre_agent::{Event, Record, SCHEMA, log};
/// use jarre_core::Timestamp;
///
/// let event = Event::Cancelled { reason: "enough".into() };
/// let record = Record { schema: SCHEMA, seq: 7, at: Timestamp::UNIX_EPOCH, previous: log::digest(b"the line before"), event };
/// let line = log::encode(&record)?;
/// assert!(line.starts_with(br#"{"at":0,"event":{"reason":"enough","type":"cancelled"},"previous":""#));
/// assert_eq!(log::decode(&line)?, record);
/// # Ok::<(), log::BadLine>(())
/// ```
pub fn encode(record: &Record) -> Result<Vec<u8>, BadLine> {
    let line = canonical(record)?;
    decode(&line)?;
    Ok(line)
}

/// The record in a line, brought to the schema of this version.
///
/// # Errors
/// Where it is none, or a later version wrote it.
pub fn decode(line: &[u8]) -> Result<Record, BadLine> {
    if !line.starts_with(b"{") {
        return Err(BadLine::Malformed("it does not begin with `{`".into()));
    }
    match serde_json::from_slice::<Record>(line) {
        Ok(record) if record.schema == SCHEMA => Ok(record),
        _ => upgrade::decode(line, UPGRADES, SCHEMA),
    }
}

/// BLAKE3 of a line, in hex: what the next record holds as `previous`. That of a run's name is what the first one holds.
pub fn digest(line: &[u8]) -> String {
    blake3::hash(line).to_hex().to_string()
}

/// The record and its line that follow on `previous`, the record as whoever reads the line has it.
pub(super) fn link(seq: u64, previous: &str, event: Event, at: Timestamp) -> Result<(Record, Vec<u8>), BadLine> {
    let line = canonical(&Record { schema: SCHEMA, seq, at, previous: previous.to_owned(), event })?;
    Ok((decode(&line)?, line))
}

/// JSON with sorted keys, also where a crate of the same build has `serde_json` keep keys in the order of their insertion.
pub(crate) fn canonical(value: &impl Serialize) -> Result<Vec<u8>, BadLine> {
    let malformed = |error: serde_json::Error| BadLine::Malformed(error.to_string());
    let mut value = serde_json::to_value(value).map_err(malformed)?;
    value.sort_all_objects();
    serde_json::to_vec(&value).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use jarre_core::ToolOutput;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn finished(data: Value) -> Record {
        let output = ToolOutput::new("text").with_data(data);
        let event = Event::ToolFinished { key: "k".into(), output, took: std::time::Duration::from_nanos(1) };
        Record { schema: SCHEMA, seq: 0, at: Timestamp::MIN, previous: digest(b"run"), event }
    }

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!(1), |inner, _| json!([inner]))
    }

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let line = encode(&finished(json!({"b": {"z": 1, "a": [{"d": 1, "c": 2}]}, "a": null}))).unwrap();
        let text = String::from_utf8(line).unwrap();
        assert!(text.contains(r#""data":{"a":null,"b":{"a":[{"c":2,"d":1}],"z":1}}"#), "{text}");
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        assert!(encode(&finished(nested(100))).is_ok());
        assert!(matches!(encode(&finished(nested(200))), Err(BadLine::Malformed(_))));
        assert!(matches!(link(0, "", finished(nested(200)).event, Timestamp::MIN), Err(BadLine::Malformed(_))));
    }

    #[test]
    fn a_later_schema_is_named_even_where_the_line_would_fit() {
        let line = String::from_utf8(encode(&finished(json!(null))).unwrap()).unwrap();
        let newer = line.replace(r#""schema":1"#, r#""schema":2"#);
        assert_eq!(decode(newer.as_bytes()), Err(BadLine::Newer { found: 2 }));
        assert_eq!(decode(br#"{"schema":4294967295,"unknown":[]}"#), Err(BadLine::Newer { found: u32::MAX }));
        assert!(matches!(decode(br#"{"schema":1,"seq":0}"#), Err(BadLine::Malformed(_))));
        assert!(matches!(decode(br#"{"schema":0}"#), Err(BadLine::Malformed(_))));
        let fields = br#"[1,0,5,"",{"type":"remembered"}]"#;
        assert!(matches!(decode(fields), Err(BadLine::Malformed(_))), "an array of the fields is no record");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text: String, seq: u64, at: i64) {
            let event = Event::Cancelled { reason: text };
            let record = Record { schema: SCHEMA, seq, at: Timestamp::from_unix_micros(at), previous: String::new(), event };
            prop_assert_eq!(decode(&encode(&record).unwrap()).unwrap(), record);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
