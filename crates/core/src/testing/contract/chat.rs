use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    Capability, ChatModel, ChatRequest, ChatResponse, ErrorKind, FinishReason, Message, Part, Permission, ResponseFormat, Role, Sampling,
    Timestamp, ToolChoice, ToolSpec, future,
};

/// How many requests [`chat_model`] makes that a correct model answers: the replies that a scripted one needs. A model with
/// [`Capability::Seed`] gets two more.
pub const CHAT_MODEL_CALLS: usize = 6;

/// Checks what every [`ChatModel`] keeps. The model has to answer a plain question with text.
///
/// # Panics
/// Where it does not.
pub async fn chat_model(model: &dyn ChatModel) {
    let info = model.info();
    assert!(!info.name.is_empty() && !info.provider.is_empty(), "the model says who it is");
    refuses_what_cannot_be_answered(model).await;
    refuses_what_it_cannot_do(model).await;

    check_answer(&model.chat(question()).await.expect("a plain question is answered"));
    check_answer(&streamed(model).await);
    stays_usable_when_cancelled(model).await;
    answers_in_any_order(model).await;
    if model.info().can(Capability::Seed) {
        repeats_itself_with_a_seed(model).await;
    }
}

/// Checks a model that generates text and claims to honour [`Sampling::max_tokens`] and [`Sampling::stop`], which a scripted one does
/// not. Its greedy answer to a plain question has to be two words or more.
///
/// # Panics
/// Where it does not.
pub async fn chat_sampling(model: &dyn ChatModel) {
    let ask = async |sampling| model.chat(question().with_sampling(sampling)).await.expect("a plain question is answered");
    let free = ask(Sampling::greedy().with_max_tokens(64)).await;
    assert!(free.usage.completion_tokens <= 64, "the token limit is kept");

    let cut = ask(Sampling::greedy().with_max_tokens(1)).await;
    assert!(cut.usage.completion_tokens <= 1, "the token limit is kept");
    assert_eq!(cut.finish_reason, FinishReason::Length, "an answer that the token limit cuts off says so");

    let text = free.message.text();
    let stop = text.split_whitespace().nth(1).expect("the greedy answer is two words or more");
    let before = text.split(stop).next().unwrap_or_default();
    let stopped = ask(Sampling::greedy().with_max_tokens(64).with_stop([stop])).await;
    assert_eq!(stopped.message.text().trim_end(), before.trim_end(), "the answer ends before the stop text");
    assert_eq!(stopped.finish_reason, FinishReason::Stop, "an answer that a stop text ends was not cut off");
}

fn question() -> ChatRequest {
    ChatRequest::new([Message::system("Answer in one sentence."), Message::user("Why is the sky blue?")])
}

async fn refuses_what_cannot_be_answered(model: &dyn ChatModel) {
    refuses(model, ChatRequest::new([]), ErrorKind::InvalidRequest, "a request without messages").await;
    refuses(model, question().with_deadline(Timestamp::MIN), ErrorKind::Timeout, "a request whose deadline has passed").await;
}

async fn refuses_what_it_cannot_do(model: &dyn ChatModel) {
    let image = Message::user("what is this?").with_part(Part::image_bytes("image/png", *b"\x89PNG\r\n\x1a\n"));
    let tool = ToolSpec::new("look_up", "looks a word up", json!({"type": "object"}), Permission::Read);
    let schema = ResponseFormat::json_schema("answer", json!({"type": "object"}));
    let needs = [
        (Capability::Images, ChatRequest::new([image])),
        (Capability::Tools, question().with_tool(tool.clone())),
        (Capability::JsonObject, question().with_response_format(ResponseFormat::JsonObject)),
        (Capability::JsonSchema, question().with_response_format(schema)),
    ];
    for (capability, request) in needs {
        if !model.info().can(capability) {
            refuses(model, request, ErrorKind::InvalidRequest, &format!("a request that needs {capability:?}, which the model lacks"))
                .await;
        }
    }
    let choice = ToolChoice::Tool { name: "another".into() };
    let absent = question().with_tool(tool).with_tool_choice(choice);
    refuses(model, absent, ErrorKind::InvalidRequest, "a choice of a tool that is not offered").await;
}

async fn refuses(model: &dyn ChatModel, request: ChatRequest, kind: ErrorKind, what: &str) {
    let refused = model.chat(request.clone()).await.map_err(|error| error.kind());
    assert_eq!(refused.err(), Some(kind), "chat refuses {what}");
    let refused = match model.stream(request).await {
        Ok(stream) => ChatResponse::collect(stream).await.map_err(|error| error.kind()),
        Err(error) => Err(error.kind()),
    };
    assert_eq!(refused.err(), Some(kind), "stream refuses {what}");
}

fn check_answer(answer: &ChatResponse) {
    assert_eq!(answer.message.role, Role::Assistant, "the assistant answers");
    assert!(!answer.message.text().is_empty(), "a plain question is answered with text");
    assert_eq!(answer.message.tool_calls().count(), 0, "tools that were not offered are not called");
    assert!(matches!(answer.finish_reason, FinishReason::Stop | FinishReason::Length), "the finish reason fits the answer");
    assert!(answer.usage.cached_tokens <= answer.usage.prompt_tokens, "cached tokens are among the prompt's");
    let first = answer.timings.time_to_first_token;
    assert!(first.is_none_or(|first| first <= answer.timings.total), "the first token comes before the last");
}

/// Reads a stream to its end, after which it must have told everything once and nothing after the finish reason.
async fn streamed(model: &dyn ChatModel) -> ChatResponse {
    let mut stream = model.stream(question()).await.expect("a plain question is answered");
    let (mut chunks, mut finished) = (Vec::new(), 0);
    while let Some(chunk) = future::next(&mut stream).await {
        let chunk = chunk.expect("a plain question is answered");
        finished += usize::from(chunk.finish_reason.is_some());
        chunks.push(Ok(chunk));
    }
    assert_eq!(finished, 1, "the stream states its finish reason, once");
    ChatResponse::collect(future::iter(chunks)).await.expect("the chunks fold to an answer")
}

async fn stays_usable_when_cancelled(model: &dyn ChatModel) {
    let mut stream = model.stream(question()).await.expect("a plain question is answered");
    future::next(&mut stream).await.expect("the stream has a chunk").expect("a plain question is answered");
    drop(stream);
    drop(model.chat(question()));
    check_answer(&model.chat(question()).await.expect("the model is usable after a stream was dropped"));
}

/// Futures that were made but not polled must not stand in each other's way.
async fn answers_in_any_order(model: &dyn ChatModel) {
    let (first, second) = (model.chat(question()), model.chat(question()));
    let answers = [second.await, first.await].map(|answer| answer.expect("requests are answered in the order that they are awaited in"));
    let ids: BTreeSet<_> = answers.iter().filter_map(|answer| answer.id.as_ref()).collect();
    let named = answers.iter().filter(|answer| answer.id.is_some()).count();
    assert_eq!(ids.len(), named, "every answer has an id of its own, or none");
}

async fn repeats_itself_with_a_seed(model: &dyn ChatModel) {
    let sampling = Sampling::default().with_temperature(1.0).with_seed(7).with_max_tokens(32);
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push(model.chat(question().with_sampling(sampling.clone())).await.expect("a plain question is answered").message);
    }
    assert_eq!(answers[0], answers[1], "the same request with a seed gets the same answer");
}
