//! What goes wrong between here and a provider, as errors of `jarre_core`.

use std::{error::Error as _, time::Duration};

use jarre_core::{Clock, Error, ErrorKind, Timestamp};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// A request that got no answer, or an answer that broke off. The address is left out of the message, because the error of the client may
/// show more of it than is meant for logs.
pub(crate) fn transport(provider: &str, error: reqwest::Error) -> Error {
    let error = error.without_url();
    let kind = if error.is_builder() { ErrorKind::InvalidRequest } else { ErrorKind::Unavailable };
    let what = if error.is_connect() { "cannot be reached" } else { "broke off" };
    let mut message = format!("{provider} {what}: {error}");
    let mut cause = error.source();
    while let Some(deeper) = cause {
        message = format!("{message}: {deeper}");
        cause = deeper.source();
    }
    Error::new(kind, message).with_source(error)
}

/// How long a provider asks to be left alone: `retry-after-ms`, or `Retry-After` (RFC 9110, section 10.2.3) in seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| (0.0..=1e9).contains(number));
    if let Some(millis) = text("retry-after-ms").and_then(number) {
        return Some(Duration::from_secs_f64(millis / 1000.0));
    }
    let value = text(RETRY_AFTER.as_str())?;
    number(value).map(Duration::from_secs_f64).or_else(|| {
        let date = httpdate::parse_http_date(value).ok()?;
        let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Timestamp::UNIX_EPOCH.saturating_add(since).since(clock.timestamp()))
    })
}

#[cfg(test)]
mod tests {
    use jarre_core::testing::ManualClock;

    use super::*;

    #[test]
    fn waits_are_read_in_every_form() {
        // 1994-11-06T08:49:30Z
        let clock = ManualClock::starting_at(Timestamp::from_unix_micros(784_111_770_000_000));
        let wait = |name: &'static str, value: &'static str| {
            retry_after(&HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]), &clock)
        };
        assert_eq!(wait("retry-after", " 2 "), Some(Duration::from_secs(2)));
        assert_eq!(wait("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(wait("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        assert_eq!(wait("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(wait("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
        for wrong in ["-1", "soon", "inf", "NaN", "1e300", ""] {
            assert_eq!(wait("retry-after", wrong), None, "{wrong}");
        }
    }
}
