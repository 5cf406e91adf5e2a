//! What a reading finds does not depend on how its text is cut.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use jarre_guardrails::{
    Effect, Finding, Reach, Scan,
    scan::{Matcher, Pattern, Strides, Window},
};
use proptest::prelude::*;

fn patterns() -> Arc<[Pattern]> {
    let even = |seen: &jarre_guardrails::scan::Seen<'_>| (!seen.before.ends_with('é') && seen.text.len().is_multiple_of(2)).then_some(0.5);
    [
        Pattern::new("digits", r"\b[0-9]{2,6}\b").unwrap(),
        Pattern::new("word", r"(?i)ab{1,3}é?").unwrap().accepting(even),
        Pattern::new("line", r"(?m)^x[a-z ]{0,9}$").unwrap(),
        Pattern::new("value", r"a=?([0-9é]{1,3})B?").unwrap().capturing(),
    ]
    .into()
}

fn matcher() -> Matcher {
    let mut count = 0;
    Matcher::new(patterns(), move |label, seen| {
        count += 1;
        Effect::Replace(format!("{label} {count} {} {}", seen.text, seen.before))
    })
}

fn strides() -> impl Scan {
    Strides::new(Window { length: 12, stride: 5 }, |window| Ok(Some((window.to_owned().into(), 0.5, Effect::Note))))
}

/// What is found in `text` cut at `cuts`, and the most bytes that were undecided.
fn read(mut scan: impl Scan, text: &str, cuts: &[usize]) -> (Vec<Finding>, usize) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).filter(|&cut| text.is_char_boundary(cut)).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    let (mut found, mut held) = (Vec::new(), 0);
    for piece in cuts.windows(2) {
        let (decided, told) = (scan.decided(), found.len());
        scan.push(&text[piece[0]..piece[1]], &mut found).unwrap();
        assert!(found[told..].iter().all(|found: &Finding| found.span.start >= decided), "{found:?} before {decided}");
        held = held.max(piece[1] - scan.decided());
    }
    scan.finish(&mut found).unwrap();
    assert_eq!(scan.decided(), text.len());
    (found, held)
}

proptest! {
    #[test]
    fn cuts_make_no_difference(text in "[abBéx0-9 \n😀]{0,200}", cuts in prop::collection::vec(any::<usize>(), 0..40)) {
        let Reach::Bytes(reach) = Matcher::reach(&patterns()) else { unreachable!("patterns are bounded") };
        let (found, held) = read(matcher(), &text, &cuts);
        prop_assert_eq!(&found, &read(matcher(), &text, &[]).0);
        prop_assert!(held <= reach, "{held} bytes were undecided, {reach} may be");
        let (judged, held) = read(strides(), &text, &cuts);
        prop_assert_eq!(&judged, &read(strides(), &text, &[]).0);
        prop_assert!(held < 5 + 3);
        prop_assert_eq!(judged.iter().map(|found| &text[found.span.clone()]).collect::<String>(), text);
    }
}

#[test]
fn a_pattern_without_an_end_is_refused() {
    for regex in ["a+", "a*", "", "(", r"\d{2,}"] {
        assert!(Pattern::new("x", regex).is_err(), "{regex}");
    }
}

/// What is undecided after `text`.
fn held(regex: &str, text: &str) -> usize {
    let mut matcher = Matcher::new([Pattern::new("x", regex).unwrap()].into(), |_, _| Effect::Note);
    matcher.push(text, &mut Vec::new()).unwrap();
    text.len() - matcher.decided()
}

#[test]
fn only_what_may_become_a_match_is_held() {
    let key = "-----BEGIN KEY-----[A-Za-z0-9\n]{1,4000}-----END KEY-----";
    assert_eq!(held(key, "Nothing to see here.\n"), 0);
    assert_eq!(held(key, "Rule:\n-----"), 5);
    assert_eq!(held(key, "-----BEGIN KEY-----abc\ndef"), 26);
    assert_eq!(held(key, "-----BEGIN KEY-----abc def"), 0);
    assert_eq!(held(r"\b[0-9]{3}-[0-9]{2}\b", "on 123-45"), 6, "a digit may follow");
    assert_eq!(held(r"\b[0-9]{3}-[0-9]{2}\b", "on 123-45 "), 0);
    assert_eq!(held("é[àü]{2}", "né"), 2);
}

#[test]
fn the_group_is_what_is_found() {
    let pattern = Pattern::new("value", r"key=(?:([0-9]{2})|none)[;.]").unwrap().capturing();
    let (found, _) =
        read(Matcher::new([pattern].into(), |_, seen| Effect::Replace(seen.before.into())), "key=none; key=42.", &[3, 7, 12, 15]);
    assert_eq!(found, [Finding::certain(14..16, "value", Effect::Replace("key=none; key=".into()))]);
}
