//! `strftime_now`: a date that the caller gives, in the words of C's `strftime`, in English.

use jarre_core::Timestamp;

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// `date` in UTC as `format` asks.
///
/// # Errors
/// A directive that is not known, or a date outside of the years 1 to 9999.
pub(super) fn strftime(date: Timestamp, format: &str) -> Result<String, String> {
    let date = Date::new(date).ok_or("the date lies outside of the years 1 to 9999")?;
    let mut text = String::with_capacity(format.len() + 16);
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let mut directive = characters.next().unwrap_or('%');
        let is_bare = directive == '-';
        if is_bare {
            directive = characters.next().unwrap_or('-');
        }
        let padded = date.directive(directive).ok_or_else(|| format!("`strftime_now` does not know `%{directive}`"))?;
        text.push_str(if is_bare { bare(&padded) } else { &padded });
    }
    Ok(text)
}

/// A number without the padding in front of it.
fn bare(padded: &str) -> &str {
    let trimmed = padded.trim_start_matches(['0', ' ']);
    if trimmed.is_empty() { "0" } else { trimmed }
}

struct Date {
    year: usize,
    month: usize,
    day: usize,
    hour: usize,
    minute: usize,
    second: usize,
    micros: usize,
    week_day: usize,
}

impl Date {
    fn new(date: Timestamp) -> Option<Self> {
        // RFC 3339: `2023-11-14T22:13:20.000000Z`.
        let text = date.to_string();
        let parts: Vec<usize> = text.strip_suffix('Z')?.split(['-', 'T', ':', '.']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let &[year @ 1..=9999, month, day, hour, minute, second, micros] = parts.as_slice() else { return None };
        // 1970 began on a Thursday.
        let days = date.unix_micros().div_euclid(86_400_000_000);
        Some(Self { year, month, day, hour, minute, second, micros, week_day: (days + 4).rem_euclid(7) as usize })
    }

    fn directive(&self, directive: char) -> Option<String> {
        let half = if self.hour < 12 { "AM" } else { "PM" };
        Some(match directive {
            'Y' => self.year.to_string(),
            'y' => format!("{:02}", self.year % 100),
            'm' => format!("{:02}", self.month),
            'B' => MONTHS[self.month - 1].to_owned(),
            'b' | 'h' => MONTHS[self.month - 1][..3].to_owned(),
            'd' => format!("{:02}", self.day),
            'e' => format!("{:2}", self.day),
            'j' => format!("{:03}", self.day_of_year()),
            'A' => DAYS[self.week_day].to_owned(),
            'a' => DAYS[self.week_day][..3].to_owned(),
            'w' => self.week_day.to_string(),
            'H' => format!("{:02}", self.hour),
            'I' => format!("{:02}", (self.hour + 11) % 12 + 1),
            'p' => half.to_owned(),
            'M' => format!("{:02}", self.minute),
            'S' => format!("{:02}", self.second),
            'f' => format!("{:06}", self.micros),
            'F' => format!("{}-{:02}-{:02}", self.year, self.month, self.day),
            'T' => format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second),
            '%' => "%".to_owned(),
            _ => return None,
        })
    }

    fn day_of_year(&self) -> usize {
        let leap = self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][self.month - 1];
        before + self.day + usize::from(leap && self.month > 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds and texts by `date -u -d @SECONDS +FORMAT`.
    #[test]
    fn dates_read_as_the_system_writes_them() {
        let all = "%Y %y %m %-m %B %b %d %-d %e %j %A %a %w %H %I %-I %p %M %S %F %T %%";
        let cases = [
            (0, "1970 70 01 1 January Jan 01 1  1 001 Thursday Thu 4 00 12 12 AM 00 00 1970-01-01 00:00:00 %"),
            (1_709_208_245, "2024 24 02 2 February Feb 29 29 29 060 Thursday Thu 4 12 12 12 PM 04 05 2024-02-29 12:04:05 %"),
            (951_868_740, "2000 00 02 2 February Feb 29 29 29 060 Tuesday Tue 2 23 11 11 PM 59 00 2000-02-29 23:59:00 %"),
            (1_704_067_199, "2023 23 12 12 December Dec 31 31 31 365 Sunday Sun 0 23 11 11 PM 59 59 2023-12-31 23:59:59 %"),
        ];
        for (seconds, text) in cases {
            assert_eq!(strftime(Timestamp::from_unix_micros(seconds * 1_000_000), all).unwrap(), text);
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        assert!(strftime(Timestamp::UNIX_EPOCH, "%Q").unwrap_err().contains("%Q"));
        for date in [Timestamp::MIN, Timestamp::MAX] {
            assert!(strftime(date, "%Y").unwrap_err().contains("9999"));
        }
    }
}
