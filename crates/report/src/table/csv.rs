use super::{Cell, Table};

impl Table {
    /// CSV (RFC 4180: commas, CRLF, quotes doubled), numbers in full, an estimate as three columns `name`, `name low`, `name high`, what is
    /// missing as an empty field.
    ///
    /// A spreadsheet computes a field that begins like a formula, whoever wrote it. Text that begins with `=`, `+`, `-`, `@`, a tab or a
    /// line break, also after spaces or in its full-width form, gets an apostrophe in front; numbers do not.
    pub fn to_csv(&self) -> String {
        let wide: Vec<bool> =
            (0..self.columns.len()).map(|column| self.rows.iter().any(|row| matches!(row[column], Cell::Estimate { .. }))).collect();
        let mut heading = Vec::new();
        for (column, wide) in self.columns.iter().zip(&wide) {
            heading.push(text_field(&column.name));
            if *wide {
                heading.extend(["low", "high"].map(|bound| text_field(&format!("{} {bound}", column.name))));
            }
        }
        let mut written = record(&heading);
        for row in &self.rows {
            let fields: Vec<String> = row.iter().zip(&wide).flat_map(|(cell, wide)| fields(cell, *wide)).collect();
            written.push_str(&record(&fields));
        }
        written
    }
}

fn record(fields: &[String]) -> String {
    fields.join(",") + "\r\n"
}

fn fields(cell: &Cell, wide: bool) -> Vec<String> {
    let mut fields = match cell {
        Cell::Missing => vec![String::new()],
        Cell::Text(text) => vec![text_field(text)],
        Cell::Integer(value) => vec![value.to_string()],
        Cell::Number(value) => vec![value.to_string()],
        Cell::Estimate { value, low, high } => [value, low, high].map(f64::to_string).into(),
    };
    fields.resize(if wide { 3 } else { 1 }, String::new());
    fields
}

fn text_field(text: &str) -> String {
    let text: String = text.chars().filter(|character| *character != '\0').collect();
    let guarded = if begins_a_formula(&text) { format!("'{text}") } else { text };
    if guarded.contains([',', '"', '\n', '\r']) || guarded.trim() != guarded {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// The openers that OWASP's page on CSV injection names.
fn begins_a_formula(text: &str) -> bool {
    let openers = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(openers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    #[test]
    fn fields_are_quoted_where_needed() {
        assert_eq!(text_field("plain"), "plain");
        assert_eq!(text_field("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(text_field("two\nlines"), "\"two\nlines\"");
    }

    #[test]
    fn a_formula_stays_text() {
        for text in ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "  =1", "＝1", "\0=1"] {
            let field = text_field(text);
            assert!(field.trim_start_matches('"').starts_with('\''), "{field}");
        }
        let mut table = Table::new([Column::new("=x"), Column::new("value")]);
        table.row([Cell::Missing, (-1.5).into()]).unwrap();
        assert_eq!(table.to_csv(), "'=x,value\r\n,-1.5\r\n");
    }

    #[test]
    fn estimates_take_three_columns() {
        let mut table = Table::new([Column::new("r"), Column::new("n")]);
        table.row([Cell::Estimate { value: 0.5, low: 0.25, high: 0.75 }, 3.into()]).unwrap();
        table.row([Cell::Number(1.0 / 3.0), 4.into()]).unwrap();
        assert_eq!(table.to_csv(), "r,r low,r high,n\r\n0.5,0.25,0.75,3\r\n0.3333333333333333,,,4\r\n");
    }
}
