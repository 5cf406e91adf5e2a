//! What models write: an answer that is found stands in the text, and comparing any two texts gives a figure of its scale, the same both ways.
#![no_main]

use jarre_eval::text::{Extraction, edit_similarity, exact_match, math_equal, numeric_equal, parse_number, token_f1};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (answer, reference) = texts;
    for way in
        ["\"last_number\"", "\"final_number\"", "\"boxed\"", "\"choice\"", "{\"tag\": \"a\"}", "{\"after\": \":\"}", "{\"json\": \"/a\"}"]
    {
        let way: Extraction = serde_json::from_str(way).expect("these ways are there");
        if let Some(found) = way.extract(answer) {
            assert!(!found.is_empty() && found == found.trim(), "{found:?}");
        }
    }
    if let Some(number) = parse_number(answer) {
        assert!(number.is_finite() && numeric_equal(answer, answer, 0.0), "{answer:?}");
    }
    assert_eq!(numeric_equal(answer, reference, 1e-6), numeric_equal(reference, answer, 1e-6));
    assert_eq!(math_equal(answer, reference), math_equal(reference, answer));
    let similarity = edit_similarity(answer, reference);
    assert!((0.0..=1.0).contains(&similarity) && similarity == edit_similarity(reference, answer));
    let f1 = token_f1(answer, &[reference]);
    assert!((0.0..=1.0).contains(&f1) && (f1 >= 1.0 || !exact_match(answer, &[reference])));
});
