use std::{fmt, str::FromStr};

use jarre_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The name of a run: sixteen characters that sort by the time when the runs of a file were made.
///
/// Eleven digits of base 32 are the microseconds since 1970, moved on where the file holds a run of that time already; five more are taken
/// from a digest of what the run is, so that runs of different files hardly meet.
///
/// ```
/// use jarre_eval::track::RunId;
///
/// let id: RunId = "01jd3mzv5t8qk2d9".parse()?;
/// assert_eq!(id.to_string(), "01jd3mzv5t8qk2d9");
/// assert!("../../etc/passwd".parse::<RunId>().is_err());
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// Crockford's digits: in the order of ASCII, so that texts sort as numbers do, and without those that look alike.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TIME: usize = 11;
const LENGTH: usize = 16;

impl RunId {
    /// The name of the run that `about` describes, made at `time` or later.
    pub(super) fn new(time: Timestamp, about: &str) -> Self {
        let micros = time.unix_micros().max(0) as u64;
        let digest = blake3::hash(about.as_bytes());
        let bits = u64::from_le_bytes(std::array::from_fn(|index| digest.as_bytes()[index]));
        let digit = |value: u64, place: usize| DIGITS[(value >> (5 * place)) as usize & 31] as char;
        let time = (0..TIME).rev().map(|place| digit(micros, place));
        Self(time.chain((0..LENGTH - TIME).map(|place| digit(bits, place))).collect())
    }

    /// When the run was made; a moment later where another was made then.
    pub(super) fn time(&self) -> Timestamp {
        let value = |byte| DIGITS.iter().position(|&digit| digit == byte).expect("every character is one of the digits") as i64;
        Timestamp::from_unix_micros(self.0.bytes().take(TIME).fold(0, |time, byte| time << 5 | value(byte)))
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() == LENGTH && text.bytes().all(|byte| DIGITS.contains(&byte)) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::Refused(format!("`{}` is no run's id: those have {LENGTH} small letters and digits", text.escape_debug())))
    }
}

impl TryFrom<String> for RunId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_whatever_the_run_is() {
        let at = |micros| Timestamp::from_unix_micros(micros);
        let times = [0, 1, 31, 32, 1_700_000_000_000_000, 1_700_000_000_000_001, 1 << 54];
        let ids: Vec<RunId> = times.iter().enumerate().map(|(index, &time)| RunId::new(at(time), &index.to_string())).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        assert_eq!(RunId::new(at(-5), "a"), RunId::new(at(0), "a"));
        assert_ne!(RunId::new(at(7), "a"), RunId::new(at(7), "b"));
        for id in ids {
            assert_eq!(id.to_string().parse::<RunId>().unwrap(), id);
            assert!(times.contains(&id.time().unix_micros()));
        }
    }
}
