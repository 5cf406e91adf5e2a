use std::ops::Range;

/// Where the bytes of a rewritten text come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Offsets {
    replaced: Vec<Replaced>,
    /// The length of the output.
    length: usize,
}

#[derive(Clone, Debug)]
struct Replaced {
    input: Range<usize>,
    output: Range<usize>,
    /// How many records there were when it was done, itself included.
    records: usize,
}

/// What a byte of the output was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The input's byte at this place.
    Copied(usize),
    /// A replacement of this part of the input, which was the last of so many records.
    Replaced(Range<usize>, usize),
}

impl Offsets {
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The input's next bytes follow as they are.
    pub(super) fn copy(&mut self, bytes: usize) {
        self.length += bytes;
    }

    /// In the place of `input` stand `bytes` others.
    pub(super) fn replace(&mut self, input: Range<usize>, bytes: usize, records: usize) {
        let output = self.length..self.length + bytes;
        self.length = output.end;
        self.replaced.push(Replaced { input, output, records });
    }

    /// What the byte at `at` of the output was made of.
    pub(super) fn source(&self, at: usize) -> Source {
        let before = self.replaced.partition_point(|replaced| replaced.output.start <= at);
        match before.checked_sub(1).map(|last| &self.replaced[last]) {
            None => Source::Copied(at),
            Some(last) if at < last.output.end => Source::Replaced(last.input.clone(), last.records),
            Some(last) => Source::Copied(last.input.end + at - last.output.end),
        }
    }

    /// The part of the input that `span` of the output comes from: of a replacement, all that it stands for.
    pub(super) fn origin(&self, span: Range<usize>) -> Range<usize> {
        let start = match self.source(span.start) {
            Source::Copied(at) => at,
            Source::Replaced(input, _) => input.start,
        };
        start..self.origin_of_end(span.end).max(start)
    }

    fn origin_of_end(&self, end: usize) -> usize {
        let before = self.replaced.partition_point(|replaced| replaced.output.start < end);
        before.checked_sub(1).map_or(end, |last| {
            let last = &self.replaced[last];
            last.input.end + end.saturating_sub(last.output.end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ab[cde -> X]f[g -> ]h[ -> YY]i`
    fn offsets() -> Offsets {
        let mut offsets = Offsets::default();
        offsets.copy(2);
        offsets.replace(2..5, 1, 1);
        offsets.copy(1);
        offsets.replace(6..7, 0, 2);
        offsets.copy(1);
        offsets.replace(8..8, 2, 3);
        offsets.copy(1);
        offsets
    }

    #[test]
    fn spans_lead_back_to_what_they_were_made_of() {
        // The output is `abXfhYYi`.
        let cases =
            [(0..2, 0..2), (1..3, 1..5), (2..3, 2..5), (3..4, 5..6), (4..5, 7..8), (3..5, 5..8), (5..6, 8..8), (5..8, 8..9), (8..8, 9..9)];
        for (output, input) in cases {
            assert_eq!(offsets().origin(output.clone()), input, "{output:?}");
        }
        assert_eq!(offsets().length(), 8);
    }

    #[test]
    fn a_byte_knows_what_wrote_it() {
        let sources = [2, 3, 4, 6].map(|at| offsets().source(at));
        assert_eq!(sources, [Source::Replaced(2..5, 1), Source::Copied(5), Source::Copied(7), Source::Replaced(8..8, 3)]);
    }
}
