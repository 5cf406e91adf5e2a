//! Prompt injection and jailbreaks: texts that try to give the model another master.

mod normal;
mod views;

pub use normal::{Normal, Signs};
pub use views::{Encoding, View, views};
