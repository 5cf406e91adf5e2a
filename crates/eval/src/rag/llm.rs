use jarre_core::{BoxFuture, ChatModel};
use serde_json::{Value, json};

use super::{
    Detail, EntityFinder, PosedQuestion, QuestionWriter, RagJudge,
    json::last_object,
    prompts,
    reply::{self, list_of, schema},
};
use crate::judge::{Asker, Inquiry, JudgeId, TRUST, Unjudged, Untrusted, whole_object};

/// Judges by asking a model. Sampling is seeded, and greedy but for the second and further questions of
/// [`AnswerRelevancy`](super::AnswerRelevancy), which are wanted for being different. All texts are quoted as [`Untrusted`], and models that keep to schemas are
/// held to one.
///
/// A premise, passage or text longer than a window is shown window by window, and a statement is supported where one of them supports it. A
/// statement whose grounds lie in two windows apart is missed: choose the window as large as the model reads well. Of a question or an
/// answer that only goes with it, head and tail are shown.
#[derive(Clone, Debug)]
pub struct LlmRagJudge<M> {
    asker: Asker<M>,
    window: usize,
}

impl<M: ChatModel> LlmRagJudge<M> {
    /// A judge that asks `model`.
    pub fn new(model: M) -> Self {
        let asker = Asker { max_tokens: 4_096, ..Asker::new(model) };
        Self { asker, window: 24_000 }
    }

    /// Seeds the model and the fences; 0 unless set.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.asker.seed = seed;
        self
    }

    /// Lets the model write this many tokens a call; 4,096 unless set.
    pub fn with_max_tokens(mut self, max_tokens: u32) -> Self {
        self.asker.max_tokens = max_tokens;
        self
    }

    /// Shows this many characters of a text at once; 24,000 unless set. Windows overlap by an eighth.
    ///
    /// # Panics
    /// Where it is below 8.
    pub fn with_window(mut self, characters: usize) -> Self {
        assert!(characters >= 8, "a window of {characters} characters shows nothing");
        self.window = characters;
        self
    }

    fn identity(&self) -> JudgeId {
        let [provider, model, format, seed, max_tokens] = self.asker.parts();
        let (low, high, window) = (prompts::statements(Detail::Low), prompts::statements(Detail::High), self.window.to_string());
        let prompts = [TRUST, &low, &high, prompts::SUPPORTED, prompts::USEFUL, prompts::QUESTION, prompts::ENTITIES].join("\n");
        JudgeId::new(format!("llm:{model}"), &["rag llm", &provider, &model, &format, &seed, &max_tokens, &window, &prompts])
    }

    /// Asks about `texts`, and reads the object that has the schema's first member.
    async fn ask(&self, system: &str, texts: &[Untrusted], name: &'static str, schema: Value, repeat: u32) -> Result<Value, Unjudged> {
        let quoted: Vec<&str> = texts.iter().map(Untrusted::as_str).collect();
        let key = schema["required"][0].as_str().unwrap_or_default().to_owned();
        let inquiry = Inquiry { system: format!("{system}\n\n{TRUST}"), user: quoted.join("\n\n"), name, schema };
        let temperature = if repeat == 0 { 0.0 } else { REPEATS_TEMPERATURE };
        let reply = self.asker.ask_at(temperature, inquiry, repeat).await?;
        let object = if self.asker.keeps_schema() { whole_object(&reply.text) } else { last_object(&reply.text, &key) };
        reply.explain(object.ok_or_else(|| Unjudged::Unreadable(format!("the judge's reply is no JSON object with {key:?}"))))
    }

    /// Head and tail where the text is longer than a window.
    fn quote(&self, title: &str, text: &str) -> Untrusted {
        Untrusted::new(title, text, self.asker.seed, self.window)
    }

    async fn state(&self, question: &str, text: &str, detail: Detail) -> Result<Vec<String>, Unjudged> {
        let system = prompts::statements(detail);
        let mut statements = Vec::new();
        for window in windows(text, self.window).into_iter().filter(|window| has_words(window)) {
            let texts = [self.quote("question", question), self.quote("text", window)];
            let object = self.ask(&system, &texts, "statements", schema(&[("statements", list_of(&json!({"type": "string"})))]), 0).await?;
            add_new(&mut statements, reply::texts(&object, "statements")?);
        }
        Ok(statements)
    }

    async fn check(&self, premise: &str, statements: &[String]) -> Result<Vec<Option<bool>>, Unjudged> {
        let mut verdicts = Vec::with_capacity(statements.len());
        for batch in statements.chunks(BATCH) {
            let mut merged = vec![Some(false); batch.len()];
            for window in windows(premise, self.window) {
                for (merged, verdict) in merged.iter_mut().zip(self.check_window(window, batch).await?) {
                    *merged = either(*merged, verdict);
                }
            }
            verdicts.extend(merged);
        }
        Ok(verdicts)
    }

    async fn check_window(&self, window: &str, statements: &[String]) -> Result<Vec<Option<bool>>, Unjudged> {
        let one_line = |statement: &String| statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let numbered: Vec<String> =
            statements.iter().enumerate().map(|(index, statement)| format!("{}. {}", index + 1, one_line(statement))).collect();
        let members =
            [("index", json!({"type": "integer"})), ("reason", json!({"type": "string"})), ("supported", json!({"type": "boolean"}))];
        let schema = schema(&[("verdicts", list_of(&schema(&members)))]);
        let statements_text = Untrusted::new("statements", &numbered.join("\n"), self.asker.seed, usize::MAX);
        let object = self.ask(prompts::SUPPORTED, &[self.quote("source", window), statements_text], "verdicts", schema, 0).await?;
        reply::verdicts(&object, statements.len())
    }

    /// Whether a window of the passage is useful.
    async fn use_of(&self, question: &str, passage: &str, answer: &str) -> Result<bool, Unjudged> {
        for window in windows(passage, self.window) {
            let schema = schema(&[("reason", json!({"type": "string"})), ("useful", json!({"type": "boolean"}))]);
            let texts = [self.quote("question", question), self.quote("answer", answer), self.quote("passage", window)];
            if reply::flag(&self.ask(prompts::USEFUL, &texts, "useful", schema, 0).await?, "useful")? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn name_all(&self, text: &str) -> Result<Vec<String>, Unjudged> {
        let mut names = Vec::new();
        for window in windows(text, self.window).into_iter().filter(|window| has_words(window)) {
            let schema = schema(&[("entities", list_of(&json!({"type": "string"})))]);
            let object = self.ask(prompts::ENTITIES, &[self.quote("text", window)], "entities", schema, 0).await?;
            add_new(&mut names, reply::texts(&object, "entities")?);
        }
        Ok(names)
    }

    async fn pose(&self, answer: &str, repeat: u32) -> Result<PosedQuestion, Unjudged> {
        let schema = schema(&[("question", json!({"type": "string"})), ("noncommittal", json!({"type": "boolean"}))]);
        let object = self.ask(prompts::QUESTION, &[self.quote("answer", answer)], "question", schema, repeat).await?;
        let question = object["question"].as_str().unwrap_or_default().trim().to_owned();
        Ok(PosedQuestion { question, noncommittal: reply::flag(&object, "noncommittal")? })
    }
}

impl<M: ChatModel> RagJudge for LlmRagJudge<M> {
    fn id(&self) -> JudgeId {
        self.identity()
    }

    fn statements<'a>(&'a self, question: &'a str, text: &'a str, detail: Detail) -> BoxFuture<'a, Result<Vec<String>, Unjudged>> {
        Box::pin(self.state(question, text, detail))
    }

    fn supported<'a>(&'a self, premise: &'a str, statements: &'a [String]) -> BoxFuture<'a, Result<Vec<Option<bool>>, Unjudged>> {
        Box::pin(self.check(premise, statements))
    }

    fn is_useful<'a>(&'a self, question: &'a str, passage: &'a str, answer: &'a str) -> BoxFuture<'a, Result<bool, Unjudged>> {
        Box::pin(self.use_of(question, passage, answer))
    }
}

impl<M: ChatModel> QuestionWriter for LlmRagJudge<M> {
    fn id(&self) -> JudgeId {
        self.identity()
    }

    fn question<'a>(&'a self, answer: &'a str, repeat: u32) -> BoxFuture<'a, Result<PosedQuestion, Unjudged>> {
        Box::pin(self.pose(answer, repeat))
    }
}

impl<M: ChatModel> EntityFinder for LlmRagJudge<M> {
    fn id(&self) -> JudgeId {
        self.identity()
    }

    fn entities<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Vec<String>, Unjudged>> {
        Box::pin(self.name_all(text))
    }
}

/// Repeats are wanted for being different; by the likeliest tokens alone they would be the same.
const REPEATS_TEMPERATURE: f32 = 0.3;

/// Statements a call: more than these and models lose count.
const BATCH: usize = 40;

fn has_words(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

/// Windows overlap, so that what one found another finds again.
fn add_new(known: &mut Vec<String>, found: Vec<String>) {
    for text in found {
        if !known.contains(&text) {
            known.push(text);
        }
    }
}

/// Supported by one window is supported; unsaid in one of them and supported by none is unsaid.
fn either(first: Option<bool>, second: Option<bool>) -> Option<bool> {
    match (first, second) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (None, _) | (_, None) => None,
        _ => Some(false),
    }
}

/// Windows of `size` characters, each an eighth into the one before; the last one ends with the text.
fn windows(text: &str, size: usize) -> Vec<&str> {
    let places: Vec<usize> = text.char_indices().map(|(place, _)| place).chain([text.len()]).collect();
    let total = places.len() - 1;
    if total <= size {
        return vec![text];
    }
    let last = total - size;
    let starts = (0..last).step_by(size - size / 8).chain([last]);
    starts.map(|start| &text[places[start]..places[start + size]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_the_text_and_overlap() {
        assert_eq!(windows("äbcdefgh", 8), ["äbcdefgh"]);
        assert_eq!(windows("äbcdefghijklmnop", 8), ["äbcdefgh", "hijklmno", "ijklmnop"]);
        assert_eq!(windows("", 8), [""]);
    }

    #[test]
    fn one_window_is_enough() {
        assert_eq!(either(Some(false), Some(true)), Some(true));
        assert_eq!(either(None, Some(true)), Some(true));
        assert_eq!(either(Some(false), None), None);
        assert_eq!(either(Some(false), Some(false)), Some(false));
    }
}
