//! Metrics of retrieval-augmented answers: whether an answer rests on what was retrieved, and whether the right things were retrieved.
//!
//! The definitions are those of RAGAS (arXiv 2309.15217) and its successors. Most of them need someone to read. That is a [`RagJudge`]: a model
//! ([`LlmRagJudge`]), an entailment classifier ([`NliJudge`](crate::judge::NliJudge)) or shared words ([`LexicalRagJudge`]). **Figures of
//! different judges are different metrics**, so the judge stands in the name: `faithfulness[llm:gpt-x]` is not `faithfulness[lexical]`.
//!
//! | metric | needs | asks |
//! | --- | --- | --- |
//! | [`Faithfulness`] | contexts | which statements of the answer follow from the contexts |
//! | [`ContextPrecision`] | contexts, reference or answer | which contexts help, as average precision over their ranks |
//! | [`NonLlmContextPrecision`], [`IdContextPrecision`] | contexts to find, or their ids | the same by edit similarity; the share by id |
//! | [`ContextRecall`] | contexts, reference | which statements of the reference follow from the contexts |
//! | [`NonLlmContextRecall`], [`IdContextRecall`] | contexts to find, or their ids | the share that was found |
//! | [`AnswerRelevancy`] | | how like the question are questions that the answer answers |
//! | [`AnswerCorrectness`] | reference | statements shared with the reference, blended with similarity |
//! | [`FactualCorrectness`] | reference | precision, recall or F1 of claims |
//! | [`NoiseSensitivity`] | contexts, reference | which wrong statements come from a context |
//! | [`ContextEntityRecall`] | contexts, reference | which names of the reference the contexts hold |
//! | [`SemanticSimilarity`] | reference | the cosine of answer and reference |
//! | [`QuotedSpans`] | contexts | which quotations stand in the contexts word by word |
//!
//! What the definitions leave open is decided so that no silence earns a point:
//!
//! - Where a metric is undefined (no statement, no quotation, no reference) the outcome is [`Outcome::Unscored`](crate::Outcome) and
//!   counted apart, never 1 or 0.
//! - Verdicts are matched to statements by number. A statement that the judge leaves out, or judges two ways, counts as not supported; under
//!   [`Strict`] it leaves the sample unscored.
//! - Refusals ([`is_refusal`]) are counted apart in a [`RagFigure`], with the mean of the other answers beside that of all.
//!
//! ```
//! use jarre_eval::{rag::{Faithfulness, LexicalRagJudge, RagFigure, RagSample, evaluate}, stats::Bootstrap};
//!
//! # pollster::block_on(async {
//! let samples = [
//!     RagSample::new("Where is it?", "It is in Delhi. It opened in 1990.").with_contexts(["The office is in Delhi."]),
//!     RagSample::new("Who runs it?", "I don't know."),
//! ];
//! let scores = evaluate(&Faithfulness::new(LexicalRagJudge::default()), &samples).await;
//! let figure = RagFigure::of(&samples, &scores, &Bootstrap::default())?;
//! assert_eq!((figure.metric.as_str(), figure.n, figure.refusals), ("faithfulness[lexical]", 2, 1));
//! assert_eq!(figure.answered.map(|mean| mean.mean), Some(0.5));
//! # Ok::<(), jarre_eval::Error>(()) }).unwrap();
//! ```

mod answer_correctness;
mod answer_relevancy;
mod by_id;
mod by_similarity;
mod context_precision;
mod context_recall;
mod entity_recall;
mod factual_correctness;
mod faithfulness;
mod figure;
mod json;
mod judge;
mod lexical;
mod llm;
mod metric;
mod nli;
mod noise_sensitivity;
mod prompts;
mod quoted_spans;
mod refusal;
mod reply;
mod sample;
mod semantic_similarity;
mod strict;
mod support;

pub use answer_correctness::AnswerCorrectness;
pub use answer_relevancy::AnswerRelevancy;
pub use by_id::{IdContextPrecision, IdContextRecall};
pub use by_similarity::{NonLlmContextPrecision, NonLlmContextRecall};
pub use context_precision::ContextPrecision;
pub use context_recall::ContextRecall;
pub use entity_recall::ContextEntityRecall;
pub use factual_correctness::{ClaimMeasure, FactualCorrectness};
pub use faithfulness::Faithfulness;
pub use figure::{RagFigure, evaluate};
pub use judge::{Detail, EntityFinder, PosedQuestion, QuestionWriter, RagJudge};
pub use lexical::LexicalRagJudge;
pub use llm::LlmRagJudge;
pub use metric::{Finding, RagMetric};
pub use noise_sensitivity::{NoiseMode, NoiseSensitivity};
pub use quoted_spans::QuotedSpans;
pub use refusal::is_refusal;
pub use sample::RagSample;
pub use semantic_similarity::SemanticSimilarity;
pub use strict::Strict;
