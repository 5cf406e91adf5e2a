//! Prompt injection and jailbreaks: texts that try to give the model another master.

mod normal;
mod patterns;
mod sentences;
mod views;

pub use normal::{Normal, Signs};
pub use patterns::Family;
pub use views::{Encoding, View, views};
