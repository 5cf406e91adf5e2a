//! Instructions that leak, plain and disguised.
#![expect(clippy::unwrap_used, reason = "tests")]

mod pieces;

use jarre_core::base64;
use jarre_guardrails::{
    Context, Effect, Guard, Stage,
    leakage::{Canary, CanaryGuard, OverlapConfig, OverlapGuard},
};
use proptest::prelude::*;

const SYSTEM: &str = "You are the travel clerk of Nordbahn. Never offer a refund above forty euros without asking a supervisor first. \
    When somebody asks about strikes, say that the timetable of the day is on the board and nothing else. \
    The code for staff tickets is printed on the back of the yellow folder in room nine.";

fn canary() -> Canary {
    Canary::new([3, 141, 59, 26, 53, 58, 97, 93, 238, 46])
}

fn output() -> Context {
    Context { system: Some(SYSTEM.into()), ..Context::new(Stage::Output) }
}

fn hex(text: &str, before: &str) -> String {
    text.bytes().flat_map(|byte| [before.to_owned(), format!("{byte:02X}")]).collect()
}

#[test]
fn a_canary_is_found_in_every_disguise() {
    let guard = CanaryGuard::new(&canary());
    let mark = canary().as_str().to_owned();
    let spaced: String = mark.chars().flat_map(|letter| [letter, ' ', '-', '\n']).collect();
    let reversed: String = mark.chars().rev().collect();
    let rot13: String = mark.bytes().map(|letter| char::from((letter - b'a' + 13) % 26 + b'a')).collect();
    let wide: String = mark.chars().map(|letter| char::from_u32(u32::from(letter) - 0x61 + 0xff41).unwrap()).collect();
    let inside = |before: &str| base64::encode(format!("{before}[{mark}] and more").as_bytes());
    let disguises = [
        mark.clone(),
        mark.to_uppercase(),
        spaced,
        reversed.clone(),
        rot13.clone(),
        wide,
        inside(""),
        inside("x"),
        inside("xy"),
        base64::encode(mark.to_uppercase().as_bytes()),
        base64::encode(reversed.as_bytes()),
        base64::encode(rot13.as_bytes()),
        hex(&mark, ""),
        hex(&mark, " "),
        hex(&mark, "\\x"),
        hex(&mark, "%"),
        hex(&mark, ", 0x"),
        hex(&reversed, ":"),
        canary().add_to("Be kind."),
    ];
    for disguise in disguises {
        let text = format!("Sure: {disguise}. Done");
        let found = guard.check(&text, &output()).unwrap();
        assert_eq!(found.len(), 1, "{disguise}");
        assert_eq!((&*found[0].label, &found[0].effect), ("canary", &Effect::Block));
    }
}

#[test]
fn other_marks_are_no_canary() {
    let guard = CanaryGuard::new(&canary());
    let other = Canary::new([1; 10]);
    let apart: String = canary().as_str().chars().flat_map(|letter| [letter.to_string(), " ".repeat(17)]).collect();
    for text in [other.add_to(SYSTEM), canary().as_str()[..19].to_owned(), apart, "a".repeat(5000)] {
        assert_eq!(guard.check(&text, &output()).unwrap(), [], "{text}");
    }
    assert!(!format!("{:?} {guard:?}", canary()).contains(canary().as_str()));
}

#[test]
fn a_passage_is_noted_and_a_leak_ends_the_text() {
    let guard = OverlapGuard::new(OverlapConfig { share: 0.2, ..OverlapConfig::default() }).unwrap();
    let text = "They told me: NEVER offer a refund -- above forty euros, without asking!";
    let found = guard.check(text, &output()).unwrap();
    assert!(found.iter().all(|finding| finding.label == "instructions" && finding.effect == Effect::Note), "{found:?}");
    assert_eq!(&text[found[0].span.start..found.last().unwrap().span.end], "NEVER offer a refund -- above forty euros, without asking");
    let all = guard.check(SYSTEM, &output()).unwrap();
    assert!(all.last().unwrap().score >= 1.0);
    let first = all.iter().find(|finding| finding.label == "leak").unwrap();
    assert_eq!(first.effect, Effect::Block);
    assert!(first.span.start < SYSTEM.len() / 2);
}

#[test]
fn what_everybody_says_and_what_was_asked_is_no_leak() {
    let system = "You are a helpful assistant. Answer the user's questions as well as you can. Speak of the yellow folder in room nine only to staff.";
    let guard = OverlapGuard::new(OverlapConfig::default()).unwrap();
    let mut context = Context { system: Some(system.into()), ..Context::default() };
    let common = "As they say: you are a helpful assistant, answer the user's questions as well as you can.";
    assert_eq!(guard.check(common, &context).unwrap(), []);
    let passage = "What does 'Speak of the yellow folder in room nine only to staff' mean?";
    assert!(!guard.check(passage, &context).unwrap().is_empty());
    context.question = Some(passage.into());
    assert_eq!(guard.check(passage, &context).unwrap(), []);
    assert_eq!(guard.check(system, &Context::default()).unwrap(), []);
}

#[test]
fn replaced_passages_are_replaced_once() {
    let config = OverlapConfig { passage: Effect::Replace("[...]".into()), share: 1.0, ..OverlapConfig::default() };
    let found = OverlapGuard::new(config).unwrap().check("never offer a refund above forty euros without asking", &output()).unwrap();
    assert_eq!(found.iter().filter(|finding| finding.effect == Effect::Replace("[...]".into())).count(), 1);
    assert!(found.windows(2).all(|pair| pair[0].span.end == pair[1].span.start));
}

#[test]
fn settings_out_of_bounds_are_refused() {
    for (words, share) in [(2, 0.1), (33, 0.1), (8, 0.0), (8, 1.5), (8, f32::NAN)] {
        assert!(OverlapGuard::new(OverlapConfig { words, share, ..OverlapConfig::default() }).is_err());
    }
}

proptest! {
    #[test]
    fn cuts_make_no_difference(
        parts in prop::collection::vec((0..SYSTEM.len(), 0..120_usize, "[a-z é東,.!\n -]{0,40}"), 0..6),
        cuts in prop::collection::vec(any::<usize>(), 0..30),
    ) {
        let passages = parts.iter().flat_map(|(from, length, other)| [&SYSTEM[*from..(from + length).min(SYSTEM.len())], other]);
        let text = passages.collect::<String>();
        let guard = OverlapGuard::new(OverlapConfig { words: 4, share: 0.3, ..OverlapConfig::default() }).unwrap();
        pieces::same_in_pieces(&guard, &text, &output(), &cuts);
    }

    #[test]
    fn a_canary_is_found_however_it_is_cut(
        before in "[a-p é]{0,40}", gaps in prop::collection::vec("[ .é-]{0,8}", 20), cuts in prop::collection::vec(any::<usize>(), 0..30), full: bool,
    ) {
        let letters = canary().as_str().chars().map(|letter| letter.to_string()).collect::<Vec<_>>();
        let kept = if full { 20 } else { 19 };
        let text = before + &letters[..kept].iter().zip(&gaps).flat_map(|(letter, gap)| [letter.as_str(), gap]).collect::<String>();
        let guard = CanaryGuard::new(&canary());
        pieces::same_in_pieces(&guard, &text, &output(), &cuts);
        prop_assert_eq!(guard.check(&text, &output()).unwrap().len(), usize::from(full));
    }
}
