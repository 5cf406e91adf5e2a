//! Small classifiers over n-grams of characters and words: trained, calibrated and read here.
//!
//! [`train`] fits a logistic regression for each label to [`Example`]s and gives an [`NgramModel`], which is one file of at most a few
//! megabytes: [`NgramModel::to_bytes`], [`NgramModel::from_bytes`]. A model [`score`](NgramModel::score)s a text in one pass, in time linear in
//! its length, and is a [`TextClassifier`](jarre_core::TextClassifier). Training and reading use the same [`Ngrams`], so what a model says of
//! a text does not depend on where it runs.
//!
//! ```
//! use jarre_guardrails::learn::{Example, NgramModel, TrainConfig, train};
//!
//! let texts = ["send the money now", "the money is due now", "a walk in the park", "the park is green"];
//! let examples: Vec<Example> = (0..40).map(|at| Example::new(format!("{} {at}", texts[at % 4]), [Some(at % 4 < 2)])).collect();
//! let config = TrainConfig { name: "money".into(), labels: vec!["money".into()], bits: 12, ..TrainConfig::default() };
//! let model = train(&config, None, &examples, &mut |_| ())?;
//! let model = NgramModel::from_bytes(&model.to_bytes())?;
//! assert!(model.score("where is the money?")[0] > 0.5 && model.score("a green park")[0] < 0.5);
//! # Ok::<(), jarre_guardrails::Error>(())
//! ```

mod file;
mod folds;
mod hook;
mod model;
mod ngrams;
mod normal;
mod random;
mod screen;
mod train;
mod vector;

pub use folds::fold;
pub use hook::FeatureHook;
pub use model::NgramModel;
pub use ngrams::Ngrams;
pub use normal::normalise;
pub(crate) use screen::score_screened;
pub use train::{Example, Progress, TrainConfig, train};
