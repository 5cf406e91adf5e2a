//! What a layer's settings do.

use std::{
    ops::Range,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use jarre_core::{ErrorKind, testing::ManualClock};
use jarre_guardrails::{
    Context, Effect, Error, Finding, Reach, Scan, Stage,
    pipeline::{Action, Failure, Layer, Pipeline, Spot, Verdict},
    scan::Whole,
};
use serde_json::json;

use crate::guards::{Of, pattern, places, unreadable, whole};

fn of(groups: impl IntoIterator<Item = Vec<Layer>>) -> Pipeline {
    groups.into_iter().fold(Pipeline::new(Arc::new(ManualClock::new())), Pipeline::with_group)
}

fn layer(guard: Of) -> Layer {
    Layer::new(Arc::new(guard))
}

fn put(with: &str) -> Effect {
    Effect::Replace(with.into())
}

fn output(pipeline: &Pipeline, text: &str) -> Verdict {
    pipeline.check(text, &Context::new(Stage::Output))
}

fn spot(start: usize, end: usize, label: &'static str, score: f32) -> Spot {
    Spot { start, end, label: label.into(), score }
}

#[test]
fn the_first_replacement_wins_and_clips_the_next() {
    let pipeline =
        of([vec![layer(pattern("a", "bcd", put("X"))), layer(pattern("b", "abc|cdefg", put("Y"))), layer(pattern("c", "bc", put("Z")))]]);
    // `b` starts first with `abc`; what is left of `bcd` is `d`; of `bc` nothing is left. `cdefg` overlaps what `b` found itself.
    let verdict = output(&pipeline, "_abcdefg");
    assert_eq!(verdict.text, "_YXefg");
    let actions: Vec<Action> = verdict.layers.iter().map(|layer| layer.action).collect();
    assert_eq!(actions, [Action::Redact; 3]);
    // Of two that start at one place, the layer named first.
    let pipeline = of([vec![layer(pattern("a", "ab", put("1"))), layer(pattern("b", "abc", put("2")))]]);
    assert_eq!(output(&pipeline, "abcd").text, "12d");
}

#[test]
fn a_stream_is_stopped_where_the_block_starts() {
    let pipeline = of([vec![layer(pattern("bad", "bad", Effect::Block))], vec![layer(pattern("digit", "[0-9]", put("#")))]]);
    let verdict = output(&pipeline, "1 good, 2 bad, 3 more are lost");
    assert_eq!((verdict.allowed, verdict.text.as_str()), (false, "# good, # "));
    assert_eq!(verdict.blocked_by().unwrap().name, "bad");
    assert_eq!(verdict.layers[1].spans, [spot(0, 1, "digit", 1.0), spot(8, 9, "digit", 1.0)]);

    let mut scan = pipeline.scan(&Context::new(Stage::Output));
    assert_eq!(scan.push("1 good, 2 bad, 3 more are"), "# good, # ");
    assert!(scan.is_blocked());
    assert_eq!((scan.push(" lost"), scan.held()), (String::new(), 0));
    assert_eq!(scan.finish(), (String::new(), verdict));
}

#[test]
fn a_block_is_not_lost_in_a_replacement() {
    let pipeline = of([vec![layer(pattern("all", "a bad word", put("***"))), layer(pattern("bad", "bad", Effect::Block))]]);
    let verdict = output(&pipeline, "so a bad word it is");
    assert_eq!((verdict.allowed, verdict.text.as_str()), (false, "so ***"));
}

#[test]
fn after_a_block_later_groups_are_not_run() {
    let later = pattern("later", "[a-z]{1,9}", put("?"));
    let pipeline = of([vec![layer(pattern("bad", "bad", Effect::Block))], vec![layer(later.clone())]]);
    let verdict = pipeline.check("some words, then bad ones", &Context::new(Stage::Input));
    assert_eq!((verdict.allowed, verdict.text.as_str()), (false, ""));
    assert_eq!((verdict.layers[1].action, later.begun.load(Ordering::Relaxed)), (Action::Skipped, 0));

    // A guard that holds the whole of a stream has released nothing, so it need not judge the part before the block.
    let all = whole("all", |_| panic!("not to be read"));
    let pipeline = of([vec![layer(pattern("bad", "bad", Effect::Block))], vec![layer(all)]]);
    let verdict = output(&pipeline, "some words, then bad ones");
    assert_eq!((verdict.text.as_str(), verdict.layers[1].action), ("", Action::Skipped));
}

#[test]
fn places_are_those_of_the_text_that_came_in() {
    let first = layer(pattern("number", "[0-9]{1,9}", put("<N>")));
    let second = layer(pattern("mark", "<N>|b", put("")));
    let third = layer(pattern("rest", "a{1,3}c|cd", Effect::Note));
    let verdict = output(&of([vec![first], vec![second], vec![third]]), "a12345bcd 7");
    assert_eq!(verdict.text, "acd ");
    assert_eq!(verdict.layers[1].spans, [spot(1, 6, "mark", 1.0), spot(6, 7, "mark", 1.0), spot(10, 11, "mark", 1.0)]);
    assert_eq!(verdict.layers[2].spans, [spot(0, 8, "rest", 0.5)]);
}

#[test]
fn an_observer_and_a_low_score_are_told_and_change_nothing() {
    let bad = || layer(pattern("bad", "bad", Effect::Block));
    for quiet in [bad().observing(), bad().with_min_score(1.5)] {
        let verdict = output(&of([vec![quiet]]), "a bad word");
        assert_eq!((verdict.allowed, verdict.text.as_str()), (true, "a bad word"));
        assert_eq!((verdict.layers[0].action, &verdict.layers[0].spans[..]), (Action::Allow, &[spot(2, 5, "bad", 1.0)][..]));
    }
}

#[test]
fn an_observer_holds_nothing_back() {
    let bad = layer(whole("bad", |text| Ok(places(text, "bad", &Effect::Block, false)))).observing();
    let pipeline = of([vec![bad], vec![layer(pattern("stop", "stop", Effect::Block))]]);
    let mut scan = pipeline.scan(&Context::new(Stage::Output));
    // The other layer waits for what may become a `stop`, and for nothing else.
    assert_eq!((scan.push("a bad word, and so on unti st"), scan.held()), ("a bad word, and so on unti ".into(), 2));
    scan.push("ill until the stop, and bad words after it");
    let (_, verdict) = scan.finish();
    assert_eq!(verdict.text, "a bad word, and so on unti still until the ");
    assert_eq!(verdict.layers[0].spans, [spot(2, 5, "place", 0.25)], "what came after the stop was not read");
}

#[test]
fn a_layer_reads_at_its_stages() {
    let pipeline = of([vec![layer(pattern("bad", "bad", Effect::Block)).at([Stage::ToolCall])]]);
    assert!(output(&pipeline, "bad").layers.is_empty());
    assert_eq!(pipeline.reach(Stage::Output), Reach::Bytes(0));
    assert!(!pipeline.check("bad", &Context::new(Stage::ToolCall)).allowed);
}

#[test]
fn a_replacement_of_wording_is_told_as_one() {
    let verdict = output(&of([vec![layer(pattern("word", "colour", put("color"))).rewriting().named("spelling")]]), "colour");
    assert_eq!((verdict.layers[0].name.as_str(), verdict.layers[0].action), ("spelling", Action::Rewrite));
}

/// Takes a second for each piece and two at the end, and finds nothing.
struct Slow(Arc<ManualClock>, usize);

impl Scan for Slow {
    fn push(&mut self, text: &str, _: &mut Vec<Finding>) -> jarre_guardrails::Result<()> {
        self.0.advance(Duration::from_secs(1));
        self.1 += text.len();
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<Finding>) -> jarre_guardrails::Result<()> {
        self.0.advance(Duration::from_secs(2));
        Ok(())
    }

    fn decided(&self) -> usize {
        self.1
    }
}

#[test]
fn a_layer_over_its_budget_is_stopped_between_pieces() {
    let clock = Arc::new(ManualClock::new());
    let slow = {
        let clock = clock.clone();
        Of::new("slow", Reach::Bytes(0), move |_| Box::new(Slow(clock.clone(), 0)))
    };
    let text = "x".repeat(100 * 1024);
    let check = |layer: Layer| Pipeline::new(clock.clone()).with_threads(1).with_group([layer]).check(&text, &Context::new(Stage::Output));
    let slow = || layer(slow.clone()).with_budget(Duration::from_secs(3));

    let verdict = check(slow());
    assert_eq!((verdict.allowed, verdict.text.len()), (false, 3 * 16 * 1024), "three pieces were read in time");
    let layer = &verdict.layers[0];
    assert_eq!((layer.action, layer.failure, layer.latency), (Action::Failed, Some(Failure::OverBudget), Duration::from_secs(4)));

    for lenient in [slow().failing_open(), slow().observing()] {
        let verdict = check(lenient);
        assert_eq!((verdict.allowed, verdict.text.len(), verdict.layers[0].action), (true, text.len(), Action::Failed));
        assert_eq!(verdict.layers[0].latency, Duration::from_secs(4), "it is not asked again");
    }
    let verdict = check(slow().with_budget(Duration::from_secs(9)));
    assert_eq!((verdict.allowed, verdict.latency), (true, Duration::from_secs(9)));
    let verdict = check(slow().with_budget(Duration::from_secs(8)));
    assert!(!verdict.allowed, "late at the end is late");
}

#[test]
fn a_failing_layer_fails_closed_or_open() {
    let failing = || layer(whole("failing", |_| Err(unreadable())));
    let closed = output(&of([vec![failing()]]), "text");
    assert_eq!((closed.allowed, closed.text.as_str(), closed.layers[0].failure), (false, "", Some(Failure::Guard)));
    let open = output(&of([vec![failing().failing_open(), layer(pattern("t", "t", put("T")))]]), "text");
    assert_eq!((open.allowed, open.text.as_str(), open.layers[0].action), (true, "TexT", Action::Failed));
    let down = || Error::Model(jarre_core::Error::new(ErrorKind::Unavailable, "the text `text` was refused"));
    let model = output(&of([vec![layer(whole("model", move |_| Err(down())))]]), "text");
    assert_eq!(model.layers[0].failure, Some(Failure::Model(ErrorKind::Unavailable)));
}

#[test]
fn a_guard_that_points_beside_the_text_does_no_harm() {
    let spans = [0..999, 1..2, Range { start: 3, end: 1 }, 500..600, 2..3];
    let broken = whole("broken", move |_| Ok(spans.iter().map(|span| Finding::certain(span.clone(), "x", put("_"))).collect()));
    let broken = Of::new("broken", Reach::Whole, move |context| jarre_guardrails::Guard::scan(&broken, context));
    assert!(output(&of([vec![layer(broken)]]), "é€😀").text.contains('_'));
    let backwards =
        whole("backwards", |_| Ok([Range { start: 4, end: 1 }, 2..3].map(|span| Finding::certain(span, "x", put("_"))).to_vec()));
    assert_eq!(output(&of([vec![layer(backwards)]]), "abcdef").text, "ab_d_ef");
    let empty = Of::new("empty", Reach::Whole, |_| Box::new(Whole::new(|_| Ok(vec![Finding::certain(1..1, "x", Effect::Block)]))));
    assert!(!output(&of([vec![layer(empty)]]), "é").allowed);
}

#[test]
fn a_verdict_is_written_without_the_text() {
    let clock = Arc::new(ManualClock::new());
    let pipeline = Pipeline::new(clock)
        .with_group([layer(pattern("number", "[0-9]{1,9}", put("#"))), layer(whole("failing", |_| Err(unreadable()))).failing_open()]);
    let verdict = output(&pipeline, "room 12");
    let wire = json!({
        "allowed": true,
        "layers": [
            {"name": "number", "action": "redact", "score": 0.5, "spans": [{"start": 5, "end": 7, "label": "number", "score": 0.5}], "latency_us": 0},
            {"name": "failing", "action": "failed", "score": 0.0, "spans": [], "failure": "guard", "latency_us": 0},
        ],
        "latency_us": 0,
    });
    assert_eq!(serde_json::to_value(&verdict).unwrap(), wire);
    let read: Verdict = serde_json::from_value(wire).unwrap();
    assert_eq!(read, Verdict { text: String::new(), ..verdict });
}
