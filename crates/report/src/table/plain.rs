use super::{Table, padded, widths};
use crate::text::{is_direction_control, isolated, single_line};

impl Table {
    /// Lines for a terminal, columns two spaces apart, a rule under the heading. Controls and direction marks become U+FFFD, so that a cell
    /// can neither move the cursor nor turn its neighbours around.
    pub fn to_plain_text(&self) -> String {
        let shown: Vec<Vec<String>> = self.shown().iter().map(|row| row.iter().map(|cell| harmless(cell)).collect()).collect();
        let widths = widths(&shown, self.columns.len(), 0);
        let line = |cells: &[String]| {
            let cells = cells.iter().enumerate().map(|(column, cell)| padded(cell, widths[column], self.side(column)));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        let rule = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  ") + "\n";
        let mut written = line(&shown[0]) + &rule;
        for cells in &shown[1..] {
            written.push_str(&line(cells));
        }
        written
    }
}

fn harmless(text: &str) -> String {
    let replaced = |character| if is_direction_control(character) { char::REPLACEMENT_CHARACTER } else { character };
    isolated(single_line(text).chars().map(replaced).collect())
}

#[cfg(test)]
mod tests {
    use crate::{Column, Table};

    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let mut table = Table::new([Column::new("name"), Column::new("value")]);
        table.row(["名前".into(), 12.5.into()]).unwrap();
        table.row(["e\u{301}\u{1b}[2J\u{202e}".into(), 1000.into()]).unwrap();
        assert_eq!(table.to_plain_text(), "name    value\n──────  ─────\n名前     12.5\ne\u{301}\u{fffd}[2J\u{fffd}   1000\n");
        table.row(["שלום".into(), 7.into()]).unwrap();
        assert!(table.to_plain_text().ends_with("\u{2068}שלום\u{2069}        7\n"), "isolated, so that the number stays where it is");
    }
}
