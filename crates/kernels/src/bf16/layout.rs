//! How matrices lie once they are packed: in panels of lanes, which are rows of the left matrix or columns of the right one.

use super::tile::{COLUMNS, ROWS};
use crate::amx;

/// Pairs of k of a line.
pub(crate) const LINE_PAIRS: usize = amx::LINE / size_of::<u32>();

/// The order of values in a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Panels of [`ROWS`] lanes, `[pairs, lanes, 2]`; the last one is as narrow as what is left.
    Rows,
    /// Panels of [`amx::ROWS`] lanes, `[pairs / 16, lanes, 16, 2]`, filled with zeros beyond k; the last one is as narrow as what is left.
    Lines,
    /// Panels of [`COLUMNS`] lanes, `[pairs, lanes, 2]`, filled with zeros up to whole lines of pairs; so is the last one beyond its lanes.
    Columns,
}

impl Layout {
    /// Lanes of a panel.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::Rows => ROWS,
            Self::Lines => amx::ROWS,
            Self::Columns => COLUMNS,
        }
    }

    /// Lanes of all panels.
    pub(crate) fn padded(self, lanes: usize) -> usize {
        match self {
            Self::Rows | Self::Lines => lanes,
            Self::Columns => lanes.next_multiple_of(COLUMNS),
        }
    }

    /// Pairs of a lane.
    pub(crate) fn depth(self, pairs: usize) -> usize {
        match self {
            Self::Rows => pairs,
            Self::Lines | Self::Columns => pairs.next_multiple_of(LINE_PAIRS),
        }
    }

    /// Words of `lanes` lanes of `k` values.
    pub(crate) fn words(self, lanes: usize, k: usize) -> usize {
        self.padded(lanes) * self.depth(k.div_ceil(2))
    }
}
