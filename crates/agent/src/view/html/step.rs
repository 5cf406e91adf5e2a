use maud::{Markup, html};

use super::{HtmlOptions, call::call, text::Shown, text::prose};
use crate::Purpose;
use crate::view::{Lesson, Step, Story, words};

/// The id of the element of a step.
pub(crate) fn step_id(place: usize) -> String {
    format!("step-{}", place + 1)
}

/// A step: what the model was asked for, what it wrote, what was done and what came of it.
pub(super) fn step(story: &Story, place: usize, options: &HtmlOptions) -> Markup {
    let step = &story.steps[place];
    let purpose = words::purpose(step.purpose);
    html! {
        li id=(step_id(place)) .step .(purpose) {
            p .head {
                a .number href={ "#" (step_id(place)) } { (place + 1) }
                " " span .purpose { (purpose) }
                " " span .when { "+" (words::lasting(step.started.since(story.started))) }
                " " span .meter { (meter(step)) }
            }
            @if let Some((kind, message)) = &step.failure {
                p .notice .problem role="note" { strong { (format!("{kind:?}")) } " " span { (Shown(message)) } }
            }
            (written(step, options))
            @for asked in &step.calls { (call(asked, options)) }
        }
    }
}

fn written(step: &Step, options: &HtmlOptions) -> Markup {
    match (step.purpose, Lesson::read(&step.text)) {
        (Purpose::Reflect, lesson @ Lesson::Parts { .. }) => super::failures::lesson(&lesson, options),
        _ => prose(&step.text, options),
    }
}

fn meter(step: &Step) -> Markup {
    html! {
        @match step.waited() {
            None => "waiting for the model",
            Some(waited) => {
                (words::grouped(step.usage.prompt_tokens)) " read, " (words::grouped(step.usage.completion_tokens)) " written, "
                (step.cost.to_string()) ", " (words::lasting(waited))
            }
        }
    }
}
