//! What comes back from the model.

use std::sync::atomic::Ordering;

use jarre_core::{
    ChatChunk, ChatModel, ChatRequest, Delta, Error, ErrorKind, FinishReason, Message, Part, Timings, Usage, future, testing::ScriptedModel,
};
use jarre_guardrails::{
    Effect, Reach, Stage,
    guarded::{Guarded, GuardedConfig},
};
use pollster::block_on;

use crate::{
    guards::{places, whole},
    models::{Watched, collect, guarded, layer, numbers, pipeline, stops_at, streamed},
};

fn ask() -> ChatRequest {
    ChatRequest::user("hi")
}

fn words(text: &str) -> Vec<ChatChunk> {
    text.split_inclusive(' ').map(ChatChunk::text).chain([ChatChunk::finish(FinishReason::Stop)]).collect()
}

fn texts(chunks: &[jarre_core::Result<ChatChunk>]) -> String {
    let deltas = chunks.iter().flat_map(|chunk| &chunk.as_ref().unwrap().deltas);
    deltas.map(|delta| if let Delta::Text { text, .. } = delta { text.as_str() } else { "" }).collect()
}

#[test]
fn a_stream_is_cut_where_the_block_starts_and_the_model_is_stopped() {
    let model = Watched::new(words("one two three bad and then many more words that nobody will read"));
    let guarded = Guarded::new(model.clone(), pipeline([layer(stops_at("bad"))]), GuardedConfig::default());
    let mut stream = block_on(guarded.stream(ask())).unwrap();
    let mut chunks = Vec::new();
    while let Some(chunk) = block_on(future::next(&mut stream)) {
        chunks.push(chunk);
    }
    assert!(model.dropped.load(Ordering::Relaxed), "the model's stream is gone before the guarded one is");
    assert!(model.taken.load(Ordering::Relaxed) < 8, "{} chunks were taken", model.taken.load(Ordering::Relaxed));
    let answer = collect(chunks).unwrap();
    assert_eq!(answer.finish_reason, FinishReason::ContentFilter);
    assert_eq!(answer.message.text(), format!("one two three {}", GuardedConfig::default().notice));
}

#[test]
fn the_first_words_wait_for_no_more_than_the_reach() {
    let pipeline = pipeline([layer(numbers("#")), layer(stops_at("bad"))]);
    let Reach::Bytes(reach) = pipeline.reach(Stage::Output) else { panic!("both are bounded") };
    // Each of them may be the first of `bad`, until the next one is known.
    let letters = (0..200).map(|_| ChatChunk::text("b")).chain([ChatChunk::finish(FinishReason::Stop)]);
    let model = Watched::new(letters);
    let guarded = Guarded::new(model.clone(), pipeline, GuardedConfig::default());
    let mut stream = block_on(guarded.stream(ask())).unwrap();
    block_on(future::next(&mut stream)).unwrap().unwrap();
    let taken = model.taken.load(Ordering::Relaxed);
    assert!(1 < taken && taken <= reach + 1, "{taken} bytes were taken, {reach} may be held");
    drop(stream);
    assert!(model.dropped.load(Ordering::Relaxed), "dropping cancels");
}

#[test]
fn a_guard_of_the_whole_lets_nothing_go_before_the_end() {
    let all = || layer(whole("whole", |text| Ok(places(text, "three", &Effect::Replace("3".into()), false))));
    let chunks = streamed(&guarded(ScriptedModel::new().with_text("one two three"), [all()]), ask());
    assert_eq!((chunks.len(), texts(&chunks).as_str()), (1, "one two 3"));
    assert_eq!(chunks[0].as_ref().unwrap().finish_reason, Some(FinishReason::Stop));

    let stop = layer(whole("whole", |text| Ok(places(text, "two", &Effect::Block, false))));
    let chunks = streamed(&guarded(ScriptedModel::new().with_text("one two three"), [stop]), ask());
    assert_eq!(texts(&chunks), format!("one {}", GuardedConfig::default().notice));
}

#[test]
fn usage_timings_and_names_pass() {
    let chunks = [
        ChatChunk::default().with_id("id").with_model("m"),
        ChatChunk::text("room 1").with_usage(Usage::new(3, 1)),
        ChatChunk::text("01 is"),
        ChatChunk::finish(FinishReason::Length),
        ChatChunk::default().with_usage(Usage::new(3, 4)).with_timings(Timings::default()),
    ];
    let model = guarded(ScriptedModel::new().with_chunks(chunks.into_iter().map(Ok)), [layer(numbers("#"))]);
    let streamed = streamed(&model, ask());
    assert_eq!(streamed[0].as_ref().unwrap(), &ChatChunk::default().with_id("id").with_model("m"));
    let answer = collect(streamed).unwrap();
    assert_eq!((answer.message.text().as_str(), answer.finish_reason, answer.usage), ("room # is", FinishReason::Length, Usage::new(3, 4)));
}

#[test]
fn a_block_at_the_very_end_still_tells_the_usage() {
    let chunks = [ChatChunk::text("all bad"), ChatChunk::finish(FinishReason::Stop), ChatChunk::default().with_usage(Usage::new(3, 4))];
    let model = guarded(ScriptedModel::new().with_chunks(chunks.into_iter().map(Ok)), [layer(stops_at("bad"))]);
    let answer = block_on(model.chat(ask())).unwrap();
    assert_eq!((answer.finish_reason, answer.usage), (FinishReason::ContentFilter, Usage::new(3, 4)));
    assert_eq!(answer.message.text(), format!("all {}", GuardedConfig::default().notice));
}

#[test]
fn errors_pass_and_end_the_stream() {
    let down = || Error::new(ErrorKind::Unavailable, "down");
    let model = guarded(
        ScriptedModel::new().with_chunks([Ok(ChatChunk::text("one ")), Err(down()), Ok(ChatChunk::text("two"))]).with_error(down()),
        [],
    );
    let chunks = streamed(&model, ask());
    assert_eq!((chunks.len(), chunks[1].as_ref().unwrap_err().kind()), (2, ErrorKind::Unavailable));
    assert_eq!(block_on(model.chat(ask())).unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn a_stream_that_breaks_off_gives_what_it_has() {
    let model = guarded(ScriptedModel::new().with_chunks([Ok(ChatChunk::text("room 10"))]), [layer(numbers("#"))]);
    let chunks = streamed(&model, ask());
    assert_eq!(texts(&chunks), "room #");
    assert_eq!(collect(chunks).unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn what_no_guard_could_read_does_not_pass() {
    let call = Delta::ToolCall { index: 0, id: Some("c".into()), name: Some("t".into()), arguments: "{}".into() };
    let mixed = [ChatChunk::text("a"), call.into(), ChatChunk::finish(FinishReason::Stop)];
    let after = [ChatChunk::finish(FinishReason::Stop), ChatChunk::text("a")];
    let part = |text: &str| Delta::Part { index: 0, part: Part::text(text) }.into();
    let twice = [part("a"), part("b")];
    for chunks in [mixed.to_vec(), after.to_vec(), twice.to_vec()] {
        let model = guarded(ScriptedModel::new().with_chunks(chunks.into_iter().map(Ok)), [layer(numbers("#"))]);
        let last = streamed(&model, ask()).pop().unwrap();
        assert_eq!(last.unwrap_err().kind(), ErrorKind::InvalidResponse);
    }
}

#[test]
fn parts_that_come_whole_are_read_too() {
    let part = |index, part| Delta::Part { index, part }.into();
    let chunks = [
        part(0, Part::text("room 101")),
        part(1, Part::image_url("https://example.org/1.png")),
        part(2, Part::text("bad")),
        ChatChunk::finish(FinishReason::Stop),
    ];
    let model = guarded(ScriptedModel::new().with_chunks(chunks.into_iter().map(Ok)), [layer(numbers("#")), layer(stops_at("bad"))]);
    let answer = block_on(model.chat(ask())).unwrap();
    let withheld = GuardedConfig::default().withheld;
    assert_eq!(
        answer.message,
        Message::assistant("room #").with_part(Part::image_url("https://example.org/1.png")).with_part(Part::text(withheld))
    );
}
