//! How far raters agree beyond chance.

mod alpha;
mod confusion;
mod kappa;
mod ratings;

pub use alpha::Scale;
pub use confusion::Confusion;
pub use kappa::Weights;
pub use ratings::Ratings;
