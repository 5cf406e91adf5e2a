use std::fmt::Write;

use jarre_report::is_hidden;
use maud::{Markup, html};

use super::{HtmlOptions, call, step_id, text::Shown, text::prose};
use crate::view::{Call, Step, Story, words};

/// What forms of a page that a server gives out need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forms {
    /// Where answers go.
    pub(crate) action: String,
    /// What shows that a form is the server's own; `None` where the reader may not answer.
    pub(crate) csrf: Option<String>,
}

/// How the run is, what waits for a person, and the figures that matter most.
pub(super) fn status(story: &Story, options: &HtmlOptions, forms: Option<&Forms>) -> Markup {
    if story.is_empty() {
        return html! { p { "The log holds no run." } };
    }
    html! {
        (how(story, options))
        @for (step, waiting) in story.pending() { (question(story, step, waiting, options, forms)) }
        (figures(story))
    }
}

fn how(story: &Story, options: &HtmlOptions) -> Markup {
    let (state, look) = words::state(story);
    html! {
        p .standing { span .badge .(look) { (state) } }
        @if let Some(reason) = story.cancelled.as_ref().filter(|_| story.outcome.is_none()) {
            p { "Asked to end: " (Shown(reason)) }
        }
        @if let Some(outcome) = &story.outcome {
            @let (told, words) = words::ending(outcome);
            p { strong { (told) } }
            (prose(words, options))
        }
    }
}

fn figures(story: &Story) -> Markup {
    let figures = [
        ("steps", words::grouped(story.steps.len() as u64)),
        ("tokens read", words::grouped(story.usage.prompt_tokens)),
        ("tokens written", words::grouped(story.usage.completion_tokens)),
        ("cost", story.cost.to_string()),
        ("time", words::lasting(story.updated.since(story.started))),
        ("failed test runs", words::grouped(story.failures.len() as u64)),
    ];
    html! { dl .figures { @for (label, value) in figures { div { dt { (label) } dd { (value) } } } } }
}

/// A call that waits for a person, with all of its arguments: what is approved is what is read here.
fn question(story: &Story, step: &Step, waiting: &Call, options: &HtmlOptions, forms: Option<&Forms>) -> Markup {
    let Some(approval) = &waiting.approval else { return html! {} };
    let place = story.steps.iter().position(|known| std::ptr::eq(known, step)).unwrap_or_default();
    // A person cannot approve what they were not shown.
    let whole = HtmlOptions { longest_text: usize::MAX, ..options.clone() };
    html! {
        div .question {
            h3 { "May it call " code { bdi { (Shown(&waiting.call.name)) } } "? " a href={ "#" (step_id(place)) } { "step " (place + 1) } }
            p { bdi { (Shown(&approval.why)) } }
            (call::arguments(&waiting.call.arguments, false, &whole))
            @if let Some(Forms { action, csrf: Some(csrf) }) = forms { (form(action, csrf, waiting, approval.token.as_str())) }
        }
    }
}

fn form(action: &str, csrf: &str, waiting: &Call, token: &str) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="token" value=(token);
            button .good name="decision" value="approve" { "Approve" }
            details {
                summary { "Deny, or approve with other arguments" }
                label { "Reason, for the model to read" input type="text" name="reason" maxlength="2000" autocomplete="off"; }
                button .bad name="decision" value="deny" { "Deny" }
                label { "Arguments" textarea name="arguments" rows="6" spellcheck="false" { "\n" (escaped(&waiting.call.arguments)) } }
                button name="decision" value="edit" { "Approve with these arguments" }
            }
        }
    }
}

/// JSON in which what hides is escaped: as the text is sent back, it means the same.
fn escaped(json: &str) -> String {
    let mut written = String::with_capacity(json.len());
    for character in json.chars() {
        if is_hidden(character) && character != '\n' && character != '\t' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(written, "\\u{unit:04x}").expect("a string takes whatever is written to it");
            }
        } else {
            written.push(character);
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_in_arguments_is_escaped_as_json_has_it() {
        let text = "{\n\"a\": \"x\u{202e}y\u{e0041}\"}";
        let written = escaped(text);
        assert_eq!(written, "{\n\"a\": \"x\\u202ey\\udb40\\udc41\"}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&written), read(text));
    }
}
