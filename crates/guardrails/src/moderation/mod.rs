//! Harmful content by category.
//!
//! [`ModerationGuard`] asks a small classifier that comes with the crate, or any [`TextClassifier`](jarre_core::TextClassifier) beside it or in
//! its place, and tells of each [`Category`] whose probability passes the thresholds of [`ModerationConfig`]. [`SafeCompletions`] says what is
//! answered in the place of what was blocked.
//!
//! ```
//! use jarre_guardrails::{Context, Effect, Guard, Stage};
//! use jarre_guardrails::moderation::{ModerationConfig, ModerationGuard, SafeCompletions, SafeConfig};
//!
//! let guard = ModerationGuard::new(&ModerationConfig::default())?;
//! let found = guard.check("i want to kill myself, i cut my wrists again and hope i die", &Context::new(Stage::Input))?;
//! assert!(found.iter().any(|found| found.label == "self-harm" && found.effect == Effect::Block));
//! let safe = SafeCompletions::new(SafeConfig::default());
//! let answer = safe.answer(&found).expect("something was blocked");
//! assert!(answer.contains("findahelpline.com"));
//! assert!(guard.check("The bakery opens at nine on Sundays.", &Context::new(Stage::Input))?.is_empty());
//! # Ok::<(), jarre_guardrails::Error>(())
//! ```
//!
//! The categories are those of Markov and others, "A Holistic Approach to Undesired Content Detection in the Real World" (2022). The classifier
//! knows English, and is a first look and no judge: what it finds and misses on texts that it had not seen stands in `models/README.md`.

mod category;
mod config;
mod guard;
mod lexicon;
mod panel;
mod safe;
mod themes;

pub use category::Category;
pub use config::{Join, ModerationConfig, Reading, Rule};
pub use guard::ModerationGuard;
pub use lexicon::hook;
pub use panel::model;
pub use safe::{SafeCompletions, SafeConfig};
