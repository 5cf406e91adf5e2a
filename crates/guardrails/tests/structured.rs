//! Typed answers of a model that is scripted: what it is asked, what it costs, and that nothing gets by that does not fit.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures_core::Stream;
use jarre_core::{
    Capability, ChatChunk, ChatModel, ChatRequest, ChatResponse, FinishReason, Message, ModelInfo, ResponseFormat, Role, Usage,
    future::{BoxFuture, BoxStream},
    testing::ScriptedModel,
};
use jarre_guardrails::{
    Error,
    schema::{Schema, SchemaConfig},
    structured::{Outcome, Progress, Structured, StructuredConfig},
};
use pollster::block_on;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ticket {
    title: String,
    urgency: Urgency,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Urgency {
    Low,
    High,
}

const GOOD: &str = r#"{"title": "door stuck", "urgency": "high", "tags": ["door"]}"#;
const BAD: &str = r#"{"title": 7, "urgency": "extreme"}"#;

fn tickets(model: ScriptedModel) -> Structured<ScriptedModel, Ticket> {
    Structured::new(model, StructuredConfig::default()).unwrap()
}

fn ask() -> ChatRequest {
    ChatRequest::new([Message::system("be brief"), Message::user("the door is stuck")])
}

fn reply(text: &str, usage: Usage) -> ChatResponse {
    ChatResponse::new(Message::assistant(text), FinishReason::Stop).with_usage(usage)
}

fn unanswered<T: std::fmt::Debug>(result: Result<T, Error>) -> jarre_guardrails::structured::Unanswered {
    match result.unwrap_err() {
        Error::Unanswered(unanswered) => *unanswered,
        other => panic!("{other}"),
    }
}

#[test]
fn the_schema_goes_where_the_model_takes_it() {
    let model = Arc::new(ScriptedModel::new().with_text(GOOD));
    let tickets = Structured::<_, Ticket>::new(Arc::clone(&model), StructuredConfig::default()).unwrap();
    let answer = block_on(tickets.ask(ask())).unwrap();
    assert_eq!(answer.value, Ticket { title: "door stuck".into(), urgency: Urgency::High, tags: vec!["door".into()] });
    let ResponseFormat::JsonSchema { schema, name } = &model.requests()[0].response_format else { panic!("no schema was sent") };
    assert_eq!((name.as_str(), schema), ("answer", tickets.schema().source()));
    assert_eq!(model.requests()[0].messages, ask().messages);

    let plain = ModelInfo::new("p", "m");
    for (info, format) in
        [(plain.clone(), ResponseFormat::Text), (plain.with_capability(Capability::JsonObject), ResponseFormat::JsonObject)]
    {
        let model = Arc::new(ScriptedModel::new().with_info(info).with_text(GOOD));
        let tickets = Structured::<_, Ticket>::new(Arc::clone(&model), StructuredConfig::default()).unwrap();
        block_on(tickets.ask(ask())).unwrap();
        let request = &model.requests()[0];
        assert_eq!(request.response_format, format);
        assert_eq!(request.messages.iter().map(|message| message.role).collect::<Vec<_>>(), [Role::System, Role::System, Role::User]);
        assert!(request.messages[1].text().contains(&tickets.schema().source().to_string()));
    }
}

#[test]
fn an_answer_that_does_not_fit_is_asked_for_again_with_what_is_wrong() {
    let model = ScriptedModel::new().with_response(reply(BAD, Usage::new(10, 5))).with_response(reply("{", Usage::new(20, 1)));
    let model = Arc::new(model.with_response(reply(GOOD, Usage::new(30, 9).with_cached(4))));
    let tickets = Structured::<_, Ticket>::new(Arc::clone(&model), StructuredConfig::default()).unwrap();
    let answer = block_on(tickets.ask(ask())).unwrap();
    assert_eq!(answer.usage, Usage::new(60, 15).with_cached(4));
    assert_eq!(answer.attempts.len(), 3);
    let Outcome::Violates(violations) = &answer.attempts[0].outcome else { panic!("{:?}", answer.attempts) };
    assert_eq!(violations, &tickets.schema().validate(&serde_json::from_str(BAD).unwrap()));
    let requests = model.requests();
    let [.., said, demand] = &requests[1].messages[..] else { panic!("no second question") };
    assert_eq!((said.text().as_str(), demand.role), (BAD, Role::User));
    assert!(violations.iter().all(|violation| demand.text().contains(&violation.message)), "{}", demand.text());
    assert!(demand.text().contains("`/title` must be a string, it is the number 7"));
    // The second answer takes the place of the first one.
    assert_eq!(requests[2].messages.len(), requests[1].messages.len());
    assert_eq!(requests[2].messages[2].text(), "{");
}

#[test]
fn attempts_and_tokens_are_a_budget() {
    let script = || (0..5).fold(ScriptedModel::new(), |model, _| model.with_response(reply(BAD, Usage::new(40, 10))));
    let cases = [(3, None, 3), (1, None, 1), (0, None, 1), (5, Some(100), 2), (5, Some(101), 3)];
    for (attempts, max_tokens, asked) in cases {
        let config = StructuredConfig { attempts, max_tokens, ..StructuredConfig::default() };
        let tickets = Structured::<_, Ticket>::new(script(), config).unwrap();
        let failed = unanswered(block_on(tickets.ask(ask())));
        assert_eq!((failed.attempts.len(), failed.usage), (asked, Usage::new(40 * asked as u64, 10 * asked as u64)));
        assert!(failed.reason().contains("/title"));
    }
}

#[test]
fn what_cannot_be_mended_is_not_asked_for_again() {
    let withheld = ChatResponse::new(Message::assistant("no"), FinishReason::ContentFilter);
    let failed = unanswered(block_on(tickets(ScriptedModel::new().with_response(withheld).with_text(GOOD)).ask(ask())));
    assert_eq!(failed.attempts.iter().map(|attempt| &attempt.outcome).collect::<Vec<_>>(), [&Outcome::Withheld]);
    let down = jarre_core::Error::new(jarre_core::ErrorKind::Unavailable, "down");
    let result = block_on(tickets(ScriptedModel::new().with_error(down).with_text(GOOD)).ask(ask()));
    assert!(matches!(result, Err(Error::Model(_))));
}

#[test]
fn an_answer_that_was_cut_off_is_told_to_be_shorter() {
    let cut = ChatResponse::new(Message::assistant(r#"{"title": "do"#), FinishReason::Length);
    let answer = block_on(tickets(ScriptedModel::new().with_response(cut).with_text(GOOD)).ask(ask())).unwrap();
    assert_eq!(answer.attempts[0].outcome, Outcome::CutOff);
}

#[test]
fn answers_may_be_untyped_and_types_stricter_than_the_schema() {
    let schema = Schema::compile(&json!({"type": "object"}), &SchemaConfig::default()).unwrap();
    let model = ScriptedModel::new().with_text(r#"{"a": [1]}"#);
    let values = Structured::<_, Value>::with_schema(model, schema.clone(), StructuredConfig::default());
    assert_eq!(block_on(values.ask(ask())).unwrap().value, json!({"a": [1]}));

    let model = ScriptedModel::new().with_text(r#"{"a": "x"}"#).with_text(r#"{"a": 3}"#);
    let counts = Structured::<_, BTreeMap<String, u8>>::with_schema(model, schema, StructuredConfig::default());
    let answer = block_on(counts.ask(ask())).unwrap();
    assert!(matches!(&answer.attempts[0].outcome, Outcome::Mistyped(_)));
    assert_eq!(answer.value["a"], 3);
}

/// Streams its answers byte for byte, counts what is taken of them, and notes when a stream is dropped.
struct Typist {
    info: ModelInfo,
    answers: Vec<&'static str>,
    asked: AtomicUsize,
    taken: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Typist {
    fn new(answers: impl IntoIterator<Item = &'static str>) -> Self {
        let info = ModelInfo::new("test", "typist").with_capability(Capability::JsonSchema);
        Self { info, answers: answers.into_iter().collect(), asked: 0.into(), taken: Arc::default(), dropped: Arc::default() }
    }
}

impl ChatModel for Typist {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, jarre_core::Result<ChatResponse>> {
        Box::pin(async move { ChatResponse::collect(self.stream(request).await?).await })
    }

    fn stream(&self, _: ChatRequest) -> BoxFuture<'_, jarre_core::Result<BoxStream<'static, jarre_core::Result<ChatChunk>>>> {
        let text = self.answers[self.asked.fetch_add(1, Ordering::Relaxed)];
        let mut chunks: Vec<_> = text.chars().map(|character| ChatChunk::text(character.to_string())).collect();
        for (chunk, written) in chunks.iter_mut().zip(1..) {
            chunk.usage = Some(Usage::new(7, written));
        }
        chunks.push(ChatChunk::finish(FinishReason::Stop));
        let typing = Typing { chunks: chunks.into_iter(), taken: Arc::clone(&self.taken), dropped: Arc::clone(&self.dropped) };
        Box::pin(async move { Ok(Box::pin(typing) as BoxStream<'static, _>) })
    }
}

struct Typing {
    chunks: std::vec::IntoIter<ChatChunk>,
    taken: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Stream for Typing {
    type Item = jarre_core::Result<ChatChunk>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.taken.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(self.chunks.next().map(Ok))
    }
}

impl Drop for Typing {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_stream_shows_the_value_as_it_grows() {
    let tickets = Structured::<_, Ticket>::new(Typist::new([GOOD]), StructuredConfig::default()).unwrap();
    let mut answering = tickets.stream(ask());
    let mut shown = Vec::new();
    let answer = loop {
        match block_on(answering.next()).unwrap().unwrap() {
            Progress::Partial(value) => shown.push(value.clone()),
            Progress::Again(outcome) => panic!("{outcome:?}"),
            Progress::Answer(answer) => break answer,
        }
    };
    assert!(block_on(answering.next()).unwrap().is_none());
    assert_eq!(shown.first(), Some(&json!({})));
    assert!(shown.contains(&json!({"title": "door st"})));
    assert_eq!(shown.last(), Some(&answer.json));
    assert_eq!(answer.value.tags, ["door"]);
    assert_eq!(answer.usage, Usage::new(7, GOOD.len() as u64));
}

#[test]
fn a_stream_that_cannot_fit_is_dropped_at_once_and_asked_for_again() {
    let bad = r#"{"title": "x", "urgency": "extreme and so on for a long time"}"#;
    let model = Typist::new([bad, GOOD]);
    let (taken, dropped) = (Arc::clone(&model.taken), Arc::clone(&model.dropped));
    let tickets = Structured::<_, Ticket>::new(model, StructuredConfig::default()).unwrap();
    let mut answering = tickets.stream(ask());
    let at = loop {
        match block_on(answering.next()).unwrap().unwrap() {
            Progress::Partial(_) => {}
            Progress::Again(Outcome::BrokenOff { at, .. }) => break *at,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(at, bad.find("extreme").unwrap());
    assert_eq!((taken.load(Ordering::Relaxed), dropped.load(Ordering::Relaxed)), (at + 1, 1));
    let answer = loop {
        if let Progress::Answer(answer) = block_on(answering.next()).unwrap().unwrap() {
            break answer;
        }
    };
    assert_eq!(answer.usage, Usage::new(14, (at + 1 + GOOD.len()) as u64));
    assert_eq!(answer.attempts.len(), 2);
}

#[test]
fn a_stream_is_read_to_its_end_where_that_is_asked_for_or_where_prose_comes_first() {
    let bad = r#"{"title": "x", "urgency": "extreme"}"#;
    for (text, stop_early) in [(bad, false), ("Sure [1]: {}", true)] {
        let config = StructuredConfig { attempts: 1, stop_early, ..StructuredConfig::default() };
        let model = Typist::new([text]);
        let taken = Arc::clone(&model.taken);
        let tickets = Structured::<_, Ticket>::new(model, config).unwrap();
        let mut answering = tickets.stream(ask());
        let failed = loop {
            match block_on(answering.next()) {
                Ok(Some(Progress::Partial(_))) => {}
                other => break unanswered(other),
            }
        };
        assert!(matches!(failed.attempts[0].outcome, Outcome::Violates(_)));
        assert_eq!(taken.load(Ordering::Relaxed), text.len() + 2);
        assert!(block_on(answering.next()).unwrap().is_none());
    }
}

proptest! {
    #[test]
    fn whatever_is_answered_fits(texts in prop::collection::vec(r#"(\{"title": ("a"|1), "urgency": ("low"|"high"|"no")(, "tags": (\[\]|3))?\}|[\[\]{}":a1,]{0,8})"#, 3)) {
        let script = |texts: &[String]| texts.iter().fold(ScriptedModel::new(), |model, text| model.with_text(text.as_str()));
        let tickets = tickets(script(&texts));
        let asked = block_on(tickets.ask(ask()));
        if let Ok(answer) = &asked {
            prop_assert!(tickets.schema().allows(&answer.json));
            prop_assert_eq!(&serde_json::to_value(&answer.value).unwrap()["title"], &answer.json["title"]);
        }
        // Streaming comes to the same answer, where it is read to its end.
        let config = StructuredConfig { stop_early: false, ..StructuredConfig::default() };
        let again = Structured::<_, Ticket>::new(script(&texts), config).unwrap();
        let mut answering = again.stream(ask());
        let streamed = loop {
            match block_on(answering.next()) {
                Ok(Some(Progress::Answer(answer))) => break Some(answer.json),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break None,
            }
        };
        prop_assert_eq!(streamed, asked.ok().map(|answer| answer.json));
    }
}
