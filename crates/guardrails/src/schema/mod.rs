//! JSON Schema with limits: depth, size, time, and no network.
