use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use jarre_core::Usage;
use jarre_openai::{ApiError, Completion as WireCompletion, CompletionChoice, CompletionLogprobs, CompletionRequest, PromptItem};

use super::answers::Answers;
use super::app::App;
use super::failure::{Answer, json, refused};
use super::head::Head;
use super::logprobs::{self, Offset};
use super::sampling::Wishes;
use super::sse::{self, Events, event};
use super::trace::Trace;
use super::{body, sampling, structured};
use crate::{Completion, Output, Request, Sampled};

/// Tokens of an answer where a request does not say, as OpenAI has it.
const DEFAULT_MAX_TOKENS: usize = 16;

/// `POST /v1/completions`.
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    app.check_queue()?;
    let bytes = body::read(&app.config, &headers, body).await?;
    let (mut call, answers) = app.blocking(move |app| start(app, &bytes)).await?;
    if call.stream {
        return Ok(sse::respond(answers, call));
    }
    let (answers, usage) = answers.collect(call.prompts.len(), call.n).await?;
    let mut choices = Vec::new();
    for (prompt, answers) in answers.into_iter().enumerate() {
        choices.extend(answers.into_iter().enumerate().map(|(index, answer)| call.choice(prompt, index, answer)));
    }
    Ok(json(&WireCompletion { choices, usage: Some(usage.into()), ..call.piece() }))
}

/// A prompt, and its text where it is given back.
struct Prompt {
    tokens: Vec<u32>,
    echo: Option<String>,
    /// The scores of its tokens but the first, once they are there.
    scores: Vec<Sampled>,
}

fn start(app: &Arc<App>, bytes: &[u8]) -> Answer<(CompletionCall, Answers)> {
    let wire = CompletionRequest::from_json(bytes)?;
    let adapter = app.adapter(&wire.model)?;
    let n = wire.sampling.n.unwrap_or(1);
    if wire.best_of.is_some_and(|best_of| best_of != n) {
        return Err(refused("best_of", "must be as 'n' or absent: answers are not chosen among").into());
    }
    let (count, most) = (wire.prompt.len(), app.config.max_prompts);
    if count > most {
        let told = format!("the parameter 'prompt' has {count} prompts, and {most} are taken at most");
        return Err(ApiError::invalid_request(told).with_param("prompt").into());
    }
    let echo = wire.echo.unwrap_or_default();
    let prompts: Vec<Prompt> = wire.prompt.items().into_iter().map(|item| read_prompt(app, item, echo)).collect::<Answer<_>>()?;
    let seed = app.draws.draw();
    let requests = prompts
        .iter()
        .map(|prompt| Ok(Request { adapter: adapter.clone(), ..request(app, &wire, &prompt.tokens, seed)? }))
        .collect::<Answer<_>>()?;
    let head = Head::new(app, "cmpl", &wire.model, &wire.sampling.stop_token_ids);
    let trace = Trace::new(&head.id, "text_completion", &wire.model);
    let answers = Answers::submit(app, requests, trace).map_err(|error| app.failure(error))?;
    Ok((CompletionCall::new(app, head, &wire, prompts), answers))
}

fn read_prompt(app: &App, item: PromptItem<'_>, echo: bool) -> Answer<Prompt> {
    let tokens = match item {
        PromptItem::Text(text) => app.tokenizer.encode(text).map_err(crate::Error::from)?,
        PromptItem::Tokens(tokens) => tokens.to_vec(),
    };
    let text = match item {
        _ if !echo => None,
        PromptItem::Text(text) => Some(text.to_owned()),
        PromptItem::Tokens(tokens) => Some(app.tokenizer.decode(tokens).map_err(crate::Error::from)?),
    };
    Ok(Prompt { tokens, echo: text, scores: Vec::new() })
}

fn request(app: &App, wire: &CompletionRequest, prompt: &[u32], seed: u64) -> Answer<Request> {
    let room = app.engine.max_len().saturating_sub(prompt.len()).max(1);
    let echoed = wire.logprobs.filter(|_| wire.echo == Some(true));
    let wishes = Wishes {
        limit: Some(wire.sampling.max_tokens.map_or(DEFAULT_MAX_TOKENS.min(room), |limit| limit as usize)),
        top_logprobs: wire.logprobs.unwrap_or_default(),
        prompt_logprobs: wire.sampling.prompt_logprobs.max(echoed),
        seed,
    };
    let request = sampling::request(prompt.to_vec(), &wire.sampling, wishes)?.with_deadline(app.deadline());
    Ok(structured::constrain(request, structured::wanted(None, wire.sampling.structured_outputs.as_ref()))?)
}

/// A call whose answers come.
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of the request, and they are independent")]
struct CompletionCall {
    app: Arc<App>,
    head: Head,
    prompts: Vec<Prompt>,
    n: usize,
    stream: bool,
    logprobs: bool,
    prompt_logprobs: bool,
    include_usage: bool,
    /// Of each choice: whether it has begun, and where its next token stands.
    begun: Vec<bool>,
    offsets: Vec<Offset>,
}

impl CompletionCall {
    fn new(app: &Arc<App>, head: Head, wire: &CompletionRequest, prompts: Vec<Prompt>) -> Self {
        let n = wire.sampling.n.unwrap_or(1) as usize;
        let choices = prompts.len() * n;
        Self {
            app: Arc::clone(app),
            head,
            prompts,
            n,
            stream: wire.stream,
            logprobs: wire.logprobs.is_some(),
            prompt_logprobs: wire.sampling.prompt_logprobs.is_some(),
            include_usage: wire.wants_usage(),
            begun: vec![false; choices],
            offsets: vec![Offset::default(); choices],
        }
    }

    /// What comes first of a choice: the prompt, where it is given back.
    fn echo(&mut self, prompt: usize, choice: usize) -> Option<(String, CompletionLogprobs)> {
        let is_first = !std::mem::replace(&mut self.begun[choice], true);
        let prompt = &self.prompts[prompt];
        let text = prompt.echo.clone().filter(|_| is_first)?;
        let first = *prompt.tokens.first()?;
        let scores = self.logprobs.then(|| self.offsets[choice].score_prompt(first, &prompt.scores, &self.app.vocabulary));
        Some((text, scores.unwrap_or_default()))
    }

    /// More of a choice, its prompt before it where that is given back.
    fn write(&mut self, prompt: usize, index: usize, text: &str, tokens: &[Sampled]) -> CompletionChoice {
        let choice = prompt * self.n + index;
        let (mut written, mut scores) = self.echo(prompt, choice).unwrap_or_default();
        written.push_str(text);
        if self.logprobs {
            logprobs::append(&mut scores, self.offsets[choice].score(tokens, &self.app.vocabulary));
        }
        CompletionChoice { index: choice as u32, text: written, logprobs: self.logprobs.then_some(scores), ..CompletionChoice::default() }
    }

    fn choice(&mut self, prompt: usize, index: usize, answer: Completion) -> CompletionChoice {
        let wanted = self.prompt_logprobs.then(|| logprobs::of_prompt(&answer.prompt_logprobs, &self.app.vocabulary));
        self.prompts[prompt].scores = answer.prompt_logprobs;
        let (finish_reason, stop_reason) = (Some(answer.finish.reason), self.head.stop(Some(&answer.finish)));
        CompletionChoice { finish_reason, stop_reason, prompt_logprobs: wanted, ..self.write(prompt, index, &answer.text, &answer.tokens) }
    }

    fn piece(&self) -> WireCompletion {
        let Head { id, model, created, .. } = self.head.clone();
        WireCompletion { id, model, created, ..WireCompletion::default() }
    }
}

impl Events for CompletionCall {
    fn write(&mut self, prompt: usize, output: Output) -> Option<String> {
        let chunk = match output {
            Output::Chunk(chunk) => chunk,
            Output::Prompt(scores) => {
                self.prompts[prompt].scores = scores;
                return None;
            }
            Output::Done(_) | Output::Failed(_) | Output::Pooled(_) => return None,
        };
        let finish = chunk.finish.as_ref();
        let (finish_reason, stop_reason) = (finish.map(|finish| finish.reason), self.head.stop(finish));
        let choice = Self::write(self, prompt, chunk.index, &chunk.text, &chunk.tokens);
        let scored = choice.logprobs.as_ref().is_some_and(|scores| !scores.tokens.is_empty());
        if choice.text.is_empty() && finish_reason.is_none() && !scored {
            return None;
        }
        let choices = vec![CompletionChoice { finish_reason, stop_reason, ..choice }];
        Some(event(&WireCompletion { choices, ..self.piece() }))
    }

    fn usage(&mut self, usage: Usage) -> Option<String> {
        self.include_usage.then(|| event(&WireCompletion { usage: Some(usage.into()), ..self.piece() }))
    }
}
