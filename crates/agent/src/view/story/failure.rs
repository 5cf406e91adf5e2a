use serde::Deserialize;

use crate::{Reflection, TestReport};

/// A run of tests that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Its number, from 1.
    pub number: usize,
    /// The place of the step in which the tests ran.
    pub step: usize,
    /// What the tests came to.
    pub tests: TestReport,
    /// What earlier tasks taught about failures like this.
    pub recalled: Vec<Reflection>,
    /// What the model made of it.
    pub lesson: Option<Lesson>,
}

/// What a model wrote about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lesson {
    /// In the three parts that it was asked for.
    Parts {
        /// What failed.
        what: String,
        /// Why.
        why: String,
        /// What to do otherwise.
        instead: String,
    },
    /// In another form.
    Text(String),
}

impl Failure {
    pub(super) fn new(number: usize, step: usize, tests: TestReport) -> Self {
        Self { number, step, tests, recalled: Vec::new(), lesson: None }
    }
}

impl Lesson {
    /// Reads an answer: an object with `what`, `why` and `instead`, alone or within other text.
    pub(in crate::view) fn read(answer: &str) -> Self {
        #[derive(Deserialize)]
        struct Parts {
            what: String,
            why: String,
            instead: String,
        }
        let object = answer.find('{').zip(answer.rfind('}')).and_then(|(start, end)| answer.get(start..=end));
        match object.and_then(|object| serde_json::from_str(object).ok()) {
            Some(Parts { what, why, instead }) => Self::Parts { what, why, instead },
            None => Self::Text(answer.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_is_read_in_parts_or_kept_whole() {
        let parts = Lesson::Parts { what: "a".to_owned(), why: "b".to_owned(), instead: "c".to_owned() };
        assert_eq!(Lesson::read(r#"```json {"what": "a", "why": "b", "instead": "c"} ```"#), parts);
        for other in ["", "it failed", "} {", "{\"what\": 1}", "ä{"] {
            assert_eq!(Lesson::read(other), Lesson::Text(other.to_owned()));
        }
    }
}
