use jarre_report::excerpt;
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::{HtmlOptions, diff::diff, text::Shown, text::code};
use crate::TestReport;
use crate::view::{Approval, Call, words};

/// A call: folded up where there is nothing to it but what it read.
pub(super) fn call(call: &Call, options: &HtmlOptions) -> Markup {
    let (state, look) = words::call_state(call);
    let is_open = call.diff.is_some() || call.is_red() || call.approval.as_ref().is_some_and(Approval::is_pending);
    html! {
        details .call .(look) open[is_open] {
            summary {
                code .tool { bdi { (Shown(&call.call.name)) } }
                " " span .gist { bdi { (excerpt(&words::gist(&call.call.arguments), 90)) } }
                " " span .state { (state) @if let Some(took) = call.took { ", " (words::lasting(took)) } }
            }
            @if let Some(approval) = &call.approval { (asked(approval, options)) }
            (arguments(&call.call.arguments, call.diff.is_some(), options))
            @if let Some(change) = &call.diff { (diff(change, options)) }
            @if let Some(report) = &call.tests { (tests(report, options)) }
            @if let Some(output) = &call.output {
                @if !output.text.is_empty() {
                    p .label { @if output.is_error { "Error" } @else { "Observation" } }
                    (code(&output.text, options))
                }
            }
        }
    }
}

/// Why a call was asked about, and what was said.
pub(super) fn asked(approval: &Approval, options: &HtmlOptions) -> Markup {
    html! {
        p .asked {
            "Asked for approval: " bdi { (Shown(&approval.why)) } "."
            @if let Some((decision, by, at)) = &approval.answer {
                @let (said, words) = words::decided(decision);
                " " strong { bdi { (Shown(by)) } " " (said) } " after " (super::words::lasting(at.since(approval.asked))) "."
                @if !words.is_empty() { (code(words, options)) }
            }
        }
    }
}

/// The arguments by name. Those whose effect the diff shows are folded up.
pub(super) fn arguments(text: &str, is_shown_below: bool, options: &HtmlOptions) -> Markup {
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(text) else {
        return html! { p .label { "Arguments that are no JSON object" } (code(text, options)) };
    };
    let list = html! {
        dl .arguments {
            @for (name, value) in &object {
                dt { bdi { (Shown(name)) } }
                dd { (code(&words::value(value), options)) }
            }
        }
    };
    html! {
        @if object.is_empty() {}
        @else if is_shown_below { details .raw { summary { "Arguments" } (list) } }
        @else { (list) }
    }
}

/// What tests came to, and each failure.
pub(super) fn tests(report: &TestReport, options: &HtmlOptions) -> Markup {
    html! {
        p .label {
            (words::grouped(report.passed)) " passed, " (words::grouped(report.failed)) " failed"
            @if report.skipped > 0 { ", " (words::grouped(report.skipped)) " left out" }
        }
        @if !report.failures.is_empty() {
            ul .tests {
                @for failure in &report.failures {
                    li {
                        code { bdi { (Shown(&failure.name)) } }
                        @if let Some(at) = &failure.at { " at " code { bdi { (Shown(at)) } } }
                        @if !failure.message.is_empty() { (code(&failure.message, options)) }
                    }
                }
            }
        }
    }
}
