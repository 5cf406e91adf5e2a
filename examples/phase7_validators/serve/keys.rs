use std::fmt;

use subtle::{Choice, ConstantTimeEq};

/// The keys that clients may have. They are shown nowhere.
#[derive(Clone, Default)]
pub(crate) struct Keys(Vec<String>);

impl Keys {
    /// The keys in `text`, which stand apart by white space or commas: while one takes the place of another, both are good.
    pub(crate) fn from_text(text: &str) -> Self {
        let parts = text.split(|c: char| c.is_whitespace() || c == ',');
        Self(parts.filter(|key| !key.is_empty()).map(Into::into).collect())
    }

    /// Whether no key is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `given` is one of the keys. How long it takes tells the lengths of the keys and nothing of what they are.
    pub(crate) fn accept(&self, given: &str) -> bool {
        let matches = self.0.iter().fold(Choice::from(0), |found, key| found | key.as_bytes().ct_eq(given.as_bytes()));
        matches.into()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_keys_open_and_none_is_shown() {
        let keys = Keys::from_text(" old-key,new-key\n");
        assert!(keys.accept("old-key") && keys.accept("new-key"));
        for wrong in ["", "old", "old-key,new-key", "Old-key", "old-key "] {
            assert!(!keys.accept(wrong), "{wrong}");
        }
        assert_eq!(format!("{keys:?}"), "Keys(2)");
        assert!(Keys::from_text(" , \n").is_empty());
    }
}
