use std::fmt;
use std::str::FromStr;

use anyhow::{Error, Result, ensure};

/// What a model is called at the hub: `ORG/NAME`, and which of its revisions is meant: a branch, a tag or a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HubName {
    organisation: String,
    name: String,
    pub(super) revision: String,
}

impl FromStr for HubName {
    type Err = Error;

    /// Reads `ORG/NAME` or `ORG/NAME@REVISION`. Names become parts of paths and addresses: everything that could lead elsewhere is refused.
    fn from_str(text: &str) -> Result<Self> {
        let (model, revision) = text.split_once('@').unwrap_or((text, "main"));
        let (organisation, name) = model.split_once('/').unwrap_or_default();
        ensure!(is_plain(organisation) && is_plain(name), "`{text}` is no model's name; write it as hub:ORG/NAME or hub:ORG/NAME@REVISION");
        ensure!(revision.split('/').all(is_plain), "`{revision}` is no revision's name; give a branch, a tag or a commit");
        Ok(Self { organisation: organisation.to_owned(), name: name.to_owned(), revision: revision.to_owned() })
    }
}

impl HubName {
    /// The folder of the model in a cache.
    pub(super) fn folder(&self) -> String {
        format!("models--{}--{}", self.organisation, self.name)
    }

    /// The revision as one part of an address.
    pub(super) fn escaped_revision(&self) -> String {
        self.revision.replace('/', "%2F")
    }
}

impl fmt::Display for HubName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.organisation, self.name)
    }
}

/// Whether a text is one part of a path that leads nowhere else.
pub(super) fn is_plain(part: &str) -> bool {
    let is_known = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    (1..=96).contains(&part.len()) && part.chars().all(is_known) && !part.starts_with('.') && !part.contains("..")
}

/// Whether a text is a digest of `length` digits.
pub(super) fn is_digest(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_two_parts_and_maybe_a_revision() {
        let name: HubName = "HuggingFaceTB/SmolLM2-135M".parse().unwrap();
        assert_eq!(
            (name.to_string(), name.folder(), name.revision.as_str()),
            ("HuggingFaceTB/SmolLM2-135M".into(), "models--HuggingFaceTB--SmolLM2-135M".into(), "main")
        );
        let name: HubName = "a/b@refs/pr/1".parse().unwrap();
        assert_eq!((name.revision.as_str(), name.escaped_revision().as_str()), ("refs/pr/1", "refs%2Fpr%2F1"));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for hostile in [
            "",
            "a",
            "a/",
            "/b",
            "a/b/c",
            "../b",
            "a/..",
            "a/.b",
            "a/b..c",
            "a\\b/c",
            "a/b@",
            "a/b@../../x",
            "a/b@/etc",
            "a/b@x//y",
            "a/b@x/..",
            "a b/c",
            "a/b?c",
            "a/b#c",
            "a/b%2e",
            "a/b\0",
            "é/b",
            "a/b@x@y",
            "https://a/b",
            "a/b@.x",
        ] {
            assert!(hostile.parse::<HubName>().is_err(), "{hostile}");
        }
        assert!("a/b".replace('a', &"a".repeat(97)).parse::<HubName>().is_err());
    }
}
