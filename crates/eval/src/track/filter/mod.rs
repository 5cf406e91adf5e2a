//! Which runs a list shows: a small language, read into a tree and written as SQL whose every value is a bound parameter.

mod parse;
mod sql;
mod token;

use std::str::FromStr;

pub(super) use sql::Sql;

use super::RunStatus;
use crate::{Error, Result};

/// Which runs a list shows.
///
/// ```text
/// metrics.accuracy > 0.9 and params.model = 'tiny' and (tags.team like 'a%' or status in ('done', 'failed'))
/// ```
///
/// - Fields: `metrics.x` (its latest figure), `params.x`, `tags.x`, and of the run itself `id`, `name`, `experiment`, `status`, `model`,
///   `note`, `git`, `dataset_digest`, `prompt_digest`, `seed`, `created`, `started`, `ended` (microseconds since 1970). A name that is not
///   made of letters, digits and `_ - . / @ :` stands in double quotes or backticks: `metrics."F1 (macro)"`.
/// - Tests: `=`, `!=`, `<`, `<=`, `>`, `>=`, `like`, `ilike` (case of ASCII letters apart), `in (..)`, `not like`, `not in`, `is null`,
///   `is not null`, and of metrics `is nan`. In patterns, `%` stands for any text and `_` for any one character.
/// - Texts stand in single quotes, a quote in them is written twice; numbers are as in JSON, or `inf` and `-inf`. A setting is compared as a
///   number with a number and as text with a text; one that is no number is not there for a number.
/// - `and` binds more than `or`, `not` more than both. A comparison with what is not there, or with NaN, does not hold, `!=` neither.
///
/// ```
/// use jarre_eval::track::Filter;
///
/// assert!("metrics.loss < 0.5 and not tags.stage = 'draft'".parse::<Filter>().is_ok());
/// let error = "metrics.loss < 'low'".parse::<Filter>().unwrap_err();
/// assert_eq!(error.to_string(), "the filter cannot be read at character 16: a metric is compared with a number");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// `None` lets all runs pass.
    condition: Option<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Holds(Field, Test),
}

#[derive(Clone, Debug, PartialEq)]
enum Field {
    Metric(String),
    Param(String),
    Tag(String),
    /// A text of the run itself.
    Text(TextField),
    /// A whole number of the run itself.
    Number(NumberField),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextField {
    Id,
    Name,
    Experiment,
    Status,
    Model,
    Note,
    Git,
    DatasetDigest,
    PromptDigest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberField {
    Seed,
    Created,
    Started,
    Ended,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Compare(Comparison, Literal),
    Like { pattern: String, any_case: bool, negated: bool },
    In { values: Vec<Literal>, negated: bool },
    Null,
    Nan,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Text(String),
    Number(f64),
    /// Of the fields that hold whole numbers, so that none is rounded.
    Whole(i64),
}

impl Filter {
    /// Reads a filter; an empty one lets all runs pass.
    ///
    /// # Errors
    /// [`Error::Filter`] with the place.
    pub fn parse(text: &str) -> Result<Self> {
        parse::parse(text).map(|condition| Self { condition })
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Field {
    /// The field of this name, of the run itself.
    fn attribute(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Text(TextField::Id),
            "name" => Self::Text(TextField::Name),
            "experiment" => Self::Text(TextField::Experiment),
            "status" => Self::Text(TextField::Status),
            "model" => Self::Text(TextField::Model),
            "note" => Self::Text(TextField::Note),
            "git" => Self::Text(TextField::Git),
            "dataset_digest" => Self::Text(TextField::DatasetDigest),
            "prompt_digest" => Self::Text(TextField::PromptDigest),
            "seed" => Self::Number(NumberField::Seed),
            "created" => Self::Number(NumberField::Created),
            "started" => Self::Number(NumberField::Started),
            "ended" => Self::Number(NumberField::Ended),
            _ => return None,
        })
    }

    /// Why the field is not compared with `literal`, if it is not.
    fn objection(&self, literal: &Literal) -> Option<String> {
        match (self, literal) {
            (Self::Metric(_), Literal::Text(_)) => Some("a metric is compared with a number".into()),
            (Self::Tag(_), Literal::Number(_)) => Some("a tag is compared with a text in single quotes".into()),
            (Self::Text(_), Literal::Number(_)) => Some("this field is compared with a text in single quotes".into()),
            (Self::Number(_), Literal::Text(_) | Literal::Number(_)) => Some("this field is compared with a whole number".into()),
            (Self::Text(TextField::Status), Literal::Text(text)) => RunStatus::parse(text).err().map(|error| error.to_string()),
            _ => None,
        }
    }
}
