use std::fmt;

use jarre_core::{Error, ErrorKind, Result};
use reqwest::header::HeaderValue;

/// A secret that a provider knows its caller by. It shows itself nowhere but in the header that it is sent in.
///
/// ```
/// use jarre_providers::ApiKey;
///
/// let key = ApiKey::new("sk-secret")?;
/// assert_eq!(format!("{key:?}"), "ApiKey(hidden)");
/// assert!(ApiKey::new("two\nlines").is_err());
/// # Ok::<(), jarre_core::Error>(())
/// ```
#[derive(Clone)]
pub struct ApiKey(HeaderValue);

impl ApiKey {
    /// The key `secret`; white space around it, as files and shells leave it there, is cut off.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] where it is empty or has characters that a header cannot hold. The message does not show it.
    pub fn new(secret: &str) -> Result<Self> {
        let secret = secret.trim();
        let header = HeaderValue::try_from(format!("Bearer {secret}")).ok().filter(|_| !secret.is_empty());
        let mut header =
            header.ok_or_else(|| Error::new(ErrorKind::InvalidRequest, "the key is empty or no text that a header can hold"))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// The key in the environment variable `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`] where the variable is not set; otherwise as [`new`](Self::new).
    #[expect(clippy::disallowed_methods, reason = "the caller names the variable: nothing is read unasked")]
    pub fn from_env(name: &str) -> Result<Self> {
        match std::env::var(name) {
            Ok(secret) => Self::new(&secret),
            Err(_) => Err(Error::new(ErrorKind::Authentication, format!("there is no key: set the environment variable {name}"))),
        }
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_hidden() {
        let key = ApiKey::new(" sk-secret\n").unwrap();
        assert_eq!(key.header().to_str().unwrap(), "Bearer sk-secret");
        assert!(!format!("{key:?} {:?}", key.header()).contains("secret"));
        for wrong in ["", "  ", "a\nb", "é\u{1}"] {
            assert_eq!(ApiKey::new(wrong).unwrap_err().kind(), ErrorKind::InvalidRequest, "{wrong:?}");
        }
        let absent = ApiKey::from_env("JARRE_TEST_NO_SUCH_KEY").unwrap_err();
        assert!(absent.to_string().contains("JARRE_TEST_NO_SUCH_KEY"));
    }
}
