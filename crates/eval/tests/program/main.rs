//! The program `jarre-eval`, as a script or a person uses it.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod endpoint;
mod gates;
mod interrupts;
mod judges;
mod program;
mod prompts;
mod recorded;
