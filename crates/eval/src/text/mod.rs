//! How close a text comes to the one that was wanted.
