use std::io::Write;

use jarre_report::{Page, Section};
use serde::{Deserialize, Serialize};

use super::{
    Comparison, Estimate, Figure, Item, Multiplicity, Notice, Variant, cards, cost, data, differences, failures, intervals, notice,
    provenance, visible::visible,
};
use crate::Result;

/// Everything that the page shows.
///
/// Variants keep the order given: it decides their colours and the columns of the matrix. Texts may hold anything; they are shown as text,
/// with characters that cannot be seen or that turn the direction of others written out (`⟨U+202E⟩`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The name of the page.
    pub title: String,
    /// What was found, in a sentence or two.
    pub lead: String,
    /// When the report was made, as readers would write it.
    pub created: String,
    /// The level of all intervals, 0.95 unless set.
    pub confidence: f64,
    /// The metrics, the one to decide by first.
    pub metrics: Vec<Metric>,
    /// What was measured.
    pub variants: Vec<Variant>,
    /// Pairs of variants compared item by item.
    pub comparisons: Vec<Comparison>,
    /// How many of a family of tests were significant, before and after correction.
    pub multiplicity: Vec<Multiplicity>,
    /// The judges used, with what is known about them.
    pub judges: Vec<Judge>,
    /// Remarks that stand above everything else.
    pub notices: Vec<Notice>,
    /// The items with their answers. The matrix scrolls through at most 250,000.
    pub items: Vec<Item>,
    /// What is needed to make the report again: command, versions, seeds.
    pub provenance: Vec<(String, String)>,
}

/// A metric and how its figures are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metric {
    /// The name of its scorer: the scores of answers are found by it.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
    /// The unit; empty where it has none.
    pub unit: String,
    /// The figure from which on an answer passes (at least this, or at most where lower is better). Without one no answer passes or fails.
    pub pass_mark: Option<f64>,
}

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Accuracy, F1, nDCG.
    #[default]
    HigherIsBetter,
    /// Perplexity, edit distance, latency.
    LowerIsBetter,
}

/// A judge, and how far its verdicts can be relied on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Judge {
    /// Its name, model and prompt version.
    pub name: String,
    /// Labels by people that it was held against.
    pub labels: u64,
    /// Agreement, kappa, position consistency, length bias, rates of error.
    pub figures: Vec<Figure>,
    /// Why its figures should not be used as they are: a calibration that is stale or was never made.
    pub warning: Option<String>,
}

impl Report {
    /// A report of nothing yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// The page, as one HTML document. The same report gives the same bytes.
    ///
    /// Texts longer than 20,000 bytes keep their beginning and their end, with a note of how much is missing between them; where all of them
    /// together would take more than 48 MB, they are cut shorter, to 500 bytes at the least.
    pub fn to_html(&self) -> String {
        let page = Page::new(visible(&self.title)).lead(visible(&self.lead)).style(include_str!("page.css"));
        let sections = [
            Some(cards::section(self)),
            intervals::section(self),
            differences::section(self),
            cost::section(self),
            judges(self),
            failures::section(self),
            data::section(self),
            provenance::section(self),
        ];
        let page = sections.into_iter().flatten().fold(page, Page::section);
        let created = Some(("created", visible(&self.created))).filter(|(_, created)| !created.is_empty());
        let entries = self.provenance.iter().map(|(key, value)| (visible(key), visible(value)));
        page.provenance(created).provenance(entries).script(SCRIPT).to_html()
    }

    /// Writes [`Report::to_html`].
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) where `writer` fails.
    pub fn write(&self, mut writer: impl Write) -> Result<()> {
        writer.write_all(self.to_html().as_bytes())?;
        Ok(writer.flush()?)
    }
}

impl Default for Report {
    fn default() -> Self {
        Self {
            title: String::new(),
            lead: String::new(),
            created: String::new(),
            confidence: 0.95,
            metrics: Vec::new(),
            variants: Vec::new(),
            comparisons: Vec::new(),
            multiplicity: Vec::new(),
            judges: Vec::new(),
            notices: Vec::new(),
            items: Vec::new(),
            provenance: Vec::new(),
        }
    }
}

impl Metric {
    /// A metric of which more is better.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Less is better.
    pub fn lower_is_better(mut self) -> Self {
        self.direction = Direction::LowerIsBetter;
        self
    }

    /// From which figure on an answer passes.
    pub fn with_pass_mark(mut self, mark: f64) -> Self {
        self.pass_mark = Some(mark);
        self
    }

    /// The name with the unit: `latency, ms`.
    pub(super) fn label(&self) -> String {
        let name = visible(&self.name);
        if self.unit.is_empty() { name } else { format!("{name}, {}", visible(&self.unit)) }
    }

    /// `value`, turned so that more is better.
    pub(super) fn worth(&self, value: f64) -> f64 {
        match self.direction {
            Direction::HigherIsBetter => value,
            Direction::LowerIsBetter => -value,
        }
    }

    /// The estimate, turned so that more is better.
    pub(super) fn worth_of(&self, estimate: Estimate) -> Estimate {
        match self.direction {
            Direction::HigherIsBetter => estimate,
            Direction::LowerIsBetter => Estimate { value: -estimate.value, low: -estimate.high, high: -estimate.low },
        }
    }
}

/// Parts of one script, which share their scope.
const SCRIPT: &str = concat!(
    include_str!("elements.js"),
    include_str!("table.js"),
    include_str!("words.js"),
    include_str!("view.js"),
    include_str!("drawer.js"),
    include_str!("matrix.js"),
    include_str!("start.js"),
);

fn judges(report: &Report) -> Option<Section> {
    if report.judges.is_empty() {
        return None;
    }
    let rows = report.judges.iter().map(|judge| (visible(&judge.name), vec![("labels", judge.labels.into())], &judge.figures[..]));
    let section = Section::new("Judges").text("A judge is an instrument. These are its readings against labels by people.");
    let section = section.table(&cost::figures("judge", rows));
    let warnings = report.judges.iter().filter_map(|judge| Some((judge, judge.warning.as_ref()?)));
    Some(warnings.fold(section, |section, (judge, warning)| {
        section.notice(notice::Level::Warning.into(), &format!("{}: {}", visible(&judge.name), visible(warning)))
    }))
}
