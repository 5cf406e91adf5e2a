//! JSON Schema with limits: depth, size and work are bounded, patterns are linear, and nothing is fetched.
//!
//! [`Schema`] is compiled once, by the crate `jsonschema`, and checks values and texts; drafts 4, 6, 7, 2019-09 and 2020-12 are known
//! (<https://json-schema.org/specification>). Neither schema nor document has to be trusted: what would overflow the stack or never end is
//! refused before it is tried. [`Incremental`] reads a text as it is written and stops where nothing that follows could make it valid.

mod check;
mod compile;
mod config;
mod extent;
mod graph;
mod incremental;
mod parse;
mod violation;
mod wording;
mod work;

pub use compile::Schema;
pub use config::{Dialect, Extent, SchemaConfig};
pub use incremental::{Incremental, Stopped};
pub use violation::Violation;
