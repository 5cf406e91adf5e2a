use super::{
    rules::Rules,
    script::is_unspaced,
    table::{self, Cell, cells, is_marker},
    words::Line,
};

/// A table or a paragraph of a page.
#[derive(Debug)]
pub(super) enum Piece {
    /// Rows of text.
    Table(Vec<String>),
    /// A paragraph, a heading or an item.
    Prose(Prose),
}

/// A run of lines that belong together.
#[derive(Debug)]
pub(super) struct Prose {
    /// Its lines, joined.
    pub(super) text: String,
    /// Font size of most of it, in points.
    pub(super) size: f32,
    /// Whether all of it is bold.
    pub(super) bold: bool,
    /// Whether it begins with the mark of a list item.
    pub(super) item: bool,
    /// How many lines it stands on.
    pub(super) lines: usize,
}

/// Appends the tables and paragraphs that `lines`, which stand in one column, make.
pub(super) fn read(lines: &[Line], rules: &Rules, pieces: &mut Vec<Piece>) {
    let rows: Vec<Vec<Cell>> = lines.iter().map(|line| cells(line, rules)).collect();
    let column = Column::of(lines, &rows);
    let mut at = 0;
    while at < lines.len() {
        let leading = table::leading(&lines[at..], &rows[at..], rules);
        let end = at + leading.lines.max(1);
        match leading.table {
            Some(table) => pieces.push(Piece::Table(table)),
            None => (at..end).for_each(|index| column.add(lines, &rows, index, pieces)),
        }
        at = end;
    }
}

impl Prose {
    fn of(line: &Line, text: String) -> Self {
        let item = starts_item(&text);
        Self { text, size: line.size, bold: line.bold(), item, lines: 1 }
    }

    /// Appends a line: a word broken at its end is made whole, and Chinese and Japanese are joined without a space.
    fn add(&mut self, line: &str) {
        let ends_broken = self.text.ends_with(['-', '\u{2010}']) && self.text.chars().rev().nth(1).is_some_and(char::is_alphabetic);
        if ends_broken && line.starts_with(char::is_lowercase) {
            self.text.pop();
        } else if !(self.text.ends_with(is_unspaced) && line.starts_with(is_unspaced)) {
            self.text.push(' ');
        }
        self.text.push_str(line);
        self.lines += 1;
    }
}

fn starts_item(text: &str) -> bool {
    let Some((first, rest)) = text.split_once(' ') else { return false };
    let is_bullet = first.chars().count() == 1
        && !first.contains(char::is_alphanumeric)
        && !first.contains(['$', '\u{a7}', '"', '&', '+', '=', '|', '\u{2014}']);
    // A capital and a full stop are a person's initial as often as a mark.
    let is_number = first.ends_with(['.', ')']) && is_marker(first) && !first.starts_with(char::is_uppercase);
    !rest.trim().is_empty() && (is_bullet || is_number)
}

/// What the lines of a column have in common.
struct Column {
    left: f32,
    right: f32,
    /// Usual distance from baseline to baseline, in font sizes.
    pitch: f32,
}

impl Column {
    fn of(lines: &[Line], rows: &[Vec<Cell>]) -> Self {
        let left = lines.iter().map(Line::x0).fold(f32::INFINITY, f32::min);
        let right = lines.iter().map(Line::x1).fold(f32::NEG_INFINITY, f32::max);
        let pairs = lines.windows(2).zip(rows.windows(2)).filter(|(_, rows)| rows[0].len() == 1 && rows[1].len() == 1);
        let mut pitches: Vec<f32> = pairs.map(|(pair, _)| (pair[1].y - pair[0].y) / pair[1].size).filter(|pitch| *pitch < 2.5).collect();
        pitches.sort_by(f32::total_cmp);
        // The lower quartile: where paragraphs are short, most distances are those between paragraphs.
        Self { left, right, pitch: pitches.get(pitches.len() / 4).copied().unwrap_or(1.2) }
    }

    /// Appends a line of running text to the paragraph before it, or as a new one.
    fn add(&self, lines: &[Line], rows: &[Vec<Cell>], index: usize, pieces: &mut Vec<Piece>) {
        let text = rows[index].iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" ");
        let above = index.checked_sub(1).map(|above| &lines[above]);
        match (above, pieces.last_mut()) {
            (Some(above), Some(Piece::Prose(prose))) if self.continues(above, &lines[index], prose, &text) => prose.add(&text),
            _ => pieces.push(Piece::Prose(Prose::of(&lines[index], text))),
        }
    }

    /// Whether `line` goes on with the paragraph whose last line is `above`.
    fn continues(&self, above: &Line, line: &Line, prose: &Prose, text: &str) -> bool {
        let near = line.y - above.y <= 1.3 * self.pitch * line.size.max(above.size);
        let alike = (line.size - above.size).abs() <= 0.15 * above.size && (line.bold() == above.bold() || !prose.bold);
        let indented = line.x0() > self.left + line.size && above.x0() < self.left + 0.5 * line.size && !prose.item;
        let ended = prose.text.ends_with(['.', '!', '?', ':', '\u{3002}']) && above.x1() < self.right - 0.2 * (self.right - self.left);
        near && alike && !indented && !ended && !starts_item(text)
    }
}
