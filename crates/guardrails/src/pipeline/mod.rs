//! Guards in layers: policies, budgets, verdicts.
//!
//! A [`Pipeline`] is a list of groups of [`Layer`]s. The guards of a group read the same text and do not know of each other; the next
//! group reads what the one before made of it. What is decided is told as a [`Verdict`], and to a [`DecisionSink`].
//!
//! ```
//! use std::sync::Arc;
//! use jarre_core::SystemClock;
//! use jarre_guardrails::{Context, Effect, Guard, Reach, Scan, Stage, pipeline::{Layer, Pipeline}, scan::{Matcher, Pattern}};
//!
//! struct Numbers(Arc<[Pattern]>);
//!
//! impl Guard for Numbers {
//!     fn name(&self) -> &str {
//!         "numbers"
//!     }
//!     fn reach(&self) -> Reach {
//!         Matcher::reach(&self.0)
//!     }
//!     fn scan(&self, _: &Context) -> Box<dyn Scan> {
//!         Box::new(Matcher::new(self.0.clone(), |_, _| Effect::Replace("#".into())))
//!     }
//! }
//!
//! let numbers = Numbers([Pattern::new("number", "[0-9]{1,20}")?].into());
//! let pipeline = Pipeline::new(Arc::new(SystemClock::new())).with_group([Layer::new(Arc::new(numbers))]);
//! let verdict = pipeline.check("room 101", &Context::new(Stage::Output));
//! assert_eq!((verdict.allowed, verdict.text.as_str()), (true, "room #"));
//! assert_eq!(verdict.layers[0].spans[0].start, 5);
//! # Ok::<(), jarre_guardrails::Error>(())
//! ```

mod assembly;
mod builtin;
mod group;
mod layer;
mod offsets;
mod policy;
mod reading;
mod record;
mod registry;
mod resources;
mod rewrite;
mod scan;
mod sink;
mod threads;
mod verdict;

pub use assembly::Pipeline;
pub use layer::{Layer, Mode, OnFailure};
pub use policy::Policy;
pub use registry::Registry;
pub use resources::Resources;
pub use scan::PipelineScan;
pub use sink::{Decision, DecisionSink};
pub use verdict::{Action, Failure, LayerVerdict, Spot, Verdict};
