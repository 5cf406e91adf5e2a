use serde::{Deserialize, Serialize};

use super::question::{Question, lower_words};

/// What sort of answer a question asks for, told from its question word and the noun behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Expected {
    /// A point or a period in time.
    Date,
    /// A count, a size, a share, a duration.
    Number,
    /// Someone, or a group of people.
    Person,
    /// Somewhere.
    Place,
    /// A cause or a purpose.
    Reason,
    /// What something is called.
    Name,
    /// What something is.
    Definition,
    /// Anything else.
    Other,
}

impl Expected {
    /// What a question of these words, in lower case, asks for.
    pub(super) fn of(words: &[String]) -> Self {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let asked = words.iter().position(|word| ASKING.contains(word));
        let behind = asked.map_or(&[][..], |at| &words[at + 1..]);
        match asked.map(|at| words[at]) {
            Some("when") => Self::Date,
            Some("who" | "whom" | "whose") if !is_definition(&words) => Self::Person,
            Some("where") => Self::Place,
            Some("why") => Self::Reason,
            Some("how") if behind.first().is_some_and(|word| is_measure(word)) => Self::Number,
            asked => {
                let noun = asked.filter(|word| matches!(*word, "what" | "which")).and_then(|_| noun(behind));
                noun.or_else(|| naming(&words)).unwrap_or_else(|| defining(&words))
            }
        }
    }

    /// Whether `sentence` holds something of this sort that the question does not state itself; `None` where that cannot be told.
    pub(super) fn found_in(self, sentence: &str, question: &Question) -> Option<bool> {
        let is_new = |word: &str| !question.has_word(&word.to_lowercase());
        match self {
            Self::Date => Some(lower_words(sentence).any(|word| is_date(&word) && is_new(&word))),
            Self::Number => Some(lower_words(sentence).any(|word| is_number(&word) && is_new(&word))),
            Self::Person => Some(names(sentence).any(|name| is_new(name.word))),
            Self::Place => Some(names(sentence).any(|name| name.is_located && is_new(name.word))),
            Self::Name => {
                Some(sentence.contains(['"', '“', '«', '`']) || has_any(sentence, &NAMING) || names(sentence).any(|name| is_new(name.word)))
            }
            Self::Reason => Some(has_any(sentence, &REASONING)),
            Self::Definition => Some(defines(sentence, question)),
            Self::Other => None,
        }
    }
}

/// Whether `word`, in lower case, asks for a number behind `how`.
pub(super) fn is_measure(word: &str) -> bool {
    MEASURED.contains(&word)
}

/// The sort that the noun behind `what` or `which` names.
fn noun(behind: &[&str]) -> Option<Expected> {
    let start = behind.iter().position(|word| !LINKING.contains(word))?;
    let nouns = &behind[start..behind.len().min(start + 2)];
    let names = |list: &[&str]| nouns.iter().any(|word| list.contains(word));
    let sorts: [(&[&str], Expected); 6] = [
        (&DATES, Expected::Date),
        (&NUMBERS, Expected::Number),
        (&PERSONS, Expected::Person),
        (&PLACES, Expected::Place),
        (&["reason", "cause", "purpose", "caused"], Expected::Reason),
        (&["name", "nickname", "term", "title"], Expected::Name),
    ];
    sorts.into_iter().find(|(list, _)| names(list)).map(|(_, sort)| sort)
}

fn naming(words: &[&str]) -> Option<Expected> {
    let asks = |word: &&str| matches!(*word, "called" | "named" | "name" | "nickname" | "titled" | "termed");
    words.iter().any(asks).then_some(Expected::Name)
}

fn defining(words: &[&str]) -> Expected {
    if is_definition(words) { Expected::Definition } else { Expected::Other }
}

/// `what is a chunk`, `what does X do`, `define X`: short, and nothing but the thing itself.
fn is_definition(words: &[&str]) -> bool {
    let is_short = words.len() <= 6;
    match words {
        ["what" | "who", "is" | "are" | "was" | "were", ..] | ["define", ..] => is_short,
        ["what", "does", .., last] => is_short && matches!(*last, "do" | "mean"),
        _ => false,
    }
}

/// A word with a capital, not the first of its sentence.
struct Name<'t> {
    word: &'t str,
    /// It follows a preposition of place.
    is_located: bool,
}

/// The names in `sentence`. The first word counts where another capital follows it, for it has one anyway.
fn names(sentence: &str) -> impl Iterator<Item = Name<'_>> {
    let words: Vec<&str> = sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_capital = |word: &str| word.starts_with(char::is_uppercase);
    let found: Vec<Name<'_>> = (0..words.len())
        .filter(|&at| is_capital(words[at]) && (at > 0 || words.get(1).is_some_and(|next| is_capital(next))))
        .map(|at| Name { word: words[at], is_located: is_located(&words[..at]) })
        .collect();
    found.into_iter()
}

fn is_located(before: &[&str]) -> bool {
    let before = if before.last().is_some_and(|word| *word == "the") { &before[..before.len() - 1] } else { before };
    before.last().is_some_and(|word| LOCATING.contains(word))
}

/// Whether `sentence` says what the thing in question is: its words first, a verb of being or doing right behind them.
fn defines(sentence: &str, question: &Question) -> bool {
    let words: Vec<String> = lower_words(sentence).take(10).collect();
    let Some(verb) = words.iter().position(|word| DEFINING.contains(&word.as_str())) else { return false };
    let subject = &words[..verb];
    let asked = question.terms.iter().filter(|term| subject.contains(&term.word.to_lowercase()) || plural_in(subject, &term.word)).count();
    asked == question.terms.len() && verb <= 2 * asked + 1
}

fn plural_in(subject: &[String], word: &str) -> bool {
    let word = word.to_lowercase();
    subject.iter().any(|other| other.strip_suffix('s') == Some(&word) || word.strip_suffix('s') == Some(other))
}

fn has_any(sentence: &str, list: &[&str]) -> bool {
    lower_words(sentence).any(|word| list.contains(&word.as_str()))
}

fn is_date(word: &str) -> bool {
    let year = word.strip_suffix('s').unwrap_or(word);
    let is_year = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) && (year.starts_with('1') || year.starts_with("20"));
    is_year || MONTHS.contains(&word) || matches!(word, "century" | "centuries")
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_numeric()) || NUMERALS.contains(&word)
}

const ASKING: [&str; 9] = ["what", "which", "who", "whom", "whose", "when", "where", "why", "how"];
const LINKING: [&str; 12] = ["is", "was", "are", "were", "the", "a", "an", "did", "does", "do", "of", "other"];
const MEASURED: [&str; 15] =
    ["many", "much", "long", "old", "far", "tall", "large", "big", "high", "deep", "wide", "fast", "often", "heavy", "small"];
const DATES: [&str; 11] = ["year", "years", "date", "century", "decade", "month", "day", "time", "season", "period", "era"];
const NUMBERS: [&str; 19] = [
    "percentage",
    "percent",
    "number",
    "amount",
    "population",
    "fraction",
    "proportion",
    "portion",
    "distance",
    "size",
    "speed",
    "height",
    "length",
    "age",
    "total",
    "maximum",
    "minimum",
    "limit",
    "rate",
];
const PERSONS: [&str; 16] = [
    "person",
    "man",
    "woman",
    "author",
    "actor",
    "actress",
    "singer",
    "president",
    "king",
    "queen",
    "player",
    "director",
    "artist",
    "composer",
    "scientist",
    "leader",
];
const PLACES: [&str; 16] = [
    "city",
    "country",
    "state",
    "place",
    "region",
    "area",
    "town",
    "continent",
    "county",
    "island",
    "river",
    "province",
    "location",
    "nation",
    "village",
    "district",
];
const LOCATING: [&str; 15] =
    ["in", "at", "near", "from", "to", "into", "of", "on", "across", "outside", "around", "In", "At", "Near", "From"];
const NAMING: [&str; 9] = ["called", "named", "known", "nicknamed", "termed", "titled", "entitled", "name", "dubbed"];
const REASONING: [&str; 17] = [
    "because",
    "due",
    "since",
    "therefore",
    "reason",
    "reasons",
    "cause",
    "caused",
    "causes",
    "owing",
    "thus",
    "result",
    "avoid",
    "prevent",
    "allow",
    "allows",
    "so",
];
const DEFINING: [&str; 11] = ["is", "are", "was", "were", "refers", "means", "lets", "provides", "does", "keeps", "denotes"];
const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const NUMERALS: [&str; 35] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
    "million",
    "billion",
    "trillion",
    "dozen",
    "half",
    "twice",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(question: &str) -> Expected {
        Expected::of(&lower_words(question).collect::<Vec<_>>())
    }

    #[test]
    fn question_words_tell_the_sort() {
        for (question, sort) in [
            ("When did Detroit file for bankruptcy?", Expected::Date),
            ("Halo 3 was released in what year?", Expected::Date),
            ("How many people are employed in the Texas Medical Center?", Expected::Number),
            ("What percentage of visitor money is spent in London?", Expected::Number),
            ("Who won the most votes?", Expected::Person),
            ("What city was FIFA formed?", Expected::Place),
            ("Why does Rust forbid two mutable references?", Expected::Reason),
            ("What was Gaddafi's coup called?", Expected::Name),
            ("What is a crate?", Expected::Definition),
            ("What does cargo check do?", Expected::Definition),
            ("What happens when two governments overlap?", Expected::Other),
            ("", Expected::Other),
        ] {
            assert_eq!(expected(question), sort, "{question}");
        }
    }
}
