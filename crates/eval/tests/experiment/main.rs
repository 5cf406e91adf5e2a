//! Experiments: what is asked, how often, and what is left of it when something ends the run.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod datasets;
mod kill;
mod limits;
mod model;
mod resume;
mod runs;
mod specs;
