//! Programs that were broken by small changes, and a model that mends them by search: its failures are real, nobody scripted them.

mod edit;
mod evidence;
mod mutant;
mod repair;
mod search;
mod source;

pub(crate) use edit::Edit;
pub(crate) use mutant::Mutant;
pub(crate) use repair::Repair;
