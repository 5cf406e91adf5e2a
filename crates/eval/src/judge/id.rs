use std::fmt;

use serde::{Deserialize, Serialize};

/// Which judge gave a figure. Figures of two judges, or of two versions of one, are not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JudgeId {
    /// What it judges and what kind it is, as in `helpfulness[llm:gpt-x]` or `containment[lexical]`.
    pub name: String,
    /// Digest of whatever a verdict depends on: the kind, the prompt's text, the model's name, the scale, the settings.
    pub version: String,
}

impl JudgeId {
    /// The id of the judge `name`, its version made of `parts`: everything that, changed, could change a verdict.
    pub fn new(name: impl Into<String>, parts: &[&str]) -> Self {
        Self { name: name.into(), version: digest(parts) }
    }
}

impl fmt::Display for JudgeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version.get(..8).unwrap_or(&self.version))
    }
}

/// The first 128 bits of the BLAKE3 hash of `parts`, in hexadecimal. Lengths are hashed too, so that moving a boundary changes it.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_and_order_count() {
        let versions = [&["ab", "c"][..], &["a", "bc"], &["c", "ab"], &["abc"], &[]].map(|parts| JudgeId::new("j", parts).version);
        for (index, version) in versions.iter().enumerate() {
            assert_eq!(version.len(), 32);
            assert!(!versions[..index].contains(version));
        }
    }

    #[test]
    fn a_short_version_is_shown_whole() {
        assert_eq!(JudgeId { name: "j".into(), version: "1".into() }.to_string(), "j@1");
    }
}
