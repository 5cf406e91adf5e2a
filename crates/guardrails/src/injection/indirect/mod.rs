//! Instructions in data: in retrieved text and in what tools answer, where nobody should be told what to do.

mod config;
mod guard;
mod spotlight;

pub use config::IndirectConfig;
pub use guard::IndirectGuard;
pub use spotlight::{Spotlight, Spotlit};
