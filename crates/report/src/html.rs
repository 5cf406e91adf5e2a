use std::fmt::{self, Display};

use crate::markup::escape_into;

/// A piece of HTML: text that was escaped, or markup that its author vouches for.
///
/// ```
/// use jarre_report::Html;
///
/// let mut html = Html::trusted("<strong>answer</strong>: ");
/// html.push(&Html::text("</p><script>"));
/// assert_eq!(html.as_str(), "<strong>answer</strong>: &lt;/p&gt;&lt;script&gt;");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Text, escaped. Characters that no document may hold (controls, noncharacters) become U+FFFD.
    pub fn text(text: &str) -> Self {
        let mut escaped = String::with_capacity(text.len());
        escape_into(&mut escaped, text);
        Self(escaped)
    }

    /// Markup as it is: of a template engine that escapes, or a literal. What a user or a model wrote goes through [`Html::text`].
    pub fn trusted(markup: impl Into<String>) -> Self {
        Self(markup.into())
    }

    /// Appends another piece.
    pub fn push(&mut self, other: &Html) {
        self.0.push_str(&other.0);
    }

    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for Html {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<Html> for String {
    fn from(html: Html) -> Self {
        html.0
    }
}
