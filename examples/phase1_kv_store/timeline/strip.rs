use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Timeline, letter, mark::Mark};
use crate::{deployment::Micros, record::Operation};

/// The width of the time in characters.
const COLUMNS: usize = 100;

/// The timeline in letters: a row for the faults, one for each node with the last digit, to the base of 36, of the term in which it leads
/// (`*` without terms), and one for each client with what became of its requests.
pub(crate) fn strip(timeline: &Timeline<'_>) -> String {
    let mut text = String::new();
    let mut row = |name: &str, cells: &[char]| {
        let cells: String = cells.iter().collect();
        writeln!(text, "{name:>9} {}", cells.trim_end()).expect("a string takes what is written to it");
    };
    row("broken", &faults(timeline));
    for node in 0..timeline.nodes {
        row(&letter(node), &reigns(timeline, node));
    }
    let clients: BTreeSet<u64> = timeline.operations.iter().map(|operation| operation.client).collect();
    for client in clients {
        row(&format!("client {client}"), &marks(timeline, client));
    }
    let legend = Mark::ALL.map(|mark| format!("{} {}", mark.letter(), mark.says())).join("   ");
    text + &format!("          1-9, a-z: leads in this term (*: there are none)   {legend}\n")
}

fn column(timeline: &Timeline<'_>, at: Micros) -> usize {
    ((at.min(timeline.end) * COLUMNS as Micros / timeline.end.max(1)) as usize).min(COLUMNS - 1)
}

fn fill(timeline: &Timeline<'_>, cells: &mut [char], (from, until): (Micros, Micros), with: char) {
    let (first, last) = (column(timeline, from), column(timeline, until));
    cells[first..=last].fill(with);
}

fn faults(timeline: &Timeline<'_>) -> Vec<char> {
    let mut cells = vec![' '; COLUMNS];
    for (from, until, _) in &timeline.faults {
        fill(timeline, &mut cells, (*from, *until), '#');
    }
    cells
}

fn reigns(timeline: &Timeline<'_>, node: usize) -> Vec<char> {
    let mut cells = vec!['.'; COLUMNS];
    for reign in timeline.reigns.iter().filter(|reign| reign.node == node) {
        let digit = reign.term.map_or('*', |term| char::from_digit((term % 36) as u32, 36).unwrap_or('*'));
        fill(timeline, &mut cells, (reign.from, reign.until.unwrap_or(timeline.end)), digit);
    }
    cells
}

fn marks(timeline: &Timeline<'_>, client: u64) -> Vec<char> {
    let mut best: Vec<Option<Mark>> = vec![None; COLUMNS];
    let of_client = |(_, operation): &(usize, &Operation)| operation.client == client;
    for (place, operation) in timeline.operations.iter().enumerate().filter(of_client) {
        let cell = &mut best[column(timeline, operation.call)];
        *cell = (*cell).max(Some(Mark::of(place, operation, timeline.lost)));
    }
    best.into_iter().map(|mark| mark.map_or(' ', Mark::letter)).collect()
}
