//! Answers of a type: asked for, mended, checked, asked for again.
