#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod error;

pub use error::{Error, Result};
