use serde_json::{Value, json};

use super::{Cell, Table};

impl Table {
    /// A JSON object of `columns` (names) and `rows` (arrays in the same order), with numbers in full, an estimate as
    /// `{"value", "low", "high"}`, and `null` for what is missing or not finite.
    pub fn to_json(&self) -> String {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let rows: Vec<Vec<Value>> = self.rows.iter().map(|row| row.iter().map(value).collect()).collect();
        json!({ "columns": columns, "rows": rows }).to_string()
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Missing => Value::Null,
        Cell::Text(text) => text.as_str().into(),
        Cell::Integer(value) => integer(*value),
        Cell::Number(value) => (*value).into(),
        // In the order of the alphabet, so that it is the same with and without serde_json's `preserve_order`.
        Cell::Estimate { value, low, high } => json!({ "high": high, "low": low, "value": value }),
    }
}

/// A number where 64 bits hold it, else its digits.
fn integer(value: i128) -> Value {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => value.into(),
        (_, Ok(value)) => value.into(),
        _ => value.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    #[test]
    fn numbers_are_written_in_full() {
        let mut table = Table::new([Column::new("a\"b"), Column::new("n")]);
        table.row([0.1.into(), u64::MAX.into()]).unwrap();
        table.row([f64::NAN.into(), Cell::Integer(i128::MAX)]).unwrap();
        table.row([Cell::Estimate { value: 1.5, low: 1.0, high: f64::INFINITY }, Cell::Missing]).unwrap();
        let expected = r#"{"columns":["a\"b","n"],"rows":[[0.1,18446744073709551615],[null,"170141183460469231731687303715884105727"],[{"high":null,"low":1.0,"value":1.5},null]]}"#;
        let parsed: Value = serde_json::from_str(&table.to_json()).unwrap();
        assert_eq!(parsed, serde_json::from_str::<Value>(expected).unwrap());
    }
}
