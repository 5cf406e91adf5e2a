//! A block of queries, each a lane.

use std::ops::Range;

use super::GROUP;
use crate::flash::block::Sequence;
use crate::flash::softmax::NONE;

/// A block of queries.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    pub(super) rows: Range<usize>,
    /// Keys that each lane sees; those without a query as the last one with one.
    pub(super) seen: [(usize, usize); GROUP],
    /// Keys from the first to the last that some lane sees.
    pub(super) some: Range<usize>,
    /// Keys that all lanes see.
    pub(super) all: Range<usize>,
    pub(super) largest: [f32; GROUP],
    pub(super) totals: [f32; GROUP],
    /// A bit for each lane that tiles cannot serve.
    pub(super) left_out: u32,
}

impl Lanes {
    /// Lanes that have seen nothing, of at least one row.
    pub(super) fn new(sequence: &Sequence<'_>, kv_head: usize, rows: Range<usize>) -> Self {
        let mut seen = [(0, 0); GROUP];
        for (lane, place) in seen.iter_mut().enumerate() {
            let (query, _) = sequence.place(kv_head, (rows.start + lane).min(rows.end - 1));
            let Range { start, end } = sequence.mask.range(sequence.index, query, sequence.sizes);
            *place = (start, end);
        }
        let some = seen.iter().filter(|(start, end)| start < end);
        let some = some.fold((usize::MAX, 0), |all, seen| (all.0.min(seen.0), all.1.max(seen.1)));
        let all = seen.iter().fold((0, usize::MAX), |all, seen| (all.0.max(seen.0), all.1.min(seen.1)));
        let [largest, totals] = [NONE, 0.0].map(|x| [x; GROUP]);
        Self { rows, seen, some: some.0..some.1, all: all.0..all.1, largest, totals, left_out: 0 }
    }

    /// Leaves out all lanes that see some of `keys`.
    pub(super) fn leave_out(&mut self, keys: &Range<usize>) {
        for (lane, &(start, end)) in self.seen.iter().enumerate() {
            let sees = start.max(keys.start) < end.min(keys.end);
            self.left_out |= u32::from(sees) << lane;
        }
    }

    /// The rows of lanes left out, those beside each other together.
    pub(super) fn left_out(&self) -> impl Iterator<Item = Range<usize>> {
        let is_out = |lane: usize| lane < self.rows.len() && self.left_out >> lane & 1 == 1;
        let starts = (0..GROUP).filter(move |&lane| is_out(lane) && !(lane > 0 && is_out(lane - 1)));
        starts.map(move |start| {
            let end = (start..=GROUP).find(|&lane| lane == GROUP || !is_out(lane)).unwrap_or(GROUP);
            self.rows.start + start..self.rows.start + end
        })
    }
}
