//! For any pipeline, text and cuts: what is released and the verdict are those of the text in one piece, and no more is held than may be.

use std::sync::Arc;

use jarre_core::testing::ManualClock;
use jarre_guardrails::{
    Context, Effect, Finding, Reach, Stage,
    pipeline::{Action, Layer, OnFailure, Pipeline, Verdict},
};
use proptest::prelude::*;

use crate::guards::{self, KINDS};

type Choice = (usize, bool, bool, bool);

fn layer((kind, observes, open, doubts): Choice) -> Layer {
    let mut layer = Layer::new(Arc::new(guards::of_kind(kind)));
    if observes {
        layer = layer.observing();
    }
    if open {
        layer = layer.failing_open();
    }
    layer.with_min_score(if doubts { 0.6 } else { 0.0 })
}

fn pipeline(groups: &[Vec<Choice>]) -> Pipeline {
    let pipeline = Pipeline::new(Arc::new(ManualClock::new())).with_threads(1);
    groups.iter().fold(pipeline, |pipeline, group| pipeline.with_group(group.iter().copied().map(layer)))
}

fn read(pipeline: &Pipeline, stage: Stage, text: &str, cuts: &[usize]) -> Result<Verdict, TestCaseError> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).filter(|&cut| text.is_char_boundary(cut)).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    let mut scan = pipeline.scan(&Context::new(stage));
    let mut released = String::new();
    for piece in cuts.windows(2) {
        released += &scan.push(&text[piece[0]..piece[1]]);
        if let Reach::Bytes(reach) = pipeline.reach(stage) {
            prop_assert!(scan.held() <= reach, "{} bytes are held, {} may be", scan.held(), reach);
        }
    }
    let (rest, verdict) = scan.finish();
    prop_assert_eq!(released + &rest, verdict.text.clone());
    Ok(verdict)
}

fn groups(kinds: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<Choice>>> {
    let rarely = || prop::bool::weighted(0.15);
    prop::collection::vec(prop::collection::vec((kinds, rarely(), any::<bool>(), rarely()), 0..4), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn cuts_make_no_difference(
        groups in groups(0..KINDS),
        text in "[abdfqxz01 \n#<é😀]{0,60}",
        cuts in prop::collection::vec(any::<usize>(), 0..30),
        streams in any::<bool>(),
    ) {
        let pipeline = pipeline(&groups);
        let stage = if streams { Stage::Output } else { Stage::Input };
        let whole = pipeline.check(&text, &Context::new(stage));
        prop_assert_eq!(&read(&pipeline, stage, &text, &cuts)?, &whole);
        let every: Vec<usize> = (0..text.len()).collect();
        prop_assert_eq!(&read(&pipeline, stage, &text, &every)?, &whole);
    }

    #[test]
    fn a_stream_of_bounded_guards_holds_little(groups in groups(0..9), text in "[abdqxz01 é]{0,200}") {
        let pipeline = pipeline(&groups);
        let Reach::Bytes(reach) = pipeline.reach(Stage::Output) else { panic!("all guards are bounded") };
        let every: Vec<usize> = (0..text.len()).collect();
        let verdict = read(&pipeline, Stage::Output, &text, &every)?;
        prop_assert!(reach <= 3 * 20, "{}", reach);
        for spot in verdict.layers.iter().flat_map(|layer| &layer.spans) {
            prop_assert!(spot.start <= spot.end && text.get(spot.start..spot.end).is_some());
        }
    }

    #[test]
    fn a_stage_that_does_not_stream_is_read_group_by_group(groups in groups(0..KINDS), text in "[abdfqxz01 \n#<é😀]{0,60}") {
        let verdict = pipeline(&groups).check(&text, &Context::new(Stage::Input));
        let expected = one_after_another(&groups, &text);
        prop_assert_eq!(verdict.allowed, expected.is_some());
        prop_assert_eq!(verdict.text, expected.unwrap_or_default());
    }
}

/// The same said plainly: each group's findings on its whole text are sorted and applied.
fn one_after_another(groups: &[Vec<Choice>], text: &str) -> Option<String> {
    let mut text = text.to_owned();
    for group in groups {
        let mut found: Vec<(usize, usize, Finding)> = Vec::new();
        for (index, choice) in group.iter().enumerate() {
            let layer = layer(*choice);
            let enforced = !choice.1;
            for mut finding in ahead_of_failure(&layer, &text, enforced) {
                if !enforced || finding.score < layer.min_score {
                    finding.effect = Effect::Note;
                }
                found.push((finding.span.start, index, finding));
            }
        }
        found.sort_by_key(|(start, index, _)| (*start, *index));
        text = apply(&text, found.into_iter().map(|(.., finding)| finding))?;
    }
    Some(text)
}

/// What a guard finds before it fails, and the block that its failure is.
fn ahead_of_failure(layer: &Layer, text: &str, enforced: bool) -> Vec<Finding> {
    let context = Context::new(Stage::Input);
    let mut scan = layer.guard.scan(&context);
    let mut found = Vec::new();
    let read = scan.push(text, &mut found).and_then(|()| scan.finish(&mut found));
    if read.is_err() {
        found.retain(|finding| finding.span.start < scan.decided());
        if enforced && layer.on_failure == OnFailure::Closed {
            found.push(Finding::certain(scan.decided()..scan.decided(), "failed", Effect::Block));
        }
    }
    found
}

fn apply(text: &str, found: impl Iterator<Item = Finding>) -> Option<String> {
    let (mut out, mut done) = (String::new(), 0);
    for finding in found {
        match finding.effect {
            Effect::Note => {}
            Effect::Block => return None,
            Effect::Replace(with) => {
                let start = finding.span.start.max(done);
                if finding.span.end > start || finding.span.start >= done {
                    out += &text[done..start];
                    out += &with;
                    done = finding.span.end;
                }
            }
        }
    }
    Some(out + &text[done..])
}

#[test]
fn a_long_text_is_read_by_threads_as_by_one() {
    let groups = vec![
        vec![(0, false, false, false), (1, false, false, false), (4, false, false, false)],
        vec![(2, false, false, false), (5, false, false, false)],
    ];
    let text = "dab 12 é abbb < 7 dd ".repeat(20_000);
    let one = pipeline(&groups).check(&text, &Context::new(Stage::Output));
    let three = pipeline(&groups).with_threads(3).check(&text, &Context::new(Stage::Output));
    assert_eq!(one, three);
    assert!(one.allowed && one.layers.iter().all(|layer| !layer.spans.is_empty()));
    assert_eq!(one.layers[0].action, Action::Redact);
}
