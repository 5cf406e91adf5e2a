#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod bootstrap;
mod error;
mod evaluation;
mod judgements;
mod line;
mod metric;
mod normal;
mod proportion;
mod rng;
mod run;

pub use bootstrap::{Bootstrap, Interval, MeanEstimate, PairedDifference};
pub use error::{Error, Result};
pub use evaluation::{Evaluation, MissingQueries};
pub use judgements::{Judgements, Qrels};
pub use metric::{Gain, Metric};
pub use proportion::wilson;
pub use run::{Retrieved, Run};
