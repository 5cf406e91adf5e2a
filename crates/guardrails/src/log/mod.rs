//! A `tracing` layer that writes no personal data and no secrets.
