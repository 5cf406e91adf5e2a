use std::fmt;

use subtle::ConstantTimeEq;

use crate::{Error, Result};

/// What opens a dashboard. It is shown nowhere but where its owner asks for it.
#[derive(Clone)]
pub struct Secret(String);

/// Letters of a secret at least.
const LEAST: usize = 16;

impl Secret {
    /// A secret that was chosen elsewhere.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is shorter than 16 characters, or holds others than visible ASCII.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let is_fit = text.len() >= LEAST && text.bytes().all(|byte| byte.is_ascii_graphic());
        let why = || Error::Invalid(format!("the secret of a dashboard has at least {LEAST} characters of visible ASCII; choose another"));
        is_fit.then_some(Self(text)).ok_or_else(why)
    }

    /// 128 bits of the system's randomness, in hex.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the system gives no random numbers.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| Error::Invalid(format!("the system gives no random numbers: {error}")))?;
        Ok(Self(format!("{:032x}", u128::from_le_bytes(bytes))))
    }

    /// The secret itself, for its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `given` is the secret. How long it takes tells the lengths and nothing of what it is.
    pub fn accepts(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }

    /// What only the holder of the secret can make of `text`, in hex.
    pub(super) fn sign(&self, purpose: &str, text: &str) -> String {
        let key = blake3::derive_key("jarre-agent 2026 dashboard", self.0.as_bytes());
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&(purpose.len() as u64).to_le_bytes()).update(purpose.as_bytes()).update(text.as_bytes());
        hasher.finalize().to_hex()[..32].to_owned()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_secret_opens_and_it_is_not_shown() {
        let secret = Secret::new("0123456789abcdef").unwrap();
        assert!(secret.accepts("0123456789abcdef"));
        for wrong in ["", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef "] {
            assert!(!secret.accepts(wrong));
        }
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert!(Secret::new("short").is_err() && Secret::new("sixteen letters \n").is_err());
        assert_ne!(Secret::random().unwrap().reveal(), Secret::random().unwrap().reveal());
        assert_ne!(secret.sign("a", "bc"), secret.sign("ab", "c"));
    }
}
