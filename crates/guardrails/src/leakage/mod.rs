//! Instructions that leak into what a model writes: a marker that stands nowhere else, and passages that were taken over.
//!
//! A [`Canary`] is put into the instructions by [`Canary::add_to`]; a [`CanaryGuard`] finds it in the output, encoded too.
//! An [`OverlapGuard`] needs no marker: it finds runs of words of [`Context::system`](crate::Context::system). Neither sees a translation or a paraphrase.
//!
//! ```
//! use jarre_guardrails::{Context, Guard, Stage, leakage::{Canary, CanaryGuard}};
//!
//! let canary = Canary::new([7; 10]); // bytes of a random generator, kept where the instructions are
//! let system = canary.add_to("Answer questions about trains.");
//! let guard = CanaryGuard::new(&canary);
//! assert_eq!(guard.check(&system, &Context::new(Stage::Output))?[0].label, "canary");
//! assert!(guard.check("The train leaves at nine.", &Context::new(Stage::Output))?.is_empty());
//! # Ok::<(), jarre_guardrails::Error>(())
//! ```

mod canary;
mod disguise;
mod overlap;
mod shingles;

pub use canary::{Canary, CanaryGuard};
pub use overlap::{OverlapConfig, OverlapGuard};
