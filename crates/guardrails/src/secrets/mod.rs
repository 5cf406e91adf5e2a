//! Keys, tokens and passwords.
