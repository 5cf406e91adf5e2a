/// Proposes tokens that followed the same words earlier in the text: prompt-lookup decoding (Saxena 2023), as vLLM's `ngram`.
///
/// Answers that quote their prompt (summaries, edits, code) agree with many of them, and an agreed token costs a row of a step in place of
/// a step. Which tokens are answered does not change: each is chosen as it would be without proposals, and proposals are only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NgramProposer {
    /// The longest ending of the text that is looked for.
    pub max_ngram: usize,
    /// The shortest.
    pub min_ngram: usize,
    /// Tokens that are proposed at most.
    pub tokens: usize,
}

impl Default for NgramProposer {
    /// Endings of 4 to 2 tokens, 4 tokens proposed.
    fn default() -> Self {
        Self { max_ngram: 4, min_ngram: 2, tokens: 4 }
    }
}

impl NgramProposer {
    /// What followed the last earlier place where the longest ending of `text` stands.
    ///
    /// ```
    /// use jarre_serving::NgramProposer;
    ///
    /// let proposer = NgramProposer { tokens: 2, ..NgramProposer::default() };
    /// assert_eq!(proposer.propose(&[5, 1, 2, 7, 8, 9, 1, 2]), [7, 8]);
    /// assert!(proposer.propose(&[1, 2, 3]).is_empty());
    /// ```
    pub fn propose<'a>(&self, text: &'a [u32]) -> &'a [u32] {
        for len in (self.min_ngram.max(1)..=self.max_ngram.min(text.len().saturating_sub(1))).rev() {
            let ending = &text[text.len() - len..];
            if let Some(at) = text[..text.len() - 1].windows(len).rposition(|window| window == ending) {
                let after = &text[at + len..];
                return &after[..after.len().min(self.tokens)];
            }
        }
        &[]
    }
}
