mod choice;
mod json;
mod number;
mod reasoning;
mod spec;

use serde::{Deserialize, Serialize};

use self::spec::Written;
use super::{
    math::boxed,
    pattern::{Pattern, Take},
};
use crate::Result;

pub(crate) use choice::choice;

/// How much of a text is searched for numbers and letters, in bytes.
const SEARCHED: usize = 1 << 18;

/// How the answer is found in what a model wrote. Nothing is guessed: where the way finds nothing, there is no answer.
///
/// Any text is searched in time linear in its length, for numbers and letters its last 256 KiB only; `regex` has the limits of [`Pattern`].
///
/// In TOML it is the name of a way, a table of one, or an array of ways of which the first that finds something counts:
///
/// ```toml
/// extract = "final_number"
/// extract = { regex = "(?i)answer: *(\\w+)", group = 1, take = "last" }
/// extract = { choice = "ABCD" }
/// extract = { json = "/result/answer" }
/// extract = { tag = "answer" }
/// extract = { after = "Answer:" }
/// extract = { after_reasoning = ["boxed", "last_number"] }
/// ```
///
/// ```
/// use jarre_eval::text::Extraction;
///
/// let text = "<think>Maybe 3?</think>2 + 2 = 4, so the answer is 4. (See step 1.)";
/// let find = |way: Extraction| way.extract(text);
/// assert_eq!(find(Extraction::LastNumber), Some("1".to_owned()));
/// assert_eq!(find(Extraction::FinalNumber), Some("4".to_owned()));
/// assert_eq!(find(Extraction::Boxed), None);
/// let way = Extraction::AfterReasoning(Box::new(Extraction::LastNumber));
/// assert_eq!(way.extract("<think>1, 2, 3"), None, "no answer follows what it thought");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Extraction {
    /// `"whole"`: all of it, without white space at its ends.
    #[default]
    Whole,
    /// `"last_number"`: the last number, with sign, currency, percent and the separators that stand in it. A minus behind a letter, digit or
    /// bracket is one between numbers.
    LastNumber,
    /// `"final_number"`: the number that is said to be the answer, else the last one. Said is it, the last time counting, behind `####`
    /// (GSM8K), else in `\boxed{}`, else behind `answer is`, `answer:` or a line's `A:`.
    FinalNumber,
    /// `"boxed"`: what the last `\boxed{}` holds ([`boxed`]).
    Boxed,
    /// `"choice"` for A to E, or `{ choice = "ABCD", take = "first" }`: a letter out of several. It is the one said to be the answer
    /// (`the answer is (B)`, `Answer: B`, `\boxed{B}`), else one that begins a line or is one (`B. Paris`, `**B**`), else one in brackets,
    /// else one that stands alone and is no word.
    Choice {
        /// The letters that count, in upper case.
        letters: Letters,
        /// Which one counts where several stand in the same form.
        take: Take,
    },
    /// `{ regex = "..", group = 1, take = "last" }`: what a group of a match holds. The group is 1 where the pattern has one and else 0, the
    /// match the last one, unless they are stated.
    Regex {
        /// The pattern.
        pattern: Pattern,
        /// The group; 0 is the whole match.
        group: usize,
        /// Which match.
        take: Take,
    },
    /// `{ json = "/answer" }`: the field at a JSON pointer (RFC 6901) in the last JSON object that has it, wherever in the text that stands. A
    /// string as it is, everything else as JSON.
    Json(String),
    /// `{ tag = "answer" }`: what stands between the last `<answer>` and the `</answer>` behind it.
    Tag(String),
    /// `{ after = "Answer:" }`: what follows the last such marker up to the end of its line, or the next line that is not empty.
    After(String),
    /// `{ after_reasoning = .. }`: another way, in what follows the last `</think>`; nothing where `<think>` is not closed.
    AfterReasoning(Box<Extraction>),
    /// `[.., ..]`: the first of several ways that finds something.
    FirstOf(Vec<Extraction>),
}

/// Letters that name choices, in upper case ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Letters(String);

impl Extraction {
    /// A letter from A to E, the last one said.
    pub fn choice() -> Self {
        Self::Choice { letters: Letters::default(), take: Take::Last }
    }

    /// What a group of the last match of `pattern` holds: the first group where it has one, else the whole match.
    ///
    /// # Errors
    /// [`Error::InvalidPattern`](crate::Error::InvalidPattern).
    pub fn regex(pattern: &str) -> Result<Self> {
        let pattern = Pattern::new(pattern)?;
        Ok(Self::Regex { group: pattern.groups().min(2) - 1, pattern, take: Take::Last })
    }

    /// The answer in `text`, without white space at its ends; `None` where there is none, or an empty one.
    pub fn extract(&self, text: &str) -> Option<String> {
        let found = match self {
            Self::Whole => text.to_owned(),
            Self::LastNumber => number::last_number(end(text))?.to_owned(),
            Self::FinalNumber => number::final_number(end(text))?.to_owned(),
            Self::Boxed => boxed(text)?.to_owned(),
            Self::Choice { letters, take } => choice(end(text), letters, *take)?.to_string(),
            Self::Regex { pattern, group, take } => pattern.capture(text, *group, *take)?.to_owned(),
            Self::Json(pointer) => json::field(text, pointer)?,
            Self::Tag(tag) => between(text, &format!("<{tag}>"), &format!("</{tag}>"))?.to_owned(),
            Self::After(marker) => after(text, marker)?.to_owned(),
            Self::AfterReasoning(way) => way.extract(reasoning::answer(text)?)?,
            Self::FirstOf(ways) => ways.iter().find_map(|way| way.extract(text))?,
        };
        let trimmed = found.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }
}

impl Letters {
    pub(super) fn contains(&self, letter: char) -> bool {
        self.0.contains(letter)
    }
}

impl Default for Letters {
    fn default() -> Self {
        Self("ABCDE".to_owned())
    }
}

impl TryFrom<String> for Letters {
    type Error = String;

    fn try_from(letters: String) -> Result<Self, String> {
        let plain = !letters.is_empty() && letters.chars().all(|letter| letter.is_ascii_uppercase());
        if plain { Ok(Self(letters)) } else { Err(format!("`{letters}` names no choices; write upper-case letters like ABCD")) }
    }
}

impl From<Letters> for String {
    fn from(letters: Letters) -> Self {
        letters.0
    }
}

fn end(text: &str) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(SEARCHED))..]
}

fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<&'t str> {
    let start = text.rfind(open)? + open.len();
    let length = text[start..].find(close)?;
    Some(&text[start..start + length])
}

fn after<'t>(text: &'t str, marker: &str) -> Option<&'t str> {
    let start = text.rfind(marker)? + marker.len();
    text[start..].trim_start().lines().next()
}
