use std::fmt;

use subtle::{Choice, ConstantTimeEq};

/// The keys that a server takes. They are shown nowhere.
#[derive(Clone, Default)]
pub struct ApiKeys(Vec<String>);

impl ApiKeys {
    /// Any of `keys` opens the server; empty ones, which everybody has, are left out.
    pub fn new<S: Into<String>>(keys: impl IntoIterator<Item = S>) -> Self {
        Self(keys.into_iter().map(Into::into).filter(|key| !key.is_empty()).collect())
    }

    /// Whether no key is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `given` is one of the keys. How long it takes tells the length of `given` and of the keys, and nothing of what they are.
    pub fn accept(&self, given: &str) -> bool {
        let matches = self.0.iter().fold(Choice::from(0), |found, key| found | key.as_bytes().ct_eq(given.as_bytes()));
        matches.into()
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_keys_open_and_none_is_shown() {
        let keys = ApiKeys::new(["secret-1", "", "secret-2"]);
        assert!(keys.accept("secret-1") && keys.accept("secret-2"));
        for wrong in ["", "secret", "secret-11", "Secret-1"] {
            assert!(!keys.accept(wrong), "{wrong}");
        }
        assert_eq!(format!("{keys:?}"), "ApiKeys(2)");
        assert!(ApiKeys::new([""]).is_empty() && !ApiKeys::default().accept(""));
    }
}
