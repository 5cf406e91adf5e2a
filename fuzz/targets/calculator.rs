//! Arithmetic that anyone wrote: no text is a panic, an error's place is within the text, and an exact answer reads as itself.
#![no_main]

use jarre_calculator::evaluate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match evaluate(text) {
        Ok(answer) => {
            assert!(!answer.to_f64().is_nan());
            if let Some((numerator, denominator)) = answer.to_fraction().filter(|(n, d)| n.len() + d.len() < 4000) {
                assert_eq!(evaluate(&format!("({numerator})/{denominator}")).expect("a fraction is an expression"), answer);
            }
        }
        Err(error) => assert!(error.at().is_none_or(|at| (1..=text.chars().count() + 1).contains(&at))),
    }
});
