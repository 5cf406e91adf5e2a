use std::collections::HashMap;

use super::normalize::normalized_tokens;

/// Whether `answer` is one of `references` after [`normalize_answer`](super::normalize_answer); false without references.
///
/// ```
/// use jarre_eval::text::exact_match;
///
/// assert!(exact_match("the Eiffel Tower.", &["Tour Eiffel", "Eiffel tower"]));
/// ```
pub fn exact_match<S: AsRef<str>>(answer: &str, references: &[S]) -> bool {
    let answer = normalized_tokens(answer);
    references.iter().any(|reference| normalized_tokens(reference.as_ref()) == answer)
}

/// Whether the words of one of `references` stand in `answer`, one after the other, both after
/// [`normalize_answer`](super::normalize_answer): `art` is not in `party`. A reference without words is contained in an answer without
/// words only. Takes time linear in the lengths.
///
/// ```
/// use jarre_eval::text::contains;
///
/// assert!(contains("It was designed by Gustave Eiffel's company.", &["gustave eiffels"]));
/// assert!(!contains("A party.", &["art"]));
/// ```
pub fn contains<S: AsRef<str>>(answer: &str, references: &[S]) -> bool {
    // Spaces around words make the search for a text one for whole words.
    let padded = |text: &str| format!(" {} ", normalized_tokens(text).join(" "));
    let answer = padded(answer);
    references.iter().map(|reference| padded(reference.as_ref())).any(|reference| match reference.trim() {
        "" => answer.trim().is_empty(),
        _ => answer.contains(&reference),
    })
}

/// The harmonic mean of precision and recall over words, counted with their repetitions, after
/// [`normalize_answer`](super::normalize_answer), for the reference where it is best (`SQuAD`, Rajpurkar et al. 2016). From 0 to 1.
///
/// Where one of the two has no words it is 1 if neither has and else 0, as in `SQuAD` 2.0; 0 without references.
///
/// ```
/// use jarre_eval::text::token_f1;
///
/// assert_eq!(token_f1("the red house", &["a house", "barn"]), 2.0 * 0.5 * 1.0 / (0.5 + 1.0));
/// ```
pub fn token_f1<S: AsRef<str>>(answer: &str, references: &[S]) -> f64 {
    let answer = normalized_tokens(answer);
    references.iter().map(|reference| f1(&answer, &normalized_tokens(reference.as_ref()))).fold(0.0, f64::max)
}

fn f1(answer: &[String], reference: &[String]) -> f64 {
    if answer.is_empty() || reference.is_empty() {
        return f64::from(u8::from(answer.is_empty() && reference.is_empty()));
    }
    // 2PR / (P + R) with P = shared / |answer| and R = shared / |reference|.
    2.0 * shared(answer, reference) as f64 / (answer.len() + reference.len()) as f64
}

fn shared(answer: &[String], reference: &[String]) -> usize {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in reference {
        *left.entry(word).or_default() += 1;
    }
    let mut shared = 0;
    for word in answer {
        if let Some(count) = left.get_mut(word.as_str()).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    shared
}
