//! Personal data, found and replaced by pseudonyms that can be taken back.

mod vault;

pub use vault::Vault;
