use super::{Align, Table, padded, widths};
use crate::text::single_line;

impl Table {
    /// A Markdown table as GitHub and `CommonMark` renderers with tables read it, its columns padded so that the source reads well too. What
    /// Markdown or HTML would take for markup is escaped.
    pub fn to_markdown(&self) -> String {
        if self.columns.is_empty() {
            return String::new();
        }
        let shown: Vec<Vec<String>> = self.shown().iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
        let widths = widths(&shown, self.columns.len(), 3);
        let mut written = String::new();
        for (row, cells) in shown.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                written.push_str("| ");
                written.push_str(&padded(cell, widths[column], self.side(column)));
                written.push(' ');
            }
            written.push_str("|\n");
            if row == 0 {
                written.push_str(&self.rule(&widths));
            }
        }
        written
    }

    fn rule(&self, widths: &[usize]) -> String {
        let dashes = |count: usize| "-".repeat(count);
        let cell = |(column, width): (usize, &usize)| match self.side(column) {
            Align::Left => format!("| :{} ", dashes(width - 1)),
            Align::Right => format!("| {}: ", dashes(width - 1)),
            Align::Center => format!("| :{}: ", dashes(width - 2)),
        };
        widths.iter().enumerate().map(cell).collect::<Vec<_>>().concat() + "|\n"
    }
}

/// One line without markup. An underscore within a word is none.
fn escaped(text: &str) -> String {
    let line: Vec<char> = single_line(text).trim().chars().collect();
    let mut escaped = String::with_capacity(text.len());
    for (place, character) in line.iter().enumerate() {
        let inside_a_word = || {
            let word = |neighbour: Option<&char>| neighbour.is_some_and(|character| character.is_alphanumeric());
            place > 0 && word(line.get(place - 1)) && word(line.get(place + 1))
        };
        let markup = match character {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '$' => true,
            '&' => line.get(place + 1).is_some_and(|next| next.is_alphanumeric() || *next == '#'),
            '_' => !inside_a_word(),
            _ => false,
        };
        if markup {
            escaped.push('\\');
        }
        escaped.push(*character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    #[test]
    fn markup_is_escaped_and_words_are_left_alone() {
        assert_eq!(
            escaped("top_p _x_ a*b | <b> [l](u) R&D &amp; `c`\n$x$"),
            "top_p \\_x\\_ a\\*b \\| \\<b\\> \\[l\\](u) R\\&D \\&amp; \\`c\\` \\$x\\$"
        );
        assert_eq!(escaped("AT & T"), "AT & T");
    }

    #[test]
    fn every_side_has_its_rule() {
        let columns = [Align::Left, Align::Right, Align::Center].map(|align| Column::new("c").align(align));
        let mut table = Table::new(columns);
        table.row(["a".into(), "b".into(), "名".into()]).unwrap();
        assert_eq!(table.to_markdown(), "| c   |   c |  c  |\n| :-- | --: | :-: |\n| a   |   b | 名  |\n");
        assert_eq!(Table::new([]).to_markdown(), "");
    }
}
