//! Qrels and run files: round trips, order, and files that are not what they claim.

use jarre_eval::{
    Error,
    retrieval::{Qrels, Run},
};
use proptest::prelude::*;

fn documents(run: &Run, query: &str) -> Vec<String> {
    run.get(query).iter().map(|retrieved| retrieved.document.clone()).collect()
}

#[test]
fn scores_decide_the_order_and_ties_fall_to_the_higher_id() {
    let run = Run::parse("q Q0 b 1 0.5 t\nq Q0 c 2 0.5 t\nq Q0 a 3 2e0 t trailing words\n\nq Q0 z 9 -1 t\r\n").unwrap();
    assert_eq!(documents(&run, "q"), ["a", "c", "b", "z"]);
    let run = Run::parse("q Q0 a 1 0.0 t\nq Q0 b 2 -0.0 t\n").unwrap();
    assert_eq!(documents(&run, "q"), ["b", "a"], "zero has one value");
    let run = Run::parse("q Q0 a 1 1.00000001 t\nq Q0 b 2 1.00000002 t\nq Q0 c 2 1.0 t\n").unwrap();
    assert_eq!(documents(&run, "q"), ["c", "b", "a"], "scores are single precision, as in trec_eval");
}

#[test]
fn an_order_of_its_own_survives_the_file() {
    let mut run = Run::new("t").unwrap();
    run.insert_in_order("q", [("a", 1.0), ("b", 1.0), ("c", 7.0), ("d", 0.5)]).unwrap();
    let mut file = Vec::new();
    run.write(&mut file).unwrap();
    let read = Run::read(file.as_slice()).unwrap();
    assert_eq!(documents(&read, "q"), ["a", "b", "c", "d"]);
    assert_eq!(read, run);
    assert!((run.get("q")[2].score - 1.0).abs() < 1e-6);
    let exhausted = run.insert_in_order("q", [("a", f32::MIN), ("b", f32::MIN)]);
    assert!(matches!(exhausted, Err(Error::NonFiniteScore { .. })));
}

#[test]
fn a_document_twice_names_both_lines() {
    let error = Run::parse("q Q0 a 1 3 t\np Q0 a 1 3 t\nq Q0 a 2 2 t\n").unwrap_err();
    assert_eq!(error.to_string(), "line 3: document `a` of query `q` stands on line 1 already; remove one of the two");
    assert!(matches!(Qrels::parse("q 0 a 1\nq 1 a 1\n"), Err(Error::Duplicate { line: 2, first: 1, .. })));
    assert!(matches!(Run::new("t").unwrap().insert("q", [("a", 1.0), ("a", 0.5)]), Err(Error::Duplicate { line: 2, first: 1, .. })));
}

#[test]
fn wrong_lines_are_refused_by_number() {
    for (text, line) in [
        ("q Q0 a 1 3\n", 1),
        ("q Q0 a 1 3 t\nq Q0 b 2 NaN t\n", 2),
        ("q Q0 a 1 inf t\n", 1),
        ("q Q0 a 1 1e39 t\n", 1),
        ("q Q0 a 1 0x10 t\n", 1),
        ("\n\nq\n", 3),
    ] {
        let error = Run::parse(text).unwrap_err();
        assert!(matches!(error, Error::Malformed { line: found, .. } if found == line), "{text:?}: {error}");
    }
    for (text, line) in [("q 0 a\n", 1), ("q 0 a 1 extra\n", 1), ("q 0 a 1\nq 0 b 1.5\n", 2), ("q 0 a 128\n", 1)] {
        let error = Qrels::parse(text).unwrap_err();
        assert!(matches!(error, Error::Malformed { line: found, .. } if found == line), "{text:?}: {error}");
    }
    assert!(matches!(Qrels::read(&b"q 0 a 1\nq 0 \xff 1\n"[..]), Err(Error::Malformed { line: 2, .. })));
}

#[test]
fn ids_that_would_break_a_line_are_refused() {
    let mut run = Run::new("t").unwrap();
    for wrong in ["", "a b", "a\nq Q0 b 1 1 t"] {
        assert!(matches!(run.insert("q", [(wrong, 1.0)]), Err(Error::UnwritableId(_))));
        assert!(matches!(run.insert(wrong, [("a", 1.0)]), Err(Error::UnwritableId(_))));
        assert!(matches!(Run::new(wrong), Err(Error::UnwritableId(_))));
    }
    assert!(matches!(run.insert("q", [("a", f32::NAN)]), Err(Error::NonFiniteScore { .. })));
    assert!(run.is_empty(), "a refused list leaves nothing behind");
}

#[test]
fn judgements_survive_writing() {
    let qrels = Qrels::parse("q2 0 a 1\nq1 0 b -1\nq1 0 a 3\n").unwrap();
    let mut file = Vec::new();
    qrels.write(&mut file).unwrap();
    assert_eq!(file, b"q1 0 a 3\nq1 0 b -1\nq2 0 a 1\n");
    assert_eq!(Qrels::read(file.as_slice()).unwrap(), qrels);
    let mut spaced = Qrels::new();
    spaced.judge("q", "a b", 1);
    assert!(matches!(spaced.write(Vec::new()), Err(Error::UnwritableId(_))));
}

#[test]
fn a_byte_order_mark_is_no_part_of_an_id() {
    assert!(Qrels::parse("\u{feff}q 0 a 1\n").unwrap().get("q").is_some());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(Run::read(bytes.as_slice()));
        drop(Qrels::read(bytes.as_slice()));
    }

    #[test]
    fn a_run_survives_writing(scores in prop::collection::btree_map("[a-z0-9#/é]{1,6}", any::<f32>().prop_filter("finite", |s| s.is_finite()), 0..20)) {
        let mut run = Run::new("tag").unwrap();
        run.insert("q", scores).unwrap();
        let mut file = Vec::new();
        run.write(&mut file).unwrap();
        let read = Run::read(file.as_slice()).unwrap();
        prop_assert_eq!(read.get("q"), run.get("q"));
    }
}
