//! The operator's instructions in what a model writes.
