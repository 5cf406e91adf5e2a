//! Harmful content by category.
