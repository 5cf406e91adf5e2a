use clap::ValueEnum;

use super::*;
use crate::{
    judge::Verdict,
    record::{Operation, Reign},
};

const SEEDS: std::ops::Range<u64> = 0..12;

/// What the command prints, to the letter.
#[test]
fn a_seed_tells_one_story() {
    let words = |mode| words::words(&[report(mode, Cut::Halves, 1).unwrap()]).unwrap();
    assert_eq!(words(Mode::Naive), include_str!("golden_naive.txt"));
    assert_eq!(words(Mode::AsyncTerm), include_str!("golden_async_term.txt"));
}

#[test]
fn the_same_seed_gives_the_same_json() {
    for mode in [Mode::Naive, Mode::AsyncTerm] {
        let json = |seed| serde_json::to_string(&report(mode, Cut::Bridge, seed).unwrap()).unwrap();
        assert_eq!(json(7), json(7));
        assert_ne!(json(7), json(8));
    }
}

#[test]
fn naive_replication_has_two_primaries_loses_writes_and_contradicts_itself() {
    for &cut in Cut::value_variants() {
        for seed in SEEDS {
            let report = report(Mode::Naive, cut, seed).unwrap();
            // One that all hear keeps its place; its own clients are served by nobody else.
            if cut == Cut::OneWay {
                assert_eq!(report.tally.lost, [0; 0]);
                continue;
            }
            assert!(!report.tally.lost.is_empty(), "{cut:?}, seed {seed}");
            assert!(report.both_lead > 1_000_000, "{cut:?}, seed {seed}: two led for {} us", report.both_lead);
            let Verdict::Illegal { minimal } = &report.verdict else { panic!("{cut:?}, seed {seed}: {:?}", report.verdict) };
            assert!((2..=8).contains(&minimal.len()), "{cut:?}, seed {seed}: {minimal:?}");
            assert!(report.replicas_agree, "they meet again");
        }
    }
}

#[test]
fn terms_fence_an_old_leader_but_its_tail_is_lost() {
    for &cut in Cut::value_variants() {
        for seed in SEEDS {
            let report = report(Mode::AsyncTerm, cut, seed).unwrap();
            assert!(!report.two_of_one_term, "{cut:?}, seed {seed}");
            assert!(report.both_lead < 100_000, "{cut:?}, seed {seed}: {} us", report.both_lead);
            assert!(report.replicas_agree, "{cut:?}, seed {seed}");
            for &place in &report.tally.lost {
                let Operation { node, call, .. } = report.operations[place];
                // The silence after which a leader steps down, and two looks at the time.
                let is_tail = |reign: &Reign| reign.node == node && reign.until.is_some_and(|until| call < until && until < call + 165_000);
                assert!(report.reigns.iter().any(is_tail), "{cut:?}, seed {seed}: lost at {call} us, which is no leader's tail");
            }
            // Over a bridge it goes on, and who is merely deaf is still heard.
            let must_lose = matches!(cut, Cut::Halves | Cut::Alone);
            assert!(!must_lose || !report.tally.lost.is_empty(), "{cut:?}, seed {seed}");
        }
    }
}

#[test]
fn a_leader_that_is_cut_off_answers_only_those_who_take_old_values() {
    let report = report(Mode::AsyncTerm, Cut::Alone, 1).unwrap();
    let answers: Vec<_> =
        report.old_leader.iter().map(|read| (read.level, matches!(read.answer, crate::request::Answer::Value { .. }))).collect();
    assert_eq!(answers, [("stale", true), ("stale", false), ("lease", false), ("linearizable", false)]);
    assert!(report.old_leader[0].is_stale, "others have written since");
}

#[test]
fn a_page_holds_every_mode_and_lets_nothing_out() {
    let reports: Vec<_> = [Mode::Naive, Mode::AsyncTerm].map(|mode| report(mode, Cut::Halves, 1).unwrap()).into();
    let html = page::page(&reports).unwrap().to_html();
    assert_eq!(html.matches("<svg class=\"chart timeline\"").count(), 2);
    let lost: usize = reports.iter().map(|report| report.tally.lost.len()).sum();
    assert_eq!(html.matches("<path class=\"lost\"").count(), lost);
    assert!(!html.contains("http://") && !html.contains("https://"), "a page loads nothing");
}
