use maud::{Markup, html};

use super::{HtmlOptions, text::Shown};
use crate::view::shortened::shortened;

/// A unified diff, its lines coloured; the signs before them stay, so that colour is not all that tells.
pub(super) fn diff(text: &str, options: &HtmlOptions) -> Markup {
    let text = shortened(text, options.longest_text);
    html! {
        pre .diff tabindex="0" {
            "\n"
            @for line in text.lines() { span class=(class(line)) { (Shown(line)) "\n" } }
        }
    }
}

fn class(line: &str) -> &'static str {
    match line.as_bytes() {
        [b'+', b'+', b'+', b' ', ..] | [b'-', b'-', b'-', b' ', ..] => "file",
        [b'@', b'@', ..] => "hunk",
        [b'+', ..] => "add",
        [b'-', ..] => "del",
        _ => "same",
    }
}
