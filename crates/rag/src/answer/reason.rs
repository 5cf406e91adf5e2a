use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a question was not answered, in terms that a reader can act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The question has no words to look for.
    EmptyQuestion,
    /// The search found nothing.
    NothingFound,
    /// What was found holds no sentence to quote: code, markup.
    NothingToQuote,
    /// Words of the question, as written there, that stand nowhere in the documents.
    Unknown {
        /// The first of them, at most three.
        words: Vec<String>,
    },
    /// Words of the question that none of the passages has that were found for it.
    Missing {
        /// The rarest first, at most three.
        words: Vec<String>,
    },
    /// Words of the question that passages have, but none of them together.
    Apart {
        /// Words that the best passage has.
        together: Vec<String>,
        /// Words that it lacks.
        without: Vec<String>,
    },
    /// The passages are about something near, without anything more definite to say of it.
    Weak,
    /// The model that read the passages says that they do not answer.
    Declined,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyQuestion => f.write_str("The question has no words to look for."),
            Self::NothingFound => f.write_str("Not in these documents: no passage has anything in common with the question."),
            Self::NothingToQuote => f.write_str("Not in these documents: what comes nearest holds no sentence that could be quoted."),
            Self::Unknown { words } => write!(f, "Not in these documents: they nowhere mention {}.", quoted(words, "or")),
            Self::Missing { words } => write!(f, "Not in these documents: none of the passages found mentions {}.", quoted(words, "or")),
            Self::Apart { together, without } if together.is_empty() => {
                write!(f, "Not in these documents: the passage that comes nearest does not mention {}.", quoted(without, "or"))
            }
            Self::Apart { together, without } => {
                let (together, without) = (quoted(together, "and"), quoted(without, "or"));
                write!(f, "Not in these documents: the passage found on {together} does not mention {without}.")
            }
            Self::Weak => f.write_str("Not in these documents: the passages that come nearest are about something else."),
            Self::Declined => f.write_str("Not in these documents: the model found no answer in the passages."),
        }
    }
}

fn quoted(words: &[String], joint: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} {joint} {last}", first.join(", ")),
        other => other.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_as_sentences() {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let missing = Reason::Missing { words: words(&["Zanzibar", "ACL", "tuple"]) };
        assert_eq!(missing.to_string(), "Not in these documents: none of the passages found mentions \"Zanzibar\", \"ACL\" or \"tuple\".");
        let apart = Reason::Apart { together: words(&["index"]), without: words(&["cost"]) };
        assert_eq!(apart.to_string(), "Not in these documents: the passage found on \"index\" does not mention \"cost\".");
    }
}
