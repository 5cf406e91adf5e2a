use std::fmt;

use llguidance::toktrie::SimpleVob;

/// The tokens that may come next.
#[derive(Clone)]
pub struct TokenMask {
    bits: SimpleVob,
}

impl TokenMask {
    pub(super) fn new(bits: SimpleVob) -> Self {
        Self { bits }
    }

    /// Whether a token may come next; `false` for ids that are no tokens.
    pub fn allows(&self, id: u32) -> bool {
        (id as usize) < self.bits.len() && self.bits.is_allowed(id)
    }

    /// Sets the logits of all other tokens to negative infinity; `logits` has one for each token, and those beyond the vocabulary are no tokens.
    pub fn apply(&self, logits: &mut [f32]) {
        for (word, chunk) in self.bits.as_slice().iter().zip(logits.chunks_mut(u32::BITS as usize)) {
            if *word == u32::MAX {
                continue;
            }
            for (bit, logit) in chunk.iter_mut().enumerate() {
                if word >> bit & 1 == 0 {
                    *logit = f32::NEG_INFINITY;
                }
            }
        }
        let covered = self.bits.len().min(logits.len());
        logits[covered..].fill(f32::NEG_INFINITY);
    }

    /// How many tokens may come next.
    pub fn count(&self) -> usize {
        self.bits.num_set()
    }
}

impl fmt::Debug for TokenMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenMask").field("allowed", &self.count()).field("of", &self.bits.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_of_other_tokens_are_gone() {
        let mut bits = SimpleVob::alloc(70);
        for id in [0, 31, 32, 69] {
            bits.allow_token(id);
        }
        let mask = TokenMask::new(bits);
        for length in [10, 70, 75, 200] {
            let mut logits = vec![1.0; length];
            mask.apply(&mut logits);
            for (id, logit) in logits.iter().enumerate() {
                assert_eq!(*logit > 0.0, mask.allows(id as u32), "{id} of {length}");
            }
        }
        assert_eq!((mask.count(), mask.allows(69), mask.allows(70), mask.allows(u32::MAX)), (4, true, false, false));
    }
}
