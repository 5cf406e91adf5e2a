use std::collections::BTreeMap;

use crate::{Error, Result};

/// A text with places for values, `{{name}}`, as a prompt is registered.
///
/// A name begins with a letter or `_` and goes on with letters, digits and `_ . -`; blanks may stand around it. Whatever else stands in
/// braces is text. Values are put in as they are: braces in them are text as well.
///
/// ```
/// use jarre_eval::track::Template;
///
/// let template = Template::new("Q: {{question}}\nA, in {{ language }}:");
/// assert_eq!(template.variables(), ["question", "language"]);
/// let values = [("question", "what is {{language}}?"), ("language", "French"), ("unused", "")];
/// let text = template.render(|name| values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))?;
/// assert_eq!(text, "Q: what is {{language}}?\nA, in French:");
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
}

/// A piece of a template.
enum Piece<'t> {
    Text(&'t str),
    Variable(&'t str),
}

impl Template {
    /// A template of this text; any text is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The text with its places.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of the values that it needs, each once, in the order in which they come.
    pub fn variables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for piece in self.pieces() {
            match piece {
                Piece::Variable(name) if !names.contains(&name) => names.push(name),
                Piece::Variable(_) | Piece::Text(_) => {}
            }
        }
        names
    }

    /// The text with a value in each place; values without a place are not asked for.
    ///
    /// # Errors
    /// [`Error::Refused`] with the names of the values that are missing.
    pub fn render<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<String> {
        let missing: Vec<&str> = self.variables().into_iter().filter(|name| value(name).is_none()).collect();
        if !missing.is_empty() {
            return Err(Error::Refused(format!("the prompt needs values that were not given: {}", missing.join(", "))));
        }
        Ok(self
            .pieces()
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Variable(name) => value(name).unwrap_or_default(),
            })
            .collect())
    }

    /// The same with values from a map.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_map(&self, values: &BTreeMap<String, String>) -> Result<String> {
        self.render(|name| values.get(name).map(String::as_str))
    }

    fn pieces(&self) -> Vec<Piece<'_>> {
        let (mut pieces, mut rest) = (Vec::new(), self.text.as_str());
        let mut from = 0;
        while let Some(open) = rest[from..].find("{{").map(|open| open + from) {
            if let Some((name, length)) = variable(&rest[open..]) {
                pieces.push(Piece::Text(&rest[..open]));
                pieces.push(Piece::Variable(name));
                (rest, from) = (&rest[open + length..], 0);
            } else {
                // A third brace may be the second of a pair.
                from = open + 1;
            }
        }
        pieces.push(Piece::Text(rest));
        pieces
    }
}

/// The name of the place that `text` begins with, and its length in bytes with the braces.
fn variable(text: &str) -> Option<(&str, usize)> {
    let inner = &text["{{".len()..];
    let end = inner.find(['{', '}'])?;
    let name = inner[..end].trim_matches([' ', '\t']);
    let first = name.chars().next()?;
    let fits = (first.is_alphabetic() || first == '_') && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    (fits && inner[end..].starts_with("}}")).then_some((name, "{{".len() + end + "}}".len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_variable_is_text() {
        for text in ["{{}}", "{{ }}", "{{1a}}", "{{a b}}", "{{a}", "{{a", "{ {a}}", "{{a\n}}", "{%a%}", "{{a{b}}", "}}{{"] {
            let template = Template::new(text);
            assert_eq!(template.variables(), Vec::<&str>::new(), "{text}");
            assert_eq!(template.render(|_| None).unwrap(), text);
        }
        for (text, rendered) in [("{{{a}}}", "{X}"), ("{{{{a}}}}", "{{X}}"), ("{{a}}{{a}}", "XX"), ("{{\ta.b-c_1 }}", "X"), ("{{é}}", "X")]
        {
            assert_eq!(Template::new(text).render(|_| Some("X")).unwrap(), rendered, "{text}");
        }
    }

    #[test]
    fn all_missing_values_are_named() {
        let refused = Template::new("{{a}} {{b}} {{c}}").render(|name| (name == "b").then_some("")).unwrap_err();
        assert_eq!(refused.to_string(), "the prompt needs values that were not given: a, c");
    }

    proptest! {
        #[test]
        fn rendering_each_variable_as_itself_changes_nothing_but_blanks(text in "[{}a ]{0,20}") {
            let template = Template::new(text.as_str());
            let named: BTreeMap<String, String> =
                template.variables().into_iter().map(|name| (name.to_owned(), format!("{{{{{name}}}}}"))).collect();
            let rendered = template.render_map(&named).unwrap();
            prop_assert_eq!(rendered.replace(' ', ""), text.replace(' ', ""));
        }
    }
}
