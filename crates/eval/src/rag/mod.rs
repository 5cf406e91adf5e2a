//! Metrics of answers that stand on retrieved text.
