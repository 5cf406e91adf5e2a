use std::time::Duration;

use axum::http::{HeaderMap, header};
use jarre_core::Timestamp;
use subtle::ConstantTimeEq;

use super::secret::Secret;

/// What the dashboard knows of who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Session {
    /// A browser that signed in, with the value of its cookie.
    Cookie(String),
    /// A program that sent the secret.
    Bearer,
}

impl Session {
    /// Who asks, where it is someone who may.
    pub(super) fn of(headers: &HeaderMap, secret: &Secret, name: &str, now: Timestamp, lasts: Duration) -> Option<Self> {
        if let Some(given) = bearer(headers) {
            return secret.accepts(given).then_some(Self::Bearer);
        }
        let value = cookie(headers, name)?;
        let (issued, signature) = value.split_once('.')?;
        let is_ours = bool::from(secret.sign("session", issued).as_bytes().ct_eq(signature.as_bytes()));
        let issued = Timestamp::from_unix_micros(issued.parse().ok()?);
        let is_fresh = issued <= now && now.since(issued) < lasts;
        (is_ours && is_fresh).then(|| Self::Cookie(value.to_owned()))
    }

    /// The value of the cookie of a session that begins now.
    pub(super) fn begin(secret: &Secret, now: Timestamp) -> String {
        let issued = now.unix_micros().to_string();
        let signature = secret.sign("session", &issued);
        format!("{issued}.{signature}")
    }

    /// What the forms of this session's pages carry; a program needs none.
    pub(super) fn csrf(&self, secret: &Secret) -> Option<String> {
        match self {
            Self::Cookie(value) => Some(secret.sign("form", value)),
            Self::Bearer => None,
        }
    }

    /// Whether a form with this token came from a page of the session.
    pub(super) fn accepts(&self, secret: &Secret, token: &str) -> bool {
        self.csrf(secret).is_none_or(|expected| expected.as_bytes().ct_eq(token.as_bytes()).into())
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_secs(100);

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())])
    }

    #[test]
    fn a_cookie_holds_for_its_time_and_its_secret() {
        let secret = Secret::new("0123456789abcdef").unwrap();
        let start = Timestamp::from_unix_micros(1_000_000_000);
        let value = Session::begin(&secret, start);
        let of = |cookie: &str, secret: &Secret, later: u64| {
            Session::of(&headers(cookie), secret, "s", start.saturating_add(Duration::from_secs(later)), LASTS)
        };
        let session = of(&format!("other=1; s={value}"), &secret, 99).unwrap();
        assert!(
            session.accepts(&secret, &session.csrf(&secret).unwrap()) && !session.accepts(&secret, "") && !session.accepts(&secret, &value)
        );
        assert_eq!(of(&format!("s={value}"), &secret, 100), None, "too old");
        assert_eq!(of(&format!("s={value}"), &Secret::new("another-secret-of-ours").unwrap(), 1), None);
        let forged = value.replacen('1', "2", 1);
        for wrong in [&forged, "", ".", "1000000000.", "x.y", &value[..value.len() - 1]] {
            assert_eq!(of(&format!("s={wrong}"), &secret, 1), None, "{wrong}");
        }
    }
}
