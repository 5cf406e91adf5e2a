use std::fmt;

use crate::{NgramProposer, Result, SequenceId};

/// Proposes tokens that could follow texts: speculative decoding ([Leviathan et al. 2023](https://arxiv.org/abs/2211.17192)).
///
/// The engine checks proposals in one step with what it computes anyway. Each token is chosen as it would be without them, and proposals are
/// only compared with it: whatever is proposed, the answer's distribution is the model's, and an answer with a seed is the same to the token.
pub trait Proposer: Send + fmt::Debug {
    /// What could follow each of the texts, in their order; nothing where nothing comes to mind. Called once a step with the sequences that
    /// decode: those that were there before and are not named now have ended, or wait.
    ///
    /// # Errors
    /// Where it fails; nothing is proposed then.
    fn propose(&mut self, texts: &[Text<'_>]) -> Result<Vec<Vec<u32>>>;
}

/// The prompt of a sequence and its answer so far.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Whose text it is.
    pub id: SequenceId,
    /// At least one token.
    pub tokens: &'a [u32],
}

impl Proposer for NgramProposer {
    fn propose(&mut self, texts: &[Text<'_>]) -> Result<Vec<Vec<u32>>> {
        Ok(texts.iter().map(|text| NgramProposer::propose(self, text.tokens).to_vec()).collect())
    }
}
