use std::io::Write;

use jarre_report::{Page, visible};
use serde::{Deserialize, Serialize};

use super::{
    Comparison, Item, Judge, Metric, Multiplicity, Notice, Variant, cards, cost, data, differences, failures, intervals, judge, provenance,
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
            judge::section(self),
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
