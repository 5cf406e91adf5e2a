use std::sync::Arc;

use jarre_core::{BoxFuture, ChatModel, ChatRequest, ChatResponse, FinishReason, Message, Sampling};

use super::{
    Answer, Answerer, Budget, Calibration, Citation, Context, Extractive, Flag, Passages, Reason, Verdict, prompt,
    support::{Checker, Statement, Support, statements},
};
use crate::{Result, chunk::WordTokens};

/// Answers in words of a chat model, each sentence checked against the source that it cites.
///
/// The model sees the passages that fit a [`Budget`], numbered, between marks that their text cannot forge, and is told that they are
/// material and no instructions ([`PROMPT_VERSION`](super::PROMPT_VERSION)). Its answer is returned as written; sentences that cite
/// nothing, cite a source that was not given, or say what their source does not, are [flagged](Flag). The check is lexical: it finds
/// invented names and figures, not a wrong conclusion from the right words.
#[derive(Clone)]
pub struct ChatAnswerer<M> {
    model: M,
    budget: Budget,
    sampling: Sampling,
    gate: Option<Calibration>,
}

impl<M: ChatModel> ChatAnswerer<M> {
    /// The default: 2,000 tokens of passages as [`WordTokens`] counts them, greedy decoding, at most 512 tokens of answer, and every
    /// question put to the model.
    pub fn new(model: M) -> Self {
        let budget = Budget::new(Arc::new(WordTokens), 2000).with_overhead(24);
        Self { model, budget, sampling: Sampling::greedy().with_max_tokens(512), gate: None }
    }

    /// Gives the model as many passages as fit `budget`.
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Samples otherwise.
    pub fn with_sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Refuses without asking the model where `calibration` finds the passages too weak.
    pub fn with_gate(mut self, calibration: Calibration) -> Self {
        self.gate = Some(calibration);
        self
    }

    async fn run(&self, question: &str, passages: &Passages<'_>) -> Result<Answer> {
        if let Some(refused) = self.refuse_early(question, passages)? {
            return Ok(refused);
        }
        let context = self.budget.fill(passages.list());
        if context.kept.is_empty() {
            return Ok(Answer::refused(Reason::NothingFound, 0.0));
        }
        let tag = prompt::tag(question, passages, &context);
        let messages = [Message::system(prompt::instructions(&tag)), Message::user(prompt::request(question, passages, &context, &tag))];
        let response = self.model.chat(ChatRequest::new(messages).with_sampling(self.sampling.clone())).await?;
        review(&response, passages, &context)
    }

    fn refuse_early(&self, question: &str, passages: &Passages<'_>) -> Result<Option<Answer>> {
        if !question.contains(char::is_alphanumeric) {
            return Ok(Some(Answer::refused(Reason::EmptyQuestion, 0.0)));
        }
        let Some(calibration) = self.gate else { return Ok(None) };
        Extractive::new().with_calibration(calibration).refusal(question, passages)
    }
}

impl<M> std::fmt::Debug for ChatAnswerer<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatAnswerer").field("budget", &self.budget).field("sampling", &self.sampling).finish_non_exhaustive()
    }
}

impl<M: ChatModel> Answerer for ChatAnswerer<M> {
    fn answer<'a>(&'a self, question: &'a str, passages: &'a Passages<'a>) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(self.run(question, passages))
    }
}

/// The answer that `response` amounts to.
fn review(response: &ChatResponse, passages: &Passages<'_>, context: &Context) -> Result<Answer> {
    let text = response.message.text().trim().to_owned();
    let statements = statements(&text);
    if statements.is_empty() || declines(&text, &statements) {
        return Ok(Answer::refused(Reason::Declined, 0.0));
    }
    let sources = context.kept.iter().map(|&index| &passages.list()[index]).collect();
    let checker = Checker::new(sources, passages.vocabulary());
    let mut review = Review::default();
    for statement in &statements {
        review.add(statement, &checker, passages, context)?;
    }
    if response.finish_reason == FinishReason::Length {
        review.flags.push(Flag::CutOff);
    }
    let confidence = review.supported as f32 / statements.len() as f32;
    Ok(Answer { text, verdict: Verdict::Answered, confidence, citations: review.citations, flags: review.flags })
}

/// Whether the model says that the sources do not answer: the phrase that it was told, first or without any citation.
fn declines(text: &str, statements: &[Statement]) -> bool {
    let text = text.to_uppercase();
    let first = text.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(prompt::REFUSAL);
    first || (text.contains(prompt::REFUSAL) && statements.iter().all(|statement| statement.sources.is_empty()))
}

#[derive(Default)]
struct Review {
    citations: Vec<Citation>,
    flags: Vec<Flag>,
    supported: usize,
}

impl Review {
    fn add(&mut self, statement: &Statement, checker: &Checker<'_>, passages: &Passages<'_>, context: &Context) -> Result<()> {
        let unknown = statement.sources.iter().filter(|&&number| number == 0 || number > checker.len());
        self.flags.extend(unknown.map(|&number| Flag::UnknownSource { number }));
        let sentence = statement.text.clone();
        if statement.sources.is_empty() {
            self.flags.push(Flag::Uncited { sentence });
            return Ok(());
        }
        if let Some(support) = checker.support(statement)? {
            return self.cite(support, passages, context);
        }
        self.flags.push(Flag::Unsupported { sentence });
        Ok(())
    }

    fn cite(&mut self, support: Support, passages: &Passages<'_>, context: &Context) -> Result<()> {
        self.supported += 1;
        for (source, span) in support {
            let passage = &passages.list()[context.kept[source]];
            let citation = Citation::new(passage, span)?;
            citation.verify(passage.document)?;
            if !self.citations.contains(&citation) {
                self.citations.push(citation);
            }
        }
        Ok(())
    }
}
