//! What an agent keeps: reflections on failures, for all its tasks, and notes, for one.

mod lexical;
mod reflections;
mod scratchpad;
mod words;

pub use lexical::Lexical;
pub use reflections::{KeptReflection, MemoryOptions, ReflectionMemory};
pub use scratchpad::Scratchpad;
