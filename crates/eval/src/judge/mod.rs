//! Judges: scorers that read an answer, for what no formula catches, and what their word is worth.
//!
//! Three kinds stand behind the trait [`Judge`]: [`LlmJudge`] asks any [`ChatModel`](jarre_core::ChatModel), [`NliJudge`] any
//! [`TextClassifier`](jarre_core::TextClassifier) that tells entailment, and [`LexicalJudge`] counts shared words. Each names itself by a
//! [`JudgeId`] whose version changes with its prompt, its model and its scale, and every figure carries it.
//!
//! - [`Scale`] is part of a judgement, and judgements of several scales are never averaged ([`Grades`]).
//! - [`RubricJudge`] weighs several criteria; [`BothOrders`] compares two answers, each shown first once; [`Panel`] takes the majority of
//!   several judges; [`repeat`] asks the same again to see how often the verdict flips.
//! - An answer is not to be trusted: [`Untrusted`] quotes it so that it cannot leave its place or imitate a verdict.
//! - A verdict that cannot be read is [`Outcome::Unscored`](crate::Outcome), never wrong; a judge that cannot be reached is `Failed`.
//! - [`Calibrator`] holds a judge against labels, and [`Calibration::gate`] says whether decisions may rest on it.
//!
//! Nothing here spawns or waits by itself: a judgement is a future, and how many run at once is the caller's affair.

mod agreement;
mod ask;
mod bias;
mod calibration;
mod calibrator;
mod case;
mod gate;
mod grades;
mod id;
mod json;
mod lexical;
mod llm;
mod nli;
mod pair;
mod panel;
mod preference;
mod repeat;
mod rubric;
mod scale;
mod scorer;
mod sentences;
mod untrusted;
mod verdict;
mod words;

pub use bias::{LabelledPair, PairCalibration};
pub use calibration::{Calibration, Coefficient, Confusion, CorrectedRate, Rate};
pub use calibrator::{Calibrator, LabelledAnswer};
pub use case::Case;
pub use gate::{Block, Gate, GatePolicy};
pub use grades::Grades;
pub use id::JudgeId;
pub use lexical::{Against, LexicalJudge};
pub use llm::LlmJudge;
pub use nli::NliJudge;
pub use pair::{BothOrders, LlmPairJudge, PairJudgement};
pub use panel::{Panel, PanelJudgement};
pub use preference::{ByGrade, Pair, PairJudge, Preference, Vote};
pub use repeat::{Repeats, repeat};
pub use rubric::{Criterion, CriterionVerdict, RubricJudge, RubricJudgement};
pub use scale::Scale;
pub use scorer::JudgeScorer;
pub use untrusted::{Handling, Untrusted};
pub use verdict::{Judge, Judgement, Unjudged};

pub(crate) use ask::{Asker, Inquiry};
pub(crate) use id::digest;
pub(crate) use json::whole_object;
pub(crate) use llm::TRUST;
pub(crate) use sentences::sentences;
pub(crate) use words::{containment, content_words, is_function_word};
