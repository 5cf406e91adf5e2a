use maud::{Markup, html};

use super::{HtmlOptions, call::tests, step_id, text::prose};
use crate::Reflection;
use crate::view::{Failure, Lesson, Story};

/// Each run of tests that failed, beside what the model made of it.
pub(super) fn failures(story: &Story, options: &HtmlOptions) -> Markup {
    html! { @for failure in &story.failures { (pair(failure, options)) } }
}

fn pair(failure: &Failure, options: &HtmlOptions) -> Markup {
    html! {
        div .pair {
            div .failed {
                h3 { "Failure " (failure.number) ", in " a href={ "#" (step_id(failure.step)) } { "step " (failure.step + 1) } }
                (tests(&failure.tests, options))
            }
            div .learnt {
                h3 { "Reflection" }
                @match &failure.lesson {
                    Some(told) => (lesson(told, options)),
                    None => p .dim { "None was written." },
                }
                @if !failure.recalled.is_empty() {
                    details {
                        summary { (failure.recalled.len()) " of earlier tasks" }
                        @for reflection in &failure.recalled { (recalled(reflection, options)) }
                    }
                }
            }
        }
    }
}

/// What the model wrote about a failure.
pub(super) fn lesson(lesson: &Lesson, options: &HtmlOptions) -> Markup {
    match lesson {
        Lesson::Parts { what, why, instead } => html! {
            dl .lesson {
                dt { "What failed" } dd { (prose(what, options)) }
                dt { "Why" } dd { (prose(why, options)) }
                dt { "What to do otherwise" } dd { (prose(instead, options)) }
            }
        },
        Lesson::Text(text) => prose(text, options),
    }
}

fn recalled(reflection: &Reflection, options: &HtmlOptions) -> Markup {
    let Reflection { task, what, why, instead, .. } = reflection;
    let parts = Lesson::Parts { what: what.clone(), why: why.clone(), instead: instead.clone() };
    html! { (prose(task, options)) (lesson(&parts, options)) }
}
