use std::collections::BTreeSet;

use jarre_core::BoxFuture;

use super::{Detail, EntityFinder, RagJudge};
use crate::judge::{JudgeId, Unjudged, containment, content_words, is_function_word, sentences};

/// Judges by shared words, without a model. Statements are sentences; one is supported where the premise holds enough of its words that
/// carry meaning, and all of its numbers. A passage is useful where it supports a sentence of the answer. Names are runs of capitalised
/// words, and numbers.
///
/// It sees neither negation nor paraphrase, and is deterministic, free and fast: good for finding what changed, never to be quoted as if
/// someone had read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LexicalRagJudge {
    threshold: f64,
}

impl Default for LexicalRagJudge {
    /// Three quarters of the words.
    fn default() -> Self {
        Self { threshold: 0.75 }
    }
}

impl LexicalRagJudge {
    /// A judge that wants this share of a statement's words.
    ///
    /// # Panics
    /// Where `threshold` is not between 0 and 1.
    pub fn new(threshold: f64) -> Self {
        assert!((0.0..=1.0).contains(&threshold), "a share is between 0 and 1, not {threshold}");
        Self { threshold }
    }

    fn identity(self) -> JudgeId {
        JudgeId::new("lexical", &["rag lexical", "1", &self.threshold.to_string()])
    }

    fn holds(self, premise: &BTreeSet<String>, statement: &str) -> bool {
        let words = content_words(statement);
        let has_numbers = words.iter().filter(|word| word.contains(char::is_numeric)).all(|word| premise.contains(word));
        has_numbers && containment(&words, premise).is_some_and(|share| share >= self.threshold)
    }
}

impl RagJudge for LexicalRagJudge {
    fn id(&self) -> JudgeId {
        self.identity()
    }

    fn statements<'a>(&'a self, _: &'a str, text: &'a str, _: Detail) -> BoxFuture<'a, Result<Vec<String>, Unjudged>> {
        Box::pin(async move { Ok(sentences(text).into_iter().map(str::to_owned).collect()) })
    }

    fn supported<'a>(&'a self, premise: &'a str, statements: &'a [String]) -> BoxFuture<'a, Result<Vec<Option<bool>>, Unjudged>> {
        Box::pin(async move {
            let premise: BTreeSet<String> = content_words(premise).into_iter().collect();
            Ok(statements.iter().map(|statement| Some(self.holds(&premise, statement))).collect())
        })
    }

    fn is_useful<'a>(&'a self, _: &'a str, passage: &'a str, answer: &'a str) -> BoxFuture<'a, Result<bool, Unjudged>> {
        Box::pin(async move {
            let passage: BTreeSet<String> = content_words(passage).into_iter().collect();
            Ok(sentences(answer).into_iter().any(|sentence| self.holds(&passage, sentence)))
        })
    }
}

impl EntityFinder for LexicalRagJudge {
    fn id(&self) -> JudgeId {
        self.identity()
    }

    fn entities<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Vec<String>, Unjudged>> {
        Box::pin(async move { Ok(sentences(text).into_iter().flat_map(names).collect()) })
    }
}

/// The runs of capitalised words and numbers of a sentence. Function words begin no run, and a single capital that begins the sentence
/// says nothing.
fn names(sentence: &str) -> Vec<String> {
    let words: Vec<&str> =
        sentence.split_whitespace().map(|word| word.trim_matches(|character: char| !character.is_alphanumeric())).collect();
    let mut names = Vec::new();
    let mut start = 0;
    for end in 0..=words.len() {
        if words.get(end).is_some_and(|word| is_capitalised(word) && !(start == end && is_function_word(&word.to_lowercase()))) {
            continue;
        }
        let only_begins = start == 0 && end == 1 && !words[0].starts_with(char::is_numeric);
        if end > start && !only_begins {
            names.push(words[start..end].join(" "));
        }
        start = end + 1;
    }
    names
}

fn is_capitalised(word: &str) -> bool {
    word.starts_with(|character: char| character.is_uppercase() || character.is_numeric())
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;

    #[test]
    fn enough_words_and_all_numbers_are_support() {
        let judge = LexicalRagJudge::default();
        let statements =
            ["The mill burnt down in 1907.", "The mill burnt down in 1908.", "The old mill in town burnt.", "!"].map(str::to_owned);
        let verdicts = block_on(judge.supported("In 1907 the mill burnt down.", &statements)).unwrap();
        assert_eq!(verdicts, [Some(true), Some(false), Some(false), Some(false)]);
        assert_eq!(block_on(judge.is_useful("q", "It burnt in 1907.", "Nobody knows. In 1907.")), Ok(true));
        assert_ne!(RagJudge::id(&judge), RagJudge::id(&LexicalRagJudge::new(0.5)));
    }

    #[test]
    fn names_are_capitalised_runs_and_numbers() {
        assert_eq!(names("Ada Lovelace met Babbage in London, in June 1833."), ["Ada Lovelace", "Babbage", "London", "June 1833"]);
        assert_eq!(names("The mill burnt in 1907"), ["1907"]);
        assert_eq!(names("In 1907 The Hague was dry"), ["1907 The Hague"]);
        assert_eq!(names("Sutton is dry, and It is I"), Vec::<String>::new());
        assert_eq!(names("1907 was dry"), ["1907"]);
        assert_eq!(names("nothing here"), Vec::<String>::new());
        assert_eq!(names(""), Vec::<String>::new());
    }
}
