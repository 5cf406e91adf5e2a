//! Comparing what a model wrote with what was wanted.

mod bits;
mod bleu;
mod chrf;
mod edit;
mod embedding;
mod extract;
mod math;
mod ngram;
mod normalize;
mod number;
mod overlap;
mod pattern;
mod porter;
mod rouge;
mod scorer;
mod target;

pub use bleu::{Bleu, BleuScore};
pub use chrf::Chrf;
pub use edit::{edit_distance, edit_similarity};
pub use embedding::embedding_similarity;
pub use extract::{Extraction, Letters};
pub use math::{boxed, math_equal};
pub use normalize::normalize_answer;
pub use number::{numeric_equal, parse_number};
pub use overlap::{contains, exact_match, token_f1};
pub use pattern::{Pattern, Take};
pub use rouge::{Rouge, RougeScore, RougeVariant};
pub use scorer::{Scorer, ScorerSpec};
