//! How ways are written in files.

use serde::{Deserialize, Serialize};

use super::{Extraction, Letters};
use crate::text::pattern::{Pattern, Take};

/// The forms of [`Extraction`] in TOML and JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a way to extract: one of \"whole\", \"last_number\", \"final_number\", \"boxed\", \"choice\", a table with one of the \
                 keys regex, choice, json, tag, after, after_reasoning, or an array of ways"
)]
pub(super) enum Written {
    Name(Name),
    Choice(Choice),
    Regex(Matching),
    Json(Json),
    Tag(Tag),
    After(After),
    AfterReasoning(AfterReasoning),
    FirstOf(Vec<Extraction>),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Name {
    Whole,
    LastNumber,
    FinalNumber,
    Boxed,
    Choice,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    choice: Letters,
    #[serde(default)]
    take: Take,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Matching {
    regex: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<usize>,
    #[serde(default)]
    take: Take,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Json {
    json: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tag {
    tag: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    after: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AfterReasoning {
    after_reasoning: Box<Extraction>,
}

impl TryFrom<Written> for Extraction {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Ok(match written {
            Written::Name(Name::Whole) => Self::Whole,
            Written::Name(Name::LastNumber) => Self::LastNumber,
            Written::Name(Name::FinalNumber) => Self::FinalNumber,
            Written::Name(Name::Boxed) => Self::Boxed,
            Written::Name(Name::Choice) => Self::choice(),
            Written::Choice(Choice { choice, take }) => Self::Choice { letters: choice, take },
            Written::Regex(regex) => regex.compile()?,
            Written::Json(Json { json }) if !json.starts_with('/') => return Err(format!("`{json}` is no JSON pointer; write `/{json}`")),
            Written::Json(Json { json }) => Self::Json(json),
            Written::Tag(Tag { tag }) => Self::Tag(tag),
            Written::After(After { after }) => Self::After(after),
            Written::AfterReasoning(AfterReasoning { after_reasoning }) => Self::AfterReasoning(after_reasoning),
            Written::FirstOf(ways) => Self::FirstOf(ways),
        })
    }
}

impl Matching {
    fn compile(self) -> Result<Extraction, String> {
        // As text, because of a table that fits none of the forms only that would be told.
        let pattern = Pattern::new(&self.regex).map_err(|error| error.to_string())?;
        let group = self.group.unwrap_or(pattern.groups().min(2) - 1);
        if group >= pattern.groups() {
            return Err(format!("the pattern `{}` has no group {group}", self.regex));
        }
        Ok(Extraction::Regex { pattern, group, take: self.take })
    }
}

impl From<Extraction> for Written {
    fn from(way: Extraction) -> Self {
        match way {
            Extraction::Whole => Self::Name(Name::Whole),
            Extraction::LastNumber => Self::Name(Name::LastNumber),
            Extraction::FinalNumber => Self::Name(Name::FinalNumber),
            Extraction::Boxed => Self::Name(Name::Boxed),
            Extraction::Choice { letters, take } => Self::Choice(Choice { choice: letters, take }),
            Extraction::Regex { pattern, group, take } => Self::Regex(Matching { regex: pattern.into(), group: Some(group), take }),
            Extraction::Json(json) => Self::Json(Json { json }),
            Extraction::Tag(tag) => Self::Tag(Tag { tag }),
            Extraction::After(after) => Self::After(After { after }),
            Extraction::AfterReasoning(after_reasoning) => Self::AfterReasoning(AfterReasoning { after_reasoning }),
            Extraction::FirstOf(ways) => Self::FirstOf(ways),
        }
    }
}
