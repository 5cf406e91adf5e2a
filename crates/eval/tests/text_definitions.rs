//! Text metrics against their definitions, and on text that is huge or broken.
#![expect(clippy::float_cmp, reason = "scores that are 0 or 1 are exact")]

use jarre_core::{Embedder, EmbedderInfo, Embeddings, testing::HashEmbedder};
use jarre_eval::text::{
    Bleu, Chrf, Pattern, Rouge, RougeVariant, Take, contains, edit_distance, edit_similarity, embedding_similarity, exact_match,
    math_equal, normalize_answer, token_f1,
};
use proptest::prelude::*;

/// The recurrence of Levenshtein, row by row.
fn slow_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, c) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for j in 0..right.len() {
            let substituted = diagonal + usize::from(c != right[j]);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}

fn slow_subsequence(left: &[&str], right: &[&str]) -> usize {
    let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
    for (i, word) in left.iter().enumerate() {
        for (j, other) in right.iter().enumerate() {
            table[i + 1][j + 1] = if word == other { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
        }
    }
    table[left.len()][right.len()]
}

proptest! {
    #[test]
    fn the_distance_is_levenshtein_s(left in "[abé猫]{0,300}", right in "[abé猫]{0,300}") {
        prop_assert_eq!(edit_distance(&left, &right), slow_distance(&left, &right));
    }

    #[test]
    fn the_distance_is_a_metric(a in "[ab]{0,90}", b in "[ab]{0,90}", c in "[ab]{0,90}") {
        prop_assert_eq!(edit_distance(&a, &b), edit_distance(&b, &a));
        prop_assert!(edit_distance(&a, &c) <= edit_distance(&a, &b) + edit_distance(&b, &c));
        prop_assert_eq!(edit_distance(&a, &b) == 0, a == b);
        prop_assert!((0.0..=1.0).contains(&edit_similarity(&a, &b)));
    }

    #[test]
    fn rouge_l_is_the_longest_common_subsequence(left in prop::collection::vec("[abc]", 1..200), right in prop::collection::vec("[abc]", 1..200)) {
        let score = Rouge::new(RougeVariant::L).score(&left.join(" "), &right.join(" "));
        let words = |side: &'_ [String]| side.iter().map(|word| word.as_str().to_owned()).collect::<Vec<_>>();
        let (left, right) = (words(&left), words(&right));
        let (left, right): (Vec<&str>, Vec<&str>) = (left.iter().map(String::as_str).collect(), right.iter().map(String::as_str).collect());
        let expected = slow_subsequence(&left, &right) as f64;
        prop_assert!((score.precision * left.len() as f64 - expected).abs() < 1e-9);
        prop_assert!((score.recall * right.len() as f64 - expected).abs() < 1e-9);
    }

    #[test]
    fn f1_is_bounded_symmetric_and_one_for_equal_words(left in "[abc ]{0,20}", right in "[abc ]{0,20}") {
        let f1 = token_f1(&left, &[&right]);
        prop_assert!((0.0..=1.0).contains(&f1));
        prop_assert_eq!(f1, token_f1(&right, &[&left]));
        prop_assert_eq!(token_f1(&left, &[&left]), 1.0);
        prop_assert!(!exact_match(&left, &[&right]) || f1 == 1.0);
        prop_assert!(token_f1(&left, &[&right, &left]) >= f1, "another reference takes nothing away");
    }

    #[test]
    fn overlap_scores_are_bounded_and_full_for_equal_texts(left in "\\PC{0,40}", right in "\\PC{0,40}") {
        for chrf in [Chrf::default(), Chrf::plus_plus()] {
            let score = chrf.sentence(&left, &[&right]);
            prop_assert!((0.0..=100.000_001).contains(&score), "{}", score);
        }
        let score = Bleu::sentence_level().sentence(&left, &[&right]).score;
        prop_assert!((0.0..=100.000_001).contains(&score), "{}", score);
        prop_assert!((Chrf::default().sentence(&left, &[&left]) - 100.0).abs() < 1e-9 || left.trim().is_empty());
    }

    #[test]
    fn whatever_the_text_nothing_panics(left in ".{0,60}", right in ".{0,60}") {
        math_equal(&left, &right);
        jarre_eval::text::numeric_equal(&left, &right, 1e-6);
        prop_assert_eq!(normalize_answer(&normalize_answer(&left)), normalize_answer(&left));
    }

    #[test]
    fn whatever_the_latex_nothing_panics(text in r"(\\(frac|sqrt|text|boxed|left|cup|pi|)|[{}\[\](),.^_=+*/ 0-9xyé\u{85}-]){0,40}") {
        math_equal(&text, "1");
        prop_assert!(math_equal(&text, &text) || !math_equal(&text, "0"));
    }
}

#[test]
fn answers_are_compared_as_squad_does() {
    assert_eq!(normalize_answer("The  Quick, brown-fox: a «test»…"), "quick brownfox test");
    assert_eq!(normalize_answer("AN APPLE A DAY"), "apple day");
    assert_eq!(normalize_answer("theatre and anthem"), "theatre and anthem");
    assert_eq!(normalize_answer("ÉCOLE 東京。"), "école 東京");
    assert_eq!(normalize_answer("$1,000 + 5^2"), "1000 52");
    assert!(!exact_match::<&str>("x", &[]));
    assert_eq!(token_f1::<&str>("x", &[]), 0.0);
    assert_eq!(token_f1("the", &["a"]), 1.0);
    assert_eq!(token_f1("", &["x"]), 0.0);
    assert_eq!(token_f1("a a b b", &["b b b c"]), 2.0 * (2.0 / 2.0) * (2.0 / 4.0) / (2.0 / 2.0 + 2.0 / 4.0));
    assert!(contains("In 1889, by Eiffel", &["1890", "by eiffel"]));
    assert!(!contains("anything", &["", "the"]));
    assert!(contains("the", &[""]));
}

#[test]
fn distances_of_known_words() {
    for (left, right, distance) in
        [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("é", "e", 1), ("🎉a", "a🎉", 2)]
    {
        assert_eq!(edit_distance(left, right), distance, "{left} {right}");
    }
    assert_eq!(edit_similarity("", ""), 1.0);
    assert_eq!(edit_similarity("", "x"), 0.0);
}

#[test]
fn beyond_the_limit_the_distance_is_an_upper_bound() {
    let long = "ab".repeat(150_000);
    assert_eq!(edit_distance(&long, &long), 0);
    assert_eq!(edit_distance(&long, &format!("{long}xyz")), 3, "what both begin with costs nothing");
    assert_eq!(edit_distance(&long, ""), 300_000);
    let shifted = format!("x{}y", &long[..long.len() - 1]);
    // One deletion, one insertion and one substitution are enough; the limit lets it say more, never less.
    assert!(edit_distance(&long, &shifted) >= 2);
    assert!(edit_distance(&long, &shifted) <= 300_001);
}

#[test]
fn ten_megabytes_are_scored() {
    let text = "the cat sat on 12 mats. ".repeat(420_000);
    let other = format!("{} a dog {}", &text[..text.len() / 2], &text[text.len() / 2..]);
    assert!(token_f1(&text, &[&other]) > 0.99);
    assert!(contains(&other, &["a dog"]));
    assert!(edit_similarity(&text, &other) > 0.99);
    assert!(Bleu::sentence_level().sentence(&text, &[&other]).score > 99.0);
    assert!(Chrf::default().sentence(&text, &[&other]) > 99.0);
    // Only 100,000 of 2.5 million words are aligned.
    let rouge = Rouge::new(RougeVariant::L).score(&text, &other);
    assert!(rouge.f1 > 0.039 && rouge.f1 < 0.041, "{rouge:?}");
    assert!(!math_equal(&text, &other));
    // Each of many matches looks at all that follows.
    let pattern = Pattern::new("(?:.*[^A-Z]|[A-Z])").expect("the pattern is valid");
    assert_eq!(pattern.capture(&"A".repeat(10 << 20), 0, Take::Last), Some("A"));
}

/// Gives the texts the vectors that it holds, in order.
struct Fixed(EmbedderInfo, Embeddings);

impl Embedder for Fixed {
    fn info(&self) -> &EmbedderInfo {
        &self.0
    }

    fn embed(&self, _: &[&str]) -> jarre_core::Result<Embeddings> {
        Ok(self.1.clone())
    }
}

#[test]
fn vectors_without_direction_have_no_similarity() {
    let info = HashEmbedder::new(2, 8).info().clone();
    let similarity =
        |values: Vec<f32>| embedding_similarity(&Fixed(info.clone(), Embeddings::new(2, values).expect("rows of two")), "a", "b");
    assert_eq!(similarity(vec![1.0, 0.0, 0.0, 2.0]).expect("two vectors"), Some(0.0));
    assert_eq!(similarity(vec![1.0, 1.0, -3.0, -3.0]).expect("two vectors"), Some(-1.0));
    assert_eq!(similarity(vec![1.0, 1.0, 0.0, 0.0]).expect("two vectors"), None);
    assert_eq!(similarity(vec![1.0, f32::NAN, 1.0, 1.0]).expect("two vectors"), None);
    assert!(similarity(vec![1.0, 1.0]).is_err());
}
