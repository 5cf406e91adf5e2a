//! A report of runs side by side: one HTML file that needs no server.
//!
//! A [`Report`] is plain data, filled from runs and their statistics; nothing is computed from samples here but what a reader asks of the
//! page: which items differ, which fail most often, who is dominated. [`Report::write`] makes the page of it: metric cards, intervals with
//! the sentence that says whether they tell variants apart, comparisons, latency and cost, and a matrix of items by variants that filters,
//! sorts, searches, and opens every item with its outputs compared word by word. What the reader looks at stands in the address (after `#`),
//! so that a link restores it.
//!
//! ```
//! use jarre_eval::page::{Answer, Estimate, Item, Metric, Report, Summary, Variant};
//! use jarre_eval::{Outcome, Score};
//!
//! let answer = |output: &str, figure| Answer {
//!     output: output.to_owned(),
//!     scores: vec![Score {
//!         scorer: "exact_match".to_owned(),
//!         version: "1".to_owned(),
//!         outcome: Outcome::Scored(figure),
//!         explanation: None,
//!     }],
//!     ..Answer::default()
//! };
//! let mut report = Report::new("Arithmetic");
//! report.metrics = vec![Metric::new("exact_match").with_pass_mark(1.0)];
//! for (name, mean) in [("naive", 0.0), ("step by step", 1.0)] {
//!     let estimate = Estimate { value: mean, low: 0.0, high: 1.0 };
//!     let summaries = vec![Summary { metric: "exact_match".to_owned(), n: 1, estimate, unscored: 0, errors: 0 }];
//!     report.variants.push(Variant { name: name.to_owned(), summaries, ..Variant::default() });
//! }
//! report.items = vec![Item {
//!     id: "1".to_owned(),
//!     input: "17 + 25".to_owned(),
//!     target: Some("42".to_owned()),
//!     answers: vec![vec![answer("32</script>", 0.0)], vec![answer("42", 1.0)]],
//!     ..Item::default()
//! }];
//! let html = report.to_html();
//! assert!(html.contains("exact_match") && !html.contains("32</script>"));
//! ```

mod cards;
mod comparison;
mod cost;
mod data;
mod differences;
mod estimate;
mod failures;
mod front;
mod html;
mod intervals;
mod item;
mod judge;
mod metric;
mod notice;
mod provenance;
mod report;
mod standing;
mod variant;

pub use comparison::{Comparison, Multiplicity, Slice};
pub use estimate::{Estimate, Figure};
pub use item::{Answer, Item};
pub use judge::Judge;
pub use metric::{Direction, Metric};
pub use notice::{Difference, Level, Notice};
pub use report::Report;
pub use variant::{Summary, System, Variant};
