//! Experiments: a file that says what is asked of which model, and a runner that asks.
