use jarre_transformer::generate::Sampled;

use crate::Completion;
use crate::output::{Chunk, Finish, RequestStats};

/// An answer as far as it is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drafted {
    text: String,
    tokens: Vec<Sampled>,
    finish: Option<Finish>,
    pub(crate) prompt_logprobs: Vec<Sampled>,
}

impl Drafted {
    pub(crate) fn push(&mut self, chunk: Chunk) {
        self.text.push_str(&chunk.text);
        self.tokens.extend(chunk.tokens);
        self.finish = chunk.finish.or(self.finish.take());
    }

    pub(crate) fn finish(self, stats: RequestStats) -> Completion {
        let finish = self.finish.expect("a request is done when all of its answers are finished");
        Completion { text: self.text, tokens: self.tokens, finish, prompt_logprobs: self.prompt_logprobs, stats }
    }
}
