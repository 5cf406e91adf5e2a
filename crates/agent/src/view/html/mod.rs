//! A run as a page.

mod call;
mod charts;
mod diff;
mod failures;
mod status;
mod step;
mod text;

use jarre_report::{Html, Page, Section, excerpt};
use maud::{Markup, html as markup};

pub(crate) use status::Forms;
pub(crate) use step::step_id;

use super::{Story, words};

/// The styles that a run needs beside those of the page.
pub(crate) const STYLE: &str = include_str!("run.css");

/// How a run is written as HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HtmlOptions {
    /// Characters of a text that are shown at most: of a longer one the beginning and the end.
    pub longest_text: usize,
    /// What the footer says of the page's making: the command, versions, the hash of the last record.
    pub provenance: Vec<(String, String)>,
}

impl Default for HtmlOptions {
    fn default() -> Self {
        Self { longest_text: 20_000, provenance: Vec::new() }
    }
}

/// A run as one HTML file that loads nothing, runs nothing and reads well on paper: its state, plan, failures with what was learnt from them,
/// tokens and cost, and all steps. The same story gives the same bytes.
pub fn html(story: &Story, options: &HtmlOptions) -> String {
    page(story, options, None).to_html()
}

/// A piece of the page that changes as a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// State, questions and figures.
    Status,
    /// The plan.
    Plan,
    /// Failures beside reflections.
    Failures,
    /// Tokens and cost.
    Charts,
}

impl Part {
    pub(crate) const ALL: [Self; 4] = [Self::Status, Self::Plan, Self::Failures, Self::Charts];

    /// The id of the element.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Status => "part-status",
            Self::Plan => "part-plan",
            Self::Failures => "part-failures",
            Self::Charts => "part-charts",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Status => "State",
            Self::Plan => "Plan",
            Self::Failures => "Failures and reflections",
            Self::Charts => "Tokens and cost",
        }
    }
}

/// The page of a run. With forms, it is one that goes on: every part is there, also those that are empty yet.
pub(crate) fn page(story: &Story, options: &HtmlOptions, forms: Option<&Forms>) -> Page {
    let name = if story.task.name.trim().is_empty() { &story.run } else { &story.task.name };
    let title = if story.is_empty() { "No run".to_owned() } else { excerpt(name, 120) };
    let mut page = Page::new(title).lead(excerpt(&story.task.instructions, 400)).style(STYLE);
    for shown in Part::ALL {
        let content = content(shown, story, options, forms);
        if forms.is_some() || !content.0.is_empty() {
            page = page.section(Section::new(shown.title()).html(&trusted(element(shown, &content))));
        }
    }
    let steps = markup! { ol #run-steps .steps { @for place in 0..story.steps.len() { (step::step(story, place, options)) } } };
    if forms.is_some() || !story.steps.is_empty() {
        page = page.section(Section::new("Steps").html(&trusted(steps)));
    }
    let run = [("run", excerpt(&story.run, 200)), ("model", excerpt(&story.model, 200)), ("began", words::date(story.started))];
    page.provenance(run).provenance(options.provenance.iter().map(|(key, value)| (excerpt(key, 80), excerpt(value, 400))))
}

/// A part anew.
#[cfg(feature = "server")]
pub(crate) fn part(part: Part, story: &Story, options: &HtmlOptions, forms: Option<&Forms>) -> Markup {
    element(part, &content(part, story, options, forms))
}

/// A step anew.
#[cfg(feature = "server")]
pub(crate) fn one_step(story: &Story, place: usize, options: &HtmlOptions) -> Markup {
    step::step(story, place, options)
}

fn element(part: Part, content: &Markup) -> Markup {
    markup! { div id=(part.id()) { (content) } }
}

fn content(part: Part, story: &Story, options: &HtmlOptions, forms: Option<&Forms>) -> Markup {
    match part {
        Part::Status => status::status(story, options, forms),
        Part::Plan => text::prose(&story.plan, options),
        Part::Failures => failures::failures(story, options),
        Part::Charts => charts::charts(story),
    }
}

/// Everything in it was escaped by the template, or is a literal of it.
fn trusted(markup: Markup) -> Html {
    Html::trusted(markup.into_string())
}
