use super::{
    rules::Rules,
    words::{Line, Word},
};

/// Space between two words, in font sizes, that parts two cells.
const CELL_GAP: f32 = 0.9;
/// Space between two words below which they are one.
const JOINED: f32 = 0.06;
/// Fewest rows of a table that no rules show.
const ROWS: usize = 3;
/// Share of the cells that stand under or over another one.
const ALIGNED: f32 = 0.6;
/// Most rows that head the columns.
const HEADER_ROWS: usize = 3;
/// Most lines that a cell is broken over.
const CELL_LINES: usize = 8;

/// A piece of a line that stands apart.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) x0: f32,
    pub(super) x1: f32,
}

/// The cells of a line: one where it is not part of a table.
pub(super) fn cells(line: &Line, rules: &Rules) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    let mut before: Option<&Word> = None;
    for word in &line.words {
        let apart = before.is_none_or(|before| parts(before, word, line, rules));
        match cells.last_mut() {
            Some(cell) if !apart => {
                if before.is_some_and(|before| word.x0 - before.x1 > JOINED * line.size) {
                    cell.text.push(' ');
                }
                cell.text.push_str(&word.text);
                cell.x1 = cell.x1.max(word.x1);
            }
            _ => cells.push(Cell { text: word.text.clone(), x0: word.x0, x1: word.x1 }),
        }
        before = Some(word);
    }
    joined_marker(cells)
}

fn parts(before: &Word, word: &Word, line: &Line, rules: &Rules) -> bool {
    let gap = word.x0 - before.x1;
    gap > CELL_GAP * line.size || (gap > 0.0 && rules.part(before.x1, word.x0, line.y - 0.3 * line.size))
}

/// The mark of a list item stands apart from its text, and is no cell where that is all there is.
fn joined_marker(mut cells: Vec<Cell>) -> Vec<Cell> {
    if cells.len() == 2 && is_marker(&cells[0].text) {
        let rest = cells.remove(1);
        cells[0].text.push(' ');
        cells[0].text.push_str(&rest.text);
        cells[0].x1 = rest.x1;
    }
    cells
}

/// Whether `text` is what a list item begins with: a bullet, a number, a letter.
pub(super) fn is_marker(text: &str) -> bool {
    let inner = text.trim_start_matches('(').trim_end_matches(['.', ')', ':']);
    let is_number = inner.len() <= 3 && inner.chars().all(|c| c.is_ascii_digit());
    let is_sign = inner.chars().count() == 1 && !inner.contains(['$', '%', '#']);
    !inner.is_empty() && (is_number || is_sign)
}

/// Lines that begin a region and stand in cells.
#[derive(Debug, Default)]
pub(super) struct Leading {
    /// How many they are.
    pub(super) lines: usize,
    /// The rows of the table that they are, cells parted by ` | `; `None` where their cells do not line up.
    pub(super) table: Option<Vec<String>>,
}

/// What `lines` begin with, of which `rows` holds the cells.
pub(super) fn leading(lines: &[Line], rows: &[Vec<Cell>], rules: &Rules) -> Leading {
    let taken = run(lines, rows);
    let (lines, rows) = (&lines[..taken], &rows[..taken]);
    let tabular = rows.iter().filter(|cells| cells.len() > 1).count();
    let widest = rows.iter().map(Vec::len).max().unwrap_or(0);
    let enough = tabular >= ROWS || (tabular == 2 && (widest >= 3 || is_ruled(lines, rules)));
    let is_table = enough && aligned_share(rows) >= ALIGNED;
    Leading { lines: taken, table: is_table.then(|| written(lines, rows, rules)) }
}

/// How many lines may be one table: those with several cells, and single ones between them.
fn run(lines: &[Line], rows: &[Vec<Cell>]) -> usize {
    let mut kept = 0;
    for (index, (line, cells)) in lines.iter().zip(rows).enumerate() {
        let far = index > 0 && line.y - lines[index - 1].y > 4.0 * line.size.max(lines[index - 1].size);
        if far || (cells.len() < 2 && (kept == 0 || !continues(cells, &rows[..kept], index - kept))) {
            break;
        }
        if cells.len() > 1 {
            kept = index + 1;
        }
    }
    kept
}

/// Whether a line of one cell can stand inside a table: the rest of a cell above it, or the heading of a group of rows.
fn continues(cells: &[Cell], above: &[Vec<Cell>], single: usize) -> bool {
    let left = above.iter().flatten().map(|cell| cell.x0).fold(f32::INFINITY, f32::min);
    let right = above.iter().flatten().map(|cell| cell.x1).fold(f32::NEG_INFINITY, f32::max);
    let inside = |cell: &Cell| cell.x0 >= left - 2.0 && cell.x1 <= right + 2.0;
    let narrow = |cell: &Cell| cell.x1 - cell.x0 <= 0.6 * (right - left);
    single < 3 && cells.iter().all(|cell| inside(cell) && narrow(cell))
}

fn is_ruled(lines: &[Line], rules: &Rules) -> bool {
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return false };
    let width = extent(lines);
    rules.between(first.y - 2.0 * first.size, last.y + 2.0 * last.size).any(|rule| rule.to - rule.from >= 0.6 * (width.1 - width.0))
}

fn extent(lines: &[Line]) -> (f32, f32) {
    let left = lines.iter().map(Line::x0).fold(f32::INFINITY, f32::min);
    (left, lines.iter().map(Line::x1).fold(f32::NEG_INFINITY, f32::max))
}

/// The share of cells that share an edge or the middle with a cell of one of the next rows.
fn aligned_share(rows: &[Vec<Cell>]) -> f32 {
    let tabular: Vec<&Vec<Cell>> = rows.iter().filter(|cells| cells.len() > 1).collect();
    let (mut aligned, mut all) = (0_u32, 0_u32);
    for (index, cells) in tabular.iter().enumerate() {
        let around = &tabular[index.saturating_sub(3)..tabular.len().min(index + 4)];
        for cell in *cells {
            let others = around.iter().filter(|other| !std::ptr::eq(**other, *cells)).flat_map(|other| other.iter());
            all += 1;
            aligned += u32::from(others.into_iter().any(|other| is_aligned(cell, other)));
        }
    }
    aligned as f32 / all.max(1) as f32
}

fn is_aligned(a: &Cell, b: &Cell) -> bool {
    let near = |a: f32, b: f32| (a - b).abs() < 2.0;
    near(a.x0, b.x0) || near(a.x1, b.x1) || near(f32::midpoint(a.x0, a.x1), f32::midpoint(b.x0, b.x1))
}

/// The rows as text: in columns where the cells fall into columns, else as they come.
fn written(lines: &[Line], rows: &[Vec<Cell>], rules: &Rules) -> Vec<String> {
    let Some(mut grid) = in_columns(rows, &columns(rows)) else {
        return rows.iter().map(|cells| row_text(cells.iter().map(|cell| cell.text.as_str()))).collect();
    };
    merge_header_columns(&mut grid);
    merge_ruled(lines, rules, &mut grid);
    grid.iter().map(|cells| row_text(cells.iter().map(String::as_str))).collect()
}

fn row_text<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    cells.collect::<Vec<_>>().join(" | ").trim().to_owned()
}

/// The extents of the columns, from the rows that have nearly as many cells as the longest.
fn columns(rows: &[Vec<Cell>]) -> Vec<(f32, f32)> {
    let widest = rows.iter().map(Vec::len).max().unwrap_or(0);
    let full = rows.iter().filter(|cells| cells.len() * 10 >= widest * 7 && cells.len() > 1);
    let mut extents: Vec<(f32, f32)> = full.flatten().map(|cell| (cell.x0, cell.x1)).collect();
    extents.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut columns: Vec<(f32, f32)> = Vec::new();
    for (x0, x1) in extents {
        match columns.last_mut() {
            Some(column) if x0 < column.1 => column.1 = column.1.max(x1),
            _ => columns.push((x0, x1)),
        }
    }
    columns
}

/// Each row with one text a column; `None` where two cells of a row fall into one column.
fn in_columns(rows: &[Vec<Cell>], columns: &[(f32, f32)]) -> Option<Vec<Vec<String>>> {
    let mut grid = Vec::with_capacity(rows.len());
    for cells in rows {
        let mut row = vec![String::new(); columns.len()];
        for cell in cells {
            let overlap = |column: &(f32, f32)| column.1.min(cell.x1) - column.0.max(cell.x0);
            let (place, _) = columns.iter().enumerate().max_by(|(i, a), (j, b)| overlap(a).total_cmp(&overlap(b)).then(j.cmp(i)))?;
            if !row[place].is_empty() {
                return None;
            }
            row[place].clone_from(&cell.text);
        }
        grid.push(row);
    }
    Some(grid)
}

/// Puts a heading over the numbers that it stands beside: a column that only the first rows fill goes to the neighbour that those rows
/// leave empty.
fn merge_header_columns(grid: &mut [Vec<String>]) {
    let mut column = 0;
    while column < grid.first().map_or(0, Vec::len) {
        let is_header = grid.len() > HEADER_ROWS && grid[HEADER_ROWS..].iter().all(|row| row[column].is_empty());
        let takes =
            |neighbour: usize| grid.iter().all(|row| row.get(neighbour).is_some_and(|cell| cell.is_empty() || row[column].is_empty()));
        let neighbour = [column + 1, column.wrapping_sub(1)].into_iter().find(|neighbour| takes(*neighbour));
        match neighbour.filter(|_| is_header) {
            Some(neighbour) => {
                for row in grid.iter_mut() {
                    let text = std::mem::take(&mut row[column]);
                    row[neighbour].push_str(&text);
                    row.remove(column);
                }
            }
            None => column += 1,
        }
    }
}

/// Makes one row of the lines between two rules, where all of a table's rows are ruled: cells that are broken over lines become whole.
fn merge_ruled(lines: &[Line], rules: &Rules, grid: &mut Vec<Vec<String>>) {
    let width = extent(lines);
    let spans = |rule: &super::rules::Rule| rule.to.min(width.1) - rule.from.max(width.0) >= 0.5 * (width.1 - width.0);
    let is_ruled = |above: &Line, below: &Line| rules.between(above.y, below.y - 0.3 * below.size).any(spans);
    let starts: Vec<bool> = std::iter::once(true).chain(lines.windows(2).map(|pair| is_ruled(&pair[0], &pair[1]))).collect();
    let mut merged: Vec<Vec<String>> = Vec::new();
    let mut sizes: Vec<usize> = Vec::new();
    for (row, starts) in grid.iter().zip(&starts) {
        match (merged.last_mut(), sizes.last_mut()) {
            (Some(whole), Some(size)) if !(*starts || is_full(whole) && is_full(row)) => {
                append(whole, row);
                *size += 1;
            }
            _ => {
                merged.push(row.clone());
                sizes.push(1);
            }
        }
    }
    let parted = starts.iter().filter(|starts| **starts).count();
    if parted >= ROWS && parted * 3 >= grid.len() && sizes.iter().all(|size| *size <= CELL_LINES) {
        *grid = merged;
    }
}

/// Whether nearly every column of a wide table is filled: the rest of broken cells leaves some empty.
fn is_full(row: &[String]) -> bool {
    row.len() > 2 && row.iter().filter(|cell| !cell.is_empty()).count() * 4 >= row.len() * 3
}

fn append(whole: &mut [String], row: &[String]) {
    for (cell, more) in whole.iter_mut().zip(row) {
        if !cell.is_empty() && !more.is_empty() {
            cell.push(' ');
        }
        cell.push_str(more);
    }
}
