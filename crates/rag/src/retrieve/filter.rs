use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Chunk, Document, Error, Format};

/// Which chunks a search may return, by what is known about them and their document.
///
/// A field that a document lacks equals nothing, so `not(equals)` takes documents without the field. Of a field with several values (a
/// chunk's headings) one must match. As JSON:
///
/// ```
/// use jarre_rag::retrieve::{Field, Filter};
///
/// let filter: Filter = serde_json::from_str(
///     r#"{"and": [{"in": {"field": "format", "values": ["pdf", "html"]}},
///                 {"not": {"equals": {"field": "metadata.status", "value": "draft"}}}]}"#,
/// )?;
/// let built = Filter::and([
///     Filter::is_in(Field::Format, ["pdf", "html"]),
///     Filter::not(Filter::equals(Field::Metadata("status".into()), "draft")),
/// ]);
/// assert_eq!(filter, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Filter {
    /// All of these; none at all takes everything.
    And(Vec<Filter>),
    /// One of these; none at all takes nothing.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// The field has this value.
    Equals {
        /// Which.
        field: Field,
        /// The whole value; capitals matter except in language tags.
        value: String,
    },
    /// The field has one of these values.
    In {
        /// Which.
        field: Field,
        /// Each compared as by `Equals`.
        values: Vec<String>,
    },
    /// The field's value begins with this: a folder of ids, a language without its region.
    Prefix {
        /// Which.
        field: Field,
        /// How the value begins; capitals matter except in language tags.
        value: String,
    },
}

impl Filter {
    /// All of `filters`.
    pub fn and(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::And(filters.into_iter().collect())
    }

    /// One of `filters`.
    pub fn or(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::Or(filters.into_iter().collect())
    }

    /// Everything but what `filter` takes.
    #[expect(clippy::should_implement_trait, reason = "`!filter` would read as a condition that is computed at once")]
    pub fn not(filter: Self) -> Self {
        Self::Not(Box::new(filter))
    }

    /// `field` is `value`.
    pub fn equals(field: Field, value: impl Into<String>) -> Self {
        Self::Equals { field, value: value.into() }
    }

    /// `field` is one of `values`.
    pub fn is_in<V: Into<String>>(field: Field, values: impl IntoIterator<Item = V>) -> Self {
        Self::In { field, values: values.into_iter().map(Into::into).collect() }
    }

    /// `field` begins with `value`.
    pub fn prefix(field: Field, value: impl Into<String>) -> Self {
        Self::Prefix { field, value: value.into() }
    }

    /// Whether `chunk` of `document` may be returned.
    pub fn accepts(&self, document: &Document, chunk: &Chunk) -> bool {
        match self {
            Self::And(filters) => filters.iter().all(|filter| filter.accepts(document, chunk)),
            Self::Or(filters) => filters.iter().any(|filter| filter.accepts(document, chunk)),
            Self::Not(filter) => !filter.accepts(document, chunk),
            Self::Equals { field, value } => field.any(document, chunk, |found| field.same(found, value)),
            Self::In { field, values } => field.any(document, chunk, |found| values.iter().any(|value| field.same(found, value))),
            Self::Prefix { field, value } => {
                field.any(document, chunk, |found| found.get(..value.len()).is_some_and(|start| field.same(start, value)))
            }
        }
    }
}

/// What a filter looks at. Written as `id`, `source`, `title`, `language`, `format`, `heading`, `page`, or `metadata.` and the name of a
/// caller's field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Field {
    /// [`Document::id`].
    Id,
    /// [`Document::source`].
    Source,
    /// [`Document::title`].
    Title,
    /// [`Document::language`].
    Language,
    /// [`Document::format`] in lower case: `markdown`, `html`, `pdf`, `text`.
    Format,
    /// Each of [`Chunk::headings`].
    Heading,
    /// [`Chunk::page`] in digits.
    Page,
    /// A field of [`Document::metadata`].
    Metadata(String),
}

impl Field {
    fn any(&self, document: &Document, chunk: &Chunk, matches: impl Fn(&str) -> bool) -> bool {
        let value = match self {
            Self::Id => Some(Cow::Borrowed(document.id.0.as_str())),
            Self::Source => Some(Cow::Borrowed(document.source.as_str())),
            Self::Title => document.title.as_deref().map(Cow::Borrowed),
            Self::Language => document.language.as_deref().map(Cow::Borrowed),
            Self::Format => Some(Cow::Borrowed(format_name(document.format))),
            Self::Heading => return chunk.headings.iter().any(|heading| matches(heading)),
            Self::Page => chunk.page.map(|page| Cow::Owned(page.to_string())),
            Self::Metadata(name) => document.metadata.get(name).map(|value| Cow::Borrowed(value.as_str())),
        };
        value.is_some_and(|value| matches(&value))
    }

    fn same(&self, found: &str, wanted: &str) -> bool {
        // BCP 47 tags are compared without regard to capitals.
        if *self == Self::Language { found.eq_ignore_ascii_case(wanted) } else { found == wanted }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => "id",
            Self::Source => "source",
            Self::Title => "title",
            Self::Language => "language",
            Self::Format => "format",
            Self::Heading => "heading",
            Self::Page => "page",
            Self::Metadata(name) => return write!(f, "metadata.{name}"),
        })
    }
}

impl FromStr for Field {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "id" => Self::Id,
            "source" => Self::Source,
            "title" => Self::Title,
            "language" => Self::Language,
            "format" => Self::Format,
            "heading" => Self::Heading,
            "page" => Self::Page,
            _ => match text.strip_prefix("metadata.") {
                Some(name) if !name.is_empty() => Self::Metadata(name.to_owned()),
                _ => {
                    let known = "id, source, title, language, format, heading, page or metadata.NAME";
                    return Err(Error::Query(format!("`{text}` is no field of a filter: use {known}")));
                }
            },
        })
    }
}

impl TryFrom<String> for Field {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        field.to_string()
    }
}

fn format_name(format: Format) -> &'static str {
    match format {
        Format::Markdown => "markdown",
        Format::Html => "html",
        Format::Pdf => "pdf",
        Format::Text => "text",
    }
}
