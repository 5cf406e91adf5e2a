use std::collections::HashMap;

use jarre_kernels::packed::Pool;

use super::answer::Answer;
use super::core::RequestKey;
use super::live::Live;
use crate::output::Chunk;
use crate::{Result, SequenceId};

/// An answer that a step chooses tokens for, and by what.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) key: RequestKey,
    pub(super) id: SequenceId,
    /// Tokens that were proposed for the places after the first.
    pub(super) drafts: Vec<u32>,
    /// The logits of each of these places, `width` for a place.
    pub(super) logits: &'a [f32],
    pub(super) width: usize,
}

impl Turn<'_> {
    fn take(&self, answer: &mut Answer) -> Result<Chunk> {
        answer.advance(self.logits.chunks_exact(self.width), &self.drafts)
    }
}

/// Chooses tokens for all `turns`, on all cores: each depends on its own answer alone.
pub(super) fn take_turns(turns: &[Turn<'_>], requests: &mut HashMap<RequestKey, Live>) -> Vec<Result<Chunk>> {
    let answers = requests.values_mut().flat_map(|live| &mut live.answers);
    let mut answers: HashMap<SequenceId, &mut Answer> = answers.map(|(id, answer)| (*id, answer)).collect();
    let mut seats: Vec<_> = turns.iter().map(|turn| (turn, answers.remove(&turn.id).expect("a turn is an answer's"), None)).collect();
    Pool::global().edit_chunks(&mut seats, 1, |_, seats| {
        for (turn, answer, chunk) in seats {
            *chunk = Some(turn.take(answer));
        }
    });
    seats.into_iter().map(|(.., chunk)| chunk.expect("every turn was taken")).collect()
}
