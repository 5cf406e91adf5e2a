use std::collections::BTreeMap;

use jarre_openai::{ChatLogprobs, CompletionLogprobs, PromptLogprob, PromptLogprobs, TokenLogprob, TopLogprob};

use super::vocabulary::Vocabulary;
use crate::Sampled;

/// Scores of a chat's tokens.
pub(super) fn of_chat(tokens: &[Sampled], vocabulary: &Vocabulary) -> ChatLogprobs {
    let top = |&(id, logprob): &(u32, f32)| TopLogprob {
        token: vocabulary.text(id),
        logprob: finite(logprob),
        bytes: Some(vocabulary.bytes(id)),
    };
    let token = |sampled: &Sampled| TokenLogprob {
        token: vocabulary.text(sampled.id),
        logprob: finite(sampled.logprob),
        bytes: Some(vocabulary.bytes(sampled.id)),
        top_logprobs: sampled.top_logprobs.iter().map(top).collect(),
    };
    ChatLogprobs { content: Some(tokens.iter().map(token).collect()), refusal: None }
}

/// Where the next token of a completion begins, in characters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Offset(u64);

impl Offset {
    /// Scores of a completion's next tokens.
    pub(super) fn score(&mut self, tokens: &[Sampled], vocabulary: &Vocabulary) -> CompletionLogprobs {
        let mut scores = CompletionLogprobs::default();
        for sampled in tokens {
            self.push(sampled.id, Some(sampled), vocabulary, &mut scores);
        }
        scores
    }

    /// Scores of a prompt, whose first token nothing stands before.
    pub(super) fn score_prompt(&mut self, first: u32, others: &[Sampled], vocabulary: &Vocabulary) -> CompletionLogprobs {
        let mut scores = CompletionLogprobs::default();
        self.push(first, None, vocabulary, &mut scores);
        for sampled in others {
            self.push(sampled.id, Some(sampled), vocabulary, &mut scores);
        }
        scores
    }

    fn push(&mut self, id: u32, sampled: Option<&Sampled>, vocabulary: &Vocabulary, scores: &mut CompletionLogprobs) {
        scores.text_offset.push(self.0);
        scores.tokens.push(vocabulary.text(id));
        scores.token_logprobs.push(sampled.map(|sampled| finite(sampled.logprob)));
        scores.top_logprobs.push(sampled.map(|sampled| {
            // The token itself is among them, however unlikely it was.
            let own = Some((sampled.id, sampled.logprob)).filter(|_| !sampled.top_logprobs.is_empty());
            let listed = own.into_iter().chain(sampled.top_logprobs.iter().copied());
            listed.map(|(id, logprob)| (vocabulary.text(id), finite(logprob))).collect()
        }));
        // Bytes that continue a character begin none.
        self.0 += vocabulary.bytes(id).iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u64;
    }
}

/// One list behind the other.
pub(super) fn append(scores: &mut CompletionLogprobs, more: CompletionLogprobs) {
    scores.text_offset.extend(more.text_offset);
    scores.tokens.extend(more.tokens);
    scores.token_logprobs.extend(more.token_logprobs);
    scores.top_logprobs.extend(more.top_logprobs);
}

/// vLLM's scores of a prompt: nothing for its first token.
pub(super) fn of_prompt(tokens: &[Sampled], vocabulary: &Vocabulary) -> PromptLogprobs {
    let entry = |id: u32, logprob: f32, rank: Option<u32>| {
        (id, PromptLogprob { logprob: finite(logprob), rank, decoded_token: Some(vocabulary.text(id)) })
    };
    let scores = |sampled: &Sampled| {
        // The place of a token that is not among the likeliest is not known.
        let mut entries = BTreeMap::from([entry(sampled.id, sampled.logprob, None)]);
        entries.extend((1..).zip(&sampled.top_logprobs).map(|(rank, &(id, logprob))| entry(id, logprob, Some(rank))));
        Some(entries)
    };
    std::iter::once(None).chain(tokens.iter().map(scores)).collect()
}

/// JSON has no infinity.
fn finite(logprob: f32) -> f32 {
    logprob.max(-9999.0)
}
