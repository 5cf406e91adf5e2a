/// From this length on, in bytes, a text is a page, in which a pattern may be quoted.
const PAGE: usize = 2 * 1024;
/// The score of a window that a pattern in a page needs around it.
pub(super) const LEAN: f32 = 0.3;
/// Beyond this many bytes the chances of honest windows add up.
const LONG: usize = 4 * 1024;
/// At this many it is enough: more text around an attack hides it no better.
const LONGEST: usize = 32 * 1024;

/// The bytes of a text, and what they ask of what is found in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length(pub(super) usize);

impl Length {
    /// What a classifier has to say of a window for a pattern in it to be enough.
    pub(super) fn lean(self) -> f32 {
        if self.0 < PAGE { 0.0 } else { LEAN }
    }

    /// A window's score, with its odds divided by how many times the text is longer than [`LONG`]: of windows that are alike in number and
    /// honest as many score above a threshold, however long the texts are that they come in.
    pub(super) fn corrected(self, score: f32) -> f32 {
        let times = self.0.clamp(LONG, LONGEST) as f32 / LONG as f32;
        score / (score + times * (1.0 - score))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_are_divided_by_the_length_between_bounds() {
        let odds = |score: f32| score / (1.0 - score);
        for (bytes, times) in [(0, 1.0), (LONG, 1.0), (2 * LONG, 2.0), (LONGEST, 8.0), (100 * LONGEST, 8.0)] {
            for score in [0.1, 0.65, 0.99] {
                let corrected = odds(Length(bytes).corrected(score));
                assert!((corrected * times / odds(score) - 1.0).abs() < 1e-3, "{bytes} bytes, {score}: {corrected}");
            }
            assert!([0.0, 1.0].iter().all(|score| (Length(bytes).corrected(*score) - score).abs() < 1e-6));
        }
    }
}
