//! Masks allow what a grammar says and nothing else: random answers are judged by other code, valid ones are fed through.
#![expect(clippy::unwrap_used, reason = "tests")]

mod hostile;
mod judge;
mod model;
mod schemas;
mod suite;
mod texts;
mod tools;
mod vocabularies;
