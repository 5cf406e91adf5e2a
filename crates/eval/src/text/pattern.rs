use std::fmt;

use regex::{Captures, Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a compiled pattern may take, in bytes.
const SIZE_LIMIT: usize = 1 << 20;
/// How deep its groups may nest.
const NEST_LIMIT: u32 = 100;
/// How much of a text is searched for a first match, in bytes.
const FIRST_LIMIT: usize = 1 << 20;
/// How much is searched for the last one: to walk over all matches can take the square of the length, whatever the engine.
const LAST_LIMIT: usize = 1 << 14;

/// A regular expression in the syntax of the crate [`regex`], which matches in linear time: no look-around, no back-references. It is
/// written in files as its text.
///
/// What it may cost is limited, so that a pattern and a text from anywhere do no harm: 1 MiB compiled, groups nested 100 deep, and of a text
/// the first 1 MiB where the first match is wanted, and the last 16 KiB where the last one is.
///
/// ```
/// use jarre_eval::text::{Pattern, Take};
///
/// let pattern = Pattern::new(r"(?i)answer:\s*(\w+)")?;
/// assert_eq!(pattern.capture("Answer: 3. No, answer: 4", 1, Take::Last), Some("4"));
/// assert!(Pattern::new("(a").unwrap_err().to_string().contains("unclosed group"));
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Regex);

/// Which of several counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// The first in the text.
    First,
    /// The last one: models tend to end with the answer.
    #[default]
    Last,
}

impl Pattern {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// [`Error::InvalidPattern`] where it cannot be read or is too large.
    pub fn new(pattern: &str) -> Result<Self> {
        let compiled = RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).nest_limit(NEST_LIMIT).build();
        compiled.map(Self).map_err(|error| Error::InvalidPattern { pattern: pattern.to_owned(), problem: error.to_string() })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it matches somewhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(window(text, Take::First))
    }

    /// What `group` of the first or last match holds: 0 for the whole match. `None` where nothing matches, and where that match has no such
    /// group.
    pub fn capture<'t>(&self, text: &'t str, group: usize, take: Take) -> Option<&'t str> {
        let mut matches = self.0.captures_iter(window(text, take));
        let found: Captures<'t> = match take {
            Take::First => matches.next(),
            Take::Last => matches.last(),
        }?;
        found.get(group).map(|group| group.as_str())
    }

    /// How many groups a match has, the whole match among them.
    pub fn groups(&self) -> usize {
        self.0.captures_len()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.as_str())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl TryFrom<String> for Pattern {
    type Error = Error;

    fn try_from(pattern: String) -> Result<Self> {
        Self::new(&pattern)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.as_str().to_owned()
    }
}

/// The part of `text` that is searched, cut between characters.
fn window(text: &str, take: Take) -> &str {
    match take {
        Take::First => &text[..text.floor_char_boundary(FIRST_LIMIT)],
        Take::Last => &text[text.ceil_char_boundary(text.len().saturating_sub(LAST_LIMIT))..],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_cost_too_much_are_refused() {
        for pattern in ["(?:a{1000}){1000}", &"(".repeat(101), &format!("{}{}", "(".repeat(101), ")".repeat(101)), "(?=a)", r"(a)\1"] {
            assert!(matches!(Pattern::new(pattern), Err(Error::InvalidPattern { .. })), "{pattern}");
        }
    }

    #[test]
    fn a_search_sees_the_end_that_it_is_about() {
        let text = format!("x1{}x2", "é".repeat(FIRST_LIMIT));
        let pattern = Pattern::new(r"x\d").unwrap();
        assert_eq!(pattern.capture(&text, 0, Take::First), Some("x1"));
        assert_eq!(pattern.capture(&text, 0, Take::Last), Some("x2"));
        assert_eq!(pattern.capture(&text, 1, Take::Last), None);
    }
}
