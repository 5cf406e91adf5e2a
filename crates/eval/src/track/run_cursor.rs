use std::{fmt, fmt::Write as _, str::FromStr};

use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Where a page of runs ends; text for a URL, of which nothing but the query that gave it makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCursor(String);

/// What the text says: the place of the last run of a page in the order of its query.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Digest of the query.
    query: String,
    /// 0 for runs with a value, 1 for NaN, 2 for those without.
    pub(super) rank: i64,
    value: Key,
    /// The number of the run.
    pub(super) n: i64,
}

/// A value that `SQLite` orders by, to the bit.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Key {
    Null,
    Integer(i64),
    Bits(u64),
    Text(String),
}

impl Position {
    pub(super) fn new(query: String, rank: i64, value: Value, n: i64) -> Self {
        let value = match value {
            Value::Integer(value) => Key::Integer(value),
            Value::Real(value) => Key::Bits(value.to_bits()),
            Value::Text(value) => Key::Text(value),
            Value::Null | Value::Blob(_) => Key::Null,
        };
        Self { query, rank, value, n }
    }

    pub(super) fn value(&self) -> Value {
        match &self.value {
            Key::Null => Value::Null,
            Key::Integer(value) => Value::Integer(*value),
            Key::Bits(bits) => Value::Real(f64::from_bits(*bits)),
            Key::Text(value) => Value::Text(value.clone()),
        }
    }

    pub(super) fn cursor(&self) -> RunCursor {
        let json = serde_json::to_vec(self).expect("a position has only texts and whole numbers");
        RunCursor(json.iter().fold(String::with_capacity(2 * json.len()), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a text does not fail");
            text
        }))
    }
}

impl RunCursor {
    /// The position in the query of this digest.
    pub(super) fn position(&self, query: &str) -> Result<Position> {
        let position = self.read().ok_or_else(|| Error::Refused("this is no cursor of a list of runs; begin without".into()))?;
        if position.query == query {
            return Ok(position);
        }
        Err(Error::Refused("the cursor is that of a list with another filter or order; begin without".into()))
    }

    fn read(&self) -> Option<Position> {
        let (pairs, rest) = self.0.as_bytes().as_chunks::<2>();
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let bytes: Option<Vec<u8>> = pairs.iter().map(|&[high, low]| Some((digit(high)? << 4 | digit(low)?) as u8)).collect();
        if rest.is_empty() { serde_json::from_slice(&bytes?).ok() } else { None }
    }
}

impl fmt::Display for RunCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RunCursor {
    type Err = Error;

    /// Takes any text; whether it is a cursor shows when a query is asked.
    fn from_str(text: &str) -> Result<Self> {
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_brings_its_position_back_to_the_bit() {
        for value in [Value::Null, Value::Integer(-7), Value::Real(f64::INFINITY), Value::Real(0.1), Value::Text("a'\0é".into())] {
            let position = Position::new("q".into(), 1, value.clone(), 9);
            let cursor: RunCursor = position.cursor().to_string().parse().unwrap();
            assert_eq!(cursor.position("q").unwrap(), position);
            assert_eq!(cursor.position("q").unwrap().value(), value);
            assert!(cursor.position("another").is_err());
        }
    }

    #[test]
    fn whatever_is_no_cursor_is_refused() {
        for text in ["", "0", "zz", "7b7d", "é", "7b"] {
            assert!(text.parse::<RunCursor>().unwrap().position("q").is_err(), "{text}");
        }
    }
}
