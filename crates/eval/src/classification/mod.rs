//! How well predicted classes and probabilities fit the true ones.
