use std::fmt;

use jarre_report::visible;
use maud::{Markup, Render, html};

use super::HtmlOptions;
use crate::view::shortened::shortened;

/// Text of others, escaped, with what it hides written out.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl Render for Shown<'_> {
    fn render_to(&self, buffer: &mut String) {
        visible(self.0).render_to(buffer);
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a model or a person wrote, with its line breaks; nothing where there is nothing.
pub(super) fn prose(text: &str, options: &HtmlOptions) -> Markup {
    let text = text.trim();
    html! { @if !text.is_empty() { div .prose dir="auto" { (Shown(&shortened(text, options.longest_text))) } } }
}

/// What a program wrote or reads, in letters of one width.
pub(super) fn code(text: &str, options: &HtmlOptions) -> Markup {
    // A parser drops a line break right after the tag.
    html! { pre tabindex="0" { "\n" code { (Shown(&shortened(text, options.longest_text))) } } }
}
