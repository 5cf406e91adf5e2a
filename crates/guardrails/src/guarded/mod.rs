//! A chat model behind guards.
