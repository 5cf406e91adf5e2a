//! What a text is about: topics that are denied, and those that are allowed, each given by examples.

mod calibration;
mod guard;
mod scan;
mod topic;

pub use calibration::Calibration;
pub use guard::{TopicConfig, TopicGuard};
pub use topic::{Closeness, Topic};
