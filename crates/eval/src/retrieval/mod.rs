//! Ranked lists against relevance judgements, agreeing with `trec_eval`.

mod evaluation;
mod judgements;
mod metric;
mod run;

pub use evaluation::{Evaluation, MissingQueries};
pub use judgements::{Judgements, Qrels};
pub use metric::{Gain, Metric};
pub use run::{Retrieved, Run};
