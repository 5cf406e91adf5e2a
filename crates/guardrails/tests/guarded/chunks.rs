//! However an answer is cut into chunks, what goes on is the same.

use std::{collections::VecDeque, sync::Arc};

use jarre_core::{
    ChatChunk, ChatRequest, ChatResponse, Delta, FinishReason, Message, Part, Role, ToolCall, Usage, testing::ManualClock,
    testing::ScriptedModel,
};
use jarre_guardrails::{
    guarded::{Guarded, GuardedConfig},
    pipeline::Pipeline,
};
use proptest::prelude::*;

use crate::{
    guards,
    models::{collect, layer, streamed},
};

/// The deltas of a part, cut after every character whose turn it is.
fn deltas(index: usize, part: &Part, cuts: &[bool]) -> VecDeque<Delta> {
    let cut = |text: &str| -> Vec<String> {
        let mut pieces = vec![String::new()];
        for (letter, cut) in text.chars().zip(cuts.iter().cycle()) {
            pieces.last_mut().unwrap().push(letter);
            pieces.extend(cut.then(String::new));
        }
        pieces
    };
    match part {
        Part::Text { text } => cut(text).into_iter().map(|text| Delta::Text { index, text }).collect(),
        Part::ToolCall(call) => {
            let named = |(at, arguments)| Delta::ToolCall {
                index,
                id: (at == 0).then(|| call.id.clone()),
                name: (at == 0).then(|| call.name.clone()),
                arguments,
            };
            cut(&call.arguments).into_iter().enumerate().map(named).collect()
        }
        _ => unreachable!("no others are made here"),
    }
}

fn mix(mut sequences: Vec<VecDeque<Delta>>, turns: &[usize]) -> Vec<ChatChunk> {
    let mut mixed = Vec::new();
    for turn in turns.iter().cycle() {
        sequences.retain(|sequence| !sequence.is_empty());
        if sequences.is_empty() {
            break;
        }
        let at = turn % sequences.len();
        mixed.extend(sequences[at].pop_front().map(ChatChunk::from));
    }
    mixed
}

fn read(kinds: &[usize], chunks: Vec<ChatChunk>) -> ChatResponse {
    let pipeline = kinds
        .iter()
        .fold(Pipeline::new(Arc::new(ManualClock::new())), |pipeline, kind| pipeline.with_group([layer(guards::of_kind(*kind))]));
    let model = ScriptedModel::new().with_chunks(chunks.into_iter().map(Ok));
    collect(streamed(&Guarded::new(model, pipeline, GuardedConfig::default()), ChatRequest::user("hi"))).unwrap()
}

fn one_text() -> impl Strategy<Value = Vec<Part>> {
    "[abdfqxz01 \n<é😀]{0,40}".prop_map(|text| vec![Part::text(text)])
}

fn calls() -> impl Strategy<Value = Vec<Part>> {
    let call = "[abdfqxz01 <é]{0,12}".prop_map(|text| ToolCall::new("c", "t", format!("{{\"a\": \"{text}\"}}")).into());
    prop::collection::vec(call, 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn chunks_make_no_difference(
        kinds in prop::collection::vec(0..guards::KINDS, 0..4),
        text in one_text(),
        calls in calls(),
        cuts in prop::collection::vec(any::<bool>(), 1..8),
        turns in prop::collection::vec(any::<usize>(), 1..8),
    ) {
        let parts: Vec<Part> = text.into_iter().chain(calls).collect();
        let end = || ChatChunk::finish(FinishReason::Stop).with_usage(Usage::new(1, 2));
        let whole: Vec<ChatChunk> = ChatResponse::new(Message::new(Role::Assistant, parts.clone()), FinishReason::Stop).with_usage(Usage::new(1, 2)).into_chunks();
        let sequences = parts.iter().enumerate().map(|(index, part)| deltas(index, part, &cuts)).collect();
        let mut chunks = mix(sequences, &turns);
        chunks.push(end());
        let (one, other) = (read(&kinds, whole), read(&kinds, chunks));
        prop_assert_eq!(one.message.text(), other.message.text());
        prop_assert_eq!(one.message.tool_calls().collect::<Vec<_>>(), other.message.tool_calls().collect::<Vec<_>>());
        prop_assert_eq!(one.finish_reason, other.finish_reason);
    }
}
