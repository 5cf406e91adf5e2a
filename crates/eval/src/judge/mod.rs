//! Judges: who says how good an answer is, and how far they can be trusted.
