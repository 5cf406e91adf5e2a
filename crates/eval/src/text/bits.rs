//! Sequences aligned 64 places at a time (Myers 1999, Hyyrö 2003 and 2004).

use std::{collections::HashMap, hash::Hash};

/// How many places of a sequence are aligned: two of this length take 160 million steps.
pub(super) const LONGEST: usize = 100_000;

/// The length of the longest common subsequence of the first [`LONGEST`] of each.
pub(super) fn common_subsequence<T: Copy + Eq + Hash>(left: &[T], right: &[T]) -> usize {
    let (short, long) = by_length(cut(left), cut(right));
    let places = Places::of(short);
    // A cleared bit at a place of `short` is one more shared with what was read of `long`.
    let (mut column, mut row) = (vec![u64::MAX; places.words], vec![0; places.words]);
    for symbol in long.iter().filter(|symbol| places.of.contains_key(symbol)) {
        places.load(symbol, &mut row);
        let mut carry = false;
        for (word, matches) in column.iter_mut().zip(&row) {
            let shared = *word & matches;
            let (sum, first) = word.overflowing_add(shared);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            *word = sum | (*word & !matches);
        }
    }
    let unshared: usize = column.iter().map(|word| word.count_ones() as usize).sum();
    places.words * 64 - unshared
}

/// The Levenshtein distance of two sequences: the fewest insertions, deletions and substitutions that make one the other. What lies beyond
/// [`LONGEST`] of each, after what both begin and end with, counts as wholly different, so that the result is never too small.
pub(super) fn distance<T: Copy + Eq + Hash>(left: &[T], right: &[T]) -> usize {
    let (left, right) = without_common_ends(left, right);
    let beyond = left.len().saturating_sub(LONGEST).max(right.len().saturating_sub(LONGEST));
    let (short, long) = by_length(cut(left), cut(right));
    if short.is_empty() { long.len() + beyond } else { levenshtein(short, long) + beyond }
}

fn levenshtein<T: Copy + Eq + Hash>(short: &[T], long: &[T]) -> usize {
    let places = Places::of(short);
    let mut row = vec![0; places.words];
    let mut blocks = vec![Block { rises: u64::MAX, falls: 0 }; places.words];
    let last = 1_u64 << ((short.len() - 1) % 64);
    let mut distance = short.len() as i64;
    for symbol in long {
        places.load(symbol, &mut row);
        // The first row of the matrix rises by one a column.
        let mut step = 1_i8;
        for (index, (block, matches)) in blocks.iter_mut().zip(&row).enumerate() {
            let top = if index + 1 == places.words { last } else { 1 << 63 };
            step = block.advance(*matches, step, top);
        }
        distance += i64::from(step);
    }
    distance as usize
}

/// 64 rows of a column: where the distance rises and where it falls from one row to the next.
#[derive(Clone, Copy)]
struct Block {
    rises: u64,
    falls: u64,
}

impl Block {
    /// Goes to the next column. `step` is how the row above changes, and the result how the row at bit `top` does.
    fn advance(&mut self, matches: u64, step: i8, top: u64) -> i8 {
        let fell = u64::from(step < 0);
        let vertical = matches | self.falls;
        let matches = matches | fell;
        let diagonal = (((matches & self.rises).wrapping_add(self.rises)) ^ self.rises) | matches;
        let rises = self.falls | !(diagonal | self.rises);
        let falls = self.rises & diagonal;
        let below = i8::from(rises & top != 0) - i8::from(falls & top != 0);
        let rises = rises << 1 | u64::from(step > 0);
        let falls = falls << 1 | fell;
        self.rises = falls | !(vertical | rises);
        self.falls = rises & vertical;
        below
    }
}

/// Where each symbol stands in a sequence.
struct Places<T> {
    /// Words of 64 bits that a row of places takes.
    words: usize,
    of: HashMap<T, Vec<u32>>,
    rows: HashMap<T, Vec<u64>>,
}

impl<T: Copy + Eq + Hash> Places<T> {
    fn of(sequence: &[T]) -> Self {
        let words = sequence.len().div_ceil(64);
        let mut of: HashMap<T, Vec<u32>> = HashMap::new();
        for (place, symbol) in (0..).zip(sequence) {
            of.entry(*symbol).or_default().push(place);
        }
        // Rows of frequent symbols are kept; those of all would take the square of the length, and are set when needed in as many steps as
        // a row has words.
        let frequent = of.iter().filter(|(_, places)| places.len() > words);
        let rows = frequent.map(|(symbol, places)| (*symbol, row(places, words))).collect();
        Self { words, of, rows }
    }

    /// Sets `row` to the places of `symbol`.
    fn load(&self, symbol: &T, row: &mut [u64]) {
        if let Some(kept) = self.rows.get(symbol) {
            row.copy_from_slice(kept);
            return;
        }
        row.fill(0);
        for place in self.of.get(symbol).into_iter().flatten() {
            set(row, *place);
        }
    }
}

fn row(places: &[u32], words: usize) -> Vec<u64> {
    let mut row = vec![0; words];
    for place in places {
        set(&mut row, *place);
    }
    row
}

fn set(row: &mut [u64], place: u32) {
    row[place as usize / 64] |= 1 << (place % 64);
}

fn cut<T>(sequence: &[T]) -> &[T] {
    &sequence[..sequence.len().min(LONGEST)]
}

fn by_length<'s, T>(left: &'s [T], right: &'s [T]) -> (&'s [T], &'s [T]) {
    if left.len() <= right.len() { (left, right) } else { (right, left) }
}

fn without_common_ends<'s, T: Eq>(left: &'s [T], right: &'s [T]) -> (&'s [T], &'s [T]) {
    let start = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    let (left, right) = (&left[start..], &right[start..]);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(left, right)| left == right).count();
    (&left[..left.len() - end], &right[..right.len() - end])
}
