//! Topics that are denied, or alone allowed, by the closeness of embeddings.
