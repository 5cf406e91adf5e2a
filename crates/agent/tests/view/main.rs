//! A run as a browser's parser and a terminal see it.

#![expect(clippy::unwrap_used, reason = "tests")]

mod html;
mod sample;
mod story;
mod terminal;
mod trace;
