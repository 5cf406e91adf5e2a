//! Where answers are found in what models write.

use jarre_eval::text::{Extraction, Pattern, Take};
use proptest::prelude::*;
use serde::Deserialize;

#[track_caller]
fn check(way: &Extraction, rows: &[(&str, Option<&str>)]) {
    for (text, expected) in rows {
        assert_eq!(way.extract(text).as_deref(), *expected, "{way:?} in {text:?}");
    }
}

#[derive(Deserialize)]
struct Experiment {
    extract: Extraction,
}

fn parse(value: &str) -> Result<Extraction, toml::de::Error> {
    toml::from_str(&format!("extract = {value}")).map(|experiment: Experiment| experiment.extract)
}

#[test]
fn ways_are_read_from_toml() {
    let pattern = |text| Pattern::new(text).unwrap();
    let rows = [
        (r#""whole""#, Extraction::Whole),
        (r#""last_number""#, Extraction::LastNumber),
        (r#""choice""#, Extraction::choice()),
        (r#"{ choice = "ABCDE", take = "last" }"#, Extraction::choice()),
        (r#"{ regex = "a(b)" }"#, Extraction::regex("a(b)").unwrap()),
        (r#"{ regex = "ab" }"#, Extraction::Regex { pattern: pattern("ab"), group: 0, take: Take::Last }),
        (
            r#"{ regex = "a(b)(c)", group = 2, take = "first" }"#,
            Extraction::Regex { pattern: pattern("a(b)(c)"), group: 2, take: Take::First },
        ),
        (r#"{ json = "/a/0" }"#, Extraction::Json("/a/0".to_owned())),
        (r#"{ tag = "answer" }"#, Extraction::Tag("answer".to_owned())),
        (r#"{ after = "Answer:" }"#, Extraction::After("Answer:".to_owned())),
        (r#"["boxed", { tag = "a" }]"#, Extraction::FirstOf(vec![Extraction::Boxed, Extraction::Tag("a".to_owned())])),
        (r#"{ after_reasoning = "final_number" }"#, Extraction::AfterReasoning(Box::new(Extraction::FinalNumber))),
    ];
    for (written, way) in rows {
        assert_eq!(parse(written).unwrap(), way, "{written}");
        let json = serde_json::to_string(&way).unwrap();
        assert_eq!(serde_json::from_str::<Extraction>(&json).unwrap(), way, "{json}");
    }
}

#[test]
fn what_is_no_way_is_told() {
    let rows = [
        (r#""number""#, "last_number"),
        (r#"{ tag = "a", after = "b" }"#, "expected a way"),
        (r#"{ regex = "(" }"#, "unclosed group"),
        (r#"{ regex = "a", group = 1 }"#, "no group 1"),
        (r#"{ json = "answer" }"#, "write `/answer`"),
        (r#"{ choice = "" }"#, "expected a way"),
        ("3", "expected a way"),
    ];
    for (written, told) in rows {
        let error = parse(written).unwrap_err().to_string();
        assert!(error.contains(told), "{written}: {error}");
    }
}

#[test]
fn the_last_number_is_found() {
    let rows = [
        ("3 + 4 = 7.", Some("7")),
        ("16-3", Some("3")),
        ("x = -3", Some("-3")),
        ("between 3 and -4.5!", Some("-4.5")),
        ("$1,234.50, he said.", Some("$1,234.50")),
        ("It costs -$5", Some("-$5")),
        ("1,2,3", Some("3")),
        ("a half is 1/2.", Some("1/2")),
        ("up by 50%.", Some("50%")),
        ("2.5e-3", Some("2.5e-3")),
        ("minus \u{2212}7", Some("\u{2212}7")),
        ("(5)-2", Some("2")),
        ("nothing", None),
        ("", None),
    ];
    check(&Extraction::LastNumber, &rows);
}

#[test]
fn the_number_said_to_be_the_answer_is_found() {
    let rows = [
        ("5 + 5 = 10\n#### 10", Some("10")),
        ("#### 1,000 as in step 3", Some("1,000")),
        ("The answer is 5 (see step 2).", Some("5")),
        ("The answer is: $5. Check: 2 + 3.", Some("$5")),
        ("**Answer:** 12 of 20", Some("12")),
        ("Therefore \\boxed{\\$42} of 100.", Some("$42")),
        ("A: 18", Some("18")),
        ("The answer is 3 + 4 = 7 apples", Some("7")),
        ("The answer is 3. No: the answer is 4. Two tries.", Some("4")),
        ("He has 3, and then 5.", Some("5")),
        ("The answer is not known, but 5 is close.", Some("5")),
    ];
    check(&Extraction::FinalNumber, &rows);
}

#[test]
fn the_letter_of_a_choice_is_found() {
    let rows = [
        ("B", Some("B")),
        ("b", Some("B")),
        ("(C)", Some("C")),
        ("C.", Some("C")),
        ("The answer is (D).", Some("D")),
        ("the answer is D", Some("D")),
        ("Answer: A", Some("A")),
        ("**Answer: B**", Some("B")),
        ("The correct option is C because A is wrong.", Some("C")),
        ("A is wrong and B is wrong. The correct answer is **E**.", Some("E")),
        ("The answer is \\boxed{B}.", Some("B")),
        ("So it is $\\boxed{\\text{(C)}}$", Some("C")),
        ("B. Paris", Some("B")),
        ("I think\n**B) Paris**", Some("B")),
        ("It must be (B), I guess.", Some("B")),
        ("A dog is an animal, so B", Some("B")),
        ("I would say D over A cat", Some("D")),
        ("The answer is a number.", None),
        ("F", None),
        ("Bees and Cats", None),
        ("", None),
    ];
    check(&Extraction::choice(), &rows);
    let first = parse(r#"{ choice = "AB", take = "first" }"#).unwrap();
    check(&first, &[("Answer: A. Answer: B", Some("A")), ("Answer: C, or (B)", Some("B"))]);
}

#[test]
fn patterns_fields_tags_and_markers_are_found() {
    check(&Extraction::regex("x=([0-9]+)").unwrap(), &[("x=1 x=2", Some("2")), ("y", None)]);
    check(
        &parse(r#"{ json = "/answer" }"#).unwrap(),
        &[
            (r#"{"answer": "yes"}"#, Some("yes")),
            ("Sure!\n```json\n{\"a\": {}, \"answer\": 4.50}\n```", Some("4.5")),
            (r#"{"answer": 1} then {"answer": [2]} and {"other": 3}"#, Some("[2]")),
            (r#"{"answer": "#, None),
            (r#"{{"answer": 5}}"#, Some("5")),
            (r#"{"answer": ""}"#, None),
            ("no object", None),
        ],
    );
    check(
        &parse(r#"{ tag = "answer" }"#).unwrap(),
        &[("<answer>1</answer> <answer> 2 </answer>", Some("2")), ("<answer>1", None), ("</answer><answer>", None)],
    );
    check(
        &parse(r#"{ after = "Answer:" }"#).unwrap(),
        &[("Answer: 5 \nbye", Some("5")), ("Answer: no. Answer:\n\n  yes\nbye", Some("yes")), ("Answer:", None), ("none", None)],
    );
}

#[test]
fn reasoning_is_left_out() {
    let way = parse(r#"{ after_reasoning = "last_number" }"#).unwrap();
    check(
        &way,
        &[
            ("<think>5</think>6", Some("6")),
            ("5</think>6", Some("6")),
            ("6", Some("6")),
            ("<think>5", None),
            ("<think>5</think>", None),
            ("<think>5</think>6<think>7", None),
        ],
    );
    check(&parse(r#"["boxed", "last_number"]"#).unwrap(), &[("\\boxed{1} 2", Some("1")), ("1 2", Some("2")), ("", None)]);
}

#[test]
fn ten_megabytes_are_searched() {
    let ways = [
        Extraction::Whole,
        Extraction::LastNumber,
        Extraction::FinalNumber,
        Extraction::Boxed,
        Extraction::choice(),
        Extraction::Json("/a".to_owned()),
        Extraction::Tag("a".to_owned()),
        Extraction::After("#".to_owned()),
        Extraction::AfterReasoning(Box::new(Extraction::Whole)),
    ];
    let nested = r#"{"a":["#.repeat(1 << 20);
    let texts = [&nested, &r"\boxed{".repeat(1 << 20), &"<a>".repeat(3 << 20), &"1,".repeat(5 << 20), &"A ".repeat(5 << 20)];
    for text in texts {
        for way in &ways {
            way.extract(text);
        }
    }
    assert_eq!(Extraction::Json("/a".to_owned()).extract(&format!("{nested} {{\"a\": 1}}")), None, "the search ends after 64 that fail");
}

proptest! {
    #[test]
    fn whatever_the_text_nothing_panics(text in ".{0,80}", noise in r"(answer is|\\boxed|A|B|#### |[(){}<>/*=.:-]|1| ){0,30}") {
        for text in [&text, &noise] {
            for way in [Extraction::FinalNumber, Extraction::LastNumber, Extraction::choice(), Extraction::Boxed, Extraction::Json("/a".to_owned())] {
                let found = way.extract(text);
                prop_assert!(found.is_none_or(|found| !found.trim().is_empty()));
            }
        }
    }
}
