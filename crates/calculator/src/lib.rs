#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod answer;
mod error;
mod evaluate;
mod functions;
mod integers;
mod natural;
mod number;
mod parse;
mod power;
mod rational;
mod roots;
mod token;

pub use answer::Answer;
pub use error::{Error, Result};
pub use evaluate::{MAX_BITS, MAX_BYTES, MAX_DEPTH, MAX_WORK, evaluate};
pub use functions::names;
