use std::collections::HashMap;
use std::sync::Arc;

use jarre_core::Clock;
use jarre_transformer::generate::Sampled;

use crate::drafted::Drafted;
use crate::engine::{EngineCore, RequestKey};
use crate::output::{Finish, Output, RequestStats};
use crate::{Model, PagedRunner, Request, Result, ServeOptions};

/// Answers many prompts at once, on the calling thread: for scripts.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use jarre_core::SystemClock;
/// use jarre_serving::{LLM, Model, ServeOptions};
/// use jarre_transformer::Device;
///
/// let model = Model::open("examples/assets/jarre-tiny", &Device::default())?;
/// let mut llm = LLM::new(&model, &ServeOptions::default(), Arc::new(SystemClock::new()))?;
/// let requests = ["fn main() {", "The borrow checker"].map(|prompt| Ok(llm.request(prompt)?.with_max_tokens(40)));
/// for answers in llm.generate(requests.into_iter().collect::<Result<Vec<_>, jarre_serving::Error>>()?)? {
///     println!("{}", answers[0].text);
/// }
/// # Ok::<(), jarre_serving::Error>(())
/// ```
#[derive(Debug)]
pub struct LLM {
    core: EngineCore<PagedRunner>,
    tokenizer: Arc<jarre_transformer::Tokenizer>,
    clock: SharedClock,
}

/// A whole answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Completion {
    /// Its text.
    pub text: String,
    /// Its tokens, the one that ended it included.
    pub tokens: Vec<Sampled>,
    /// Why it ended.
    pub finish: Finish,
    /// Scores of the prompt, where they were asked for.
    pub prompt_logprobs: Vec<Sampled>,
    /// Tokens and times of the request that it belongs to.
    pub stats: RequestStats,
}

struct SharedClock(Arc<dyn Clock>);

impl std::fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl LLM {
    /// Serves a model to the caller.
    ///
    /// # Errors
    /// As [`Model::engine`].
    pub fn new(model: &Model, options: &ServeOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        let options = ServeOptions { max_waiting: usize::MAX, ..options.clone() };
        Ok(Self { core: model.engine(&options)?, tokenizer: Arc::clone(model.tokenizer()), clock: SharedClock(clock) })
    }

    /// A request to continue a text, everything else by default.
    ///
    /// # Errors
    /// Where the tokenizer fails.
    pub fn request(&self, text: &str) -> Result<Request> {
        Ok(Request::new(self.tokenizer.encode(text)?))
    }

    /// The engine.
    pub fn core(&self) -> &EngineCore<PagedRunner> {
        &self.core
    }

    /// The answers to every request, in order.
    ///
    /// # Errors
    /// That of the first request that fails; the others are forgotten then.
    pub fn generate(&mut self, requests: impl IntoIterator<Item = Request>) -> Result<Vec<Vec<Completion>>> {
        let mut keys = Vec::new();
        let answered = self.answer(requests, &mut keys);
        if answered.is_err() {
            for key in keys {
                self.core.cancel(key);
            }
        }
        answered
    }

    fn answer(&mut self, requests: impl IntoIterator<Item = Request>, keys: &mut Vec<RequestKey>) -> Result<Vec<Vec<Completion>>> {
        let mut open: HashMap<RequestKey, Vec<Drafted>> = HashMap::new();
        for request in requests {
            let n = request.n;
            let key = self.core.add(request, self.clock.0.now())?;
            open.insert(key, vec![Drafted::default(); n]);
            keys.push(key);
        }
        let mut done: HashMap<RequestKey, Vec<Completion>> = HashMap::new();
        while !self.core.is_idle() {
            let clock = &self.clock.0;
            for (key, output) in self.core.step(&|| clock.now()) {
                Self::take(key, output, &mut open, &mut done)?;
            }
        }
        Ok(keys.iter().map(|key| done.remove(key).unwrap_or_default()).collect())
    }

    fn take(
        key: RequestKey,
        output: Output,
        open: &mut HashMap<RequestKey, Vec<Drafted>>,
        done: &mut HashMap<RequestKey, Vec<Completion>>,
    ) -> Result<()> {
        let Some(answers) = open.get_mut(&key) else { return Ok(()) };
        match output {
            Output::Prompt(scores) => answers.iter_mut().for_each(|answer| answer.prompt_logprobs.clone_from(&scores)),
            Output::Chunk(chunk) => answers[chunk.index].push(chunk),
            Output::Done(stats) => {
                let answers = open.remove(&key).expect("it was there");
                done.insert(key, answers.into_iter().map(|answer| answer.finish(stats)).collect());
            }
            Output::Failed(error) => return Err(error),
            Output::Pooled(_) => {}
        }
        Ok(())
    }
}
