use std::fmt::{self, Display, Write};

use crate::{html::Html, text::printable};

/// Writes elements of SVG and HTML. Text and attribute values are escaped on their way in and every element opened is closed in order, so
/// that what comes out is well-formed whatever goes in.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    written: String,
    open: Vec<&'static str>,
}

/// A start tag being written.
#[must_use = "a start tag is finished by `open`, `empty` or `text`"]
pub(crate) struct Tag<'a> {
    markup: &'a mut Markup,
    name: &'static str,
}

impl Markup {
    pub(crate) fn tag(&mut self, name: &'static str) -> Tag<'_> {
        self.written.push('<');
        self.written.push_str(name);
        Tag { markup: self, name }
    }

    /// Closes the element that was opened last.
    pub(crate) fn close(&mut self) {
        let name = self.open.pop().expect("every close follows an open of the same function");
        self.end_tag(name);
    }

    pub(crate) fn text(&mut self, text: &str) {
        escape_into(&mut self.written, text);
    }

    pub(crate) fn html(&mut self, html: &Html) {
        self.written.push_str(html.as_str());
    }

    /// An element of text alone.
    pub(crate) fn leaf(&mut self, name: &'static str, text: &str) {
        self.tag(name).text(text);
    }

    pub(crate) fn into_html(self) -> Html {
        debug_assert!(self.open.is_empty(), "left open: {:?}", self.open);
        Html::trusted(self.written)
    }

    fn end_tag(&mut self, name: &str) {
        self.written.push_str("</");
        self.written.push_str(name);
        self.written.push('>');
    }
}

impl Tag<'_> {
    pub(crate) fn attr(self, name: &str, value: impl Display) -> Self {
        let written = &mut self.markup.written;
        written.push(' ');
        written.push_str(name);
        written.push_str("=\"");
        write!(Escaped(written), "{value}").expect("a string takes whatever is written to it");
        written.push('"');
        self
    }

    /// A coordinate or length in pixels.
    pub(crate) fn px(self, name: &str, value: f64) -> Self {
        self.attr(name, Px(value))
    }

    pub(crate) fn open(self) {
        self.markup.written.push('>');
        self.markup.open.push(self.name);
    }

    pub(crate) fn empty(self) {
        self.markup.written.push_str("/>");
    }

    pub(crate) fn text(self, text: &str) {
        self.markup.written.push('>');
        escape_into(&mut self.markup.written, text);
        self.markup.end_tag(self.name);
    }
}

/// Pixels, to a tenth, the shortest way.
pub(crate) struct Px(pub(crate) f64);

impl Display for Px {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round();
        // The comparison takes the sign off a zero.
        if tenths == 0.0 {
            return formatter.write_str("0");
        }
        if tenths % 10.0 == 0.0 { write!(formatter, "{:.0}", tenths / 10.0) } else { write!(formatter, "{:.1}", tenths / 10.0) }
    }
}

/// Appends `text` with what is special in text and attributes written as references.
pub(crate) fn escape_into(written: &mut String, text: &str) {
    for character in text.chars() {
        match printable(character) {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&#39;"),
            other => written.push(other),
        }
    }
}

/// Appends what is formatted.
pub(crate) fn append(written: &mut String, piece: fmt::Arguments<'_>) {
    written.write_fmt(piece).expect("a string takes whatever is written to it");
}

struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape_into(self.0, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_does_not_get_out() {
        let mut markup = Markup::default();
        markup.tag("p").attr("title", "\"><script>'").px("x", -0.04).px("y", 12.25).open();
        markup.text("a < b & c\u{0}");
        markup.tag("br").empty();
        markup.close();
        let expected = "<p title=\"&quot;&gt;&lt;script&gt;&#39;\" x=\"0\" y=\"12.3\">a &lt; b &amp; c\u{fffd}<br/></p>";
        assert_eq!(markup.into_html().as_str(), expected);
    }
}
