//! Prompt injection and jailbreaks: texts that try to give the model another master.
//!
//! [`InjectionGuard`] reads what users write, [`IndirectGuard`] what is retrieved and what tools answer, and [`Spotlight`] sets such data
//! apart in a prompt. Both guards read texts without disguise ([`Normal`]) and what is encoded in them ([`views`]).

mod config;
mod features;
mod guard;
mod indirect;
mod length;
mod model;
mod normal;
mod patterns;
mod reading;
mod sentences;
mod views;
mod windows;

pub use config::InjectionConfig;
pub use features::features;
pub use guard::InjectionGuard;
pub use indirect::{IndirectConfig, IndirectGuard, Spotlight, Spotlit};
pub use normal::{Normal, Signs};
pub use patterns::Family;
pub use sentences::sentences;
pub use views::{Encoding, View, views};
pub use windows::windows;
