//! Recorded loads: when requests came to a service that people use, and how long they and their answers were.
//!
//! Two formats are read: the CSV of Azure's LLM inference traces (`TIMESTAMP,ContextTokens,GeneratedTokens`), and the lines of JSON of
//! Mooncake's (`timestamp` in milliseconds, `input_length`, `output_length`, `hash_ids`), which tell what prompts have in common.

use serde::Deserialize;

use crate::{Error, Result};

/// Tokens of one block of [`Recorded::blocks`], as Mooncake cuts prompts.
pub const BLOCK_TOKENS: usize = 512;

/// A request of a recorded load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// Seconds from the first request of the trace.
    pub at: f64,
    /// Tokens of the prompt, one at least.
    pub prompt: usize,
    /// Tokens of the answer, one at least.
    pub answer: usize,
    /// What the blocks of the prompt hold: equal numbers are equal text after equal text. As many as the prompt needs, the last one perhaps
    /// cut; none where the trace does not tell.
    pub blocks: Vec<u64>,
}

/// Reads a trace in either format, in order of arrival. Requests without an answer, which some traces hold, get one token.
///
/// # Errors
/// [`Error::Invalid`] with the number of the first line that is not of the format.
///
/// ```
/// use jarre_serving::replay::trace;
///
/// # fn main() -> jarre_serving::Result<()> {
/// let azure = trace::parse("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 23:59:59.5,374,44\n2023-11-17 00:00:01.25,396,109\n")?;
/// assert_eq!((azure[1].at, azure[1].prompt, azure[1].answer), (1.75, 396, 109));
///
/// let mooncake = trace::parse(r#"{"timestamp": 1500, "input_length": 600, "output_length": 5, "hash_ids": [0, 14]}"#)?;
/// assert_eq!((mooncake[0].at, &mooncake[0].blocks[..]), (0.0, &[0, 14][..]));
///
/// let error = trace::parse("TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,1,1").unwrap_err();
/// assert!(error.to_string().starts_with("line 2 of the trace"));
/// # Ok(())
/// # }
/// ```
pub fn parse(text: &str) -> Result<Vec<Recorded>> {
    let is_json = text.trim_start().starts_with('{');
    let read = |(number, line): (usize, &str)| {
        let recorded = if is_json { mooncake(line) } else { azure(line) };
        recorded.map_err(|why| Error::Invalid(format!("line {} of the trace: {why}", number + 1)))
    };
    let lines = text.lines().enumerate().skip(usize::from(!is_json)).filter(|(_, line)| !line.trim().is_empty());
    let mut requests = lines.map(read).collect::<Result<Vec<_>>>()?;
    requests.sort_by(|one, other| one.at.total_cmp(&other.at));
    let first = requests.first().map_or(0.0, |request| request.at);
    for request in &mut requests {
        request.at -= first;
    }
    Ok(requests)
}

fn azure(line: &str) -> Result<Recorded, String> {
    let mut columns = line.trim().split(',');
    let mut column = |name: &str| columns.next().map(str::trim).ok_or_else(|| format!("the column {name} is missing"));
    let time = column("TIMESTAMP")?;
    let at = seconds(time).ok_or_else(|| format!("{time:?} is no time like 2023-11-16 18:15:46.6805900"))?;
    let (prompt, answer) = (count(column("ContextTokens")?)?, count(column("GeneratedTokens")?)?);
    recorded(at, prompt, answer, Vec::new())
}

fn mooncake(line: &str) -> Result<Recorded, String> {
    #[derive(Deserialize)]
    struct Row {
        timestamp: f64,
        input_length: usize,
        output_length: usize,
        #[serde(default)]
        hash_ids: Vec<u64>,
    }
    let row: Row = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let needed = row.input_length.div_ceil(BLOCK_TOKENS);
    if !row.hash_ids.is_empty() && row.hash_ids.len() != needed {
        return Err(format!("{} tokens are {needed} blocks of {BLOCK_TOKENS}, and {} are named", row.input_length, row.hash_ids.len()));
    }
    recorded(row.timestamp / 1e3, row.input_length, row.output_length, row.hash_ids)
}

fn recorded(at: f64, prompt: usize, answer: usize, blocks: Vec<u64>) -> Result<Recorded, String> {
    if prompt == 0 {
        return Err("a prompt has at least one token".to_owned());
    }
    Ok(Recorded { at, prompt, answer: answer.max(1), blocks })
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text:?} is no count of tokens"))
}

/// Seconds from the start of 1970 on to `2023-11-16 18:15:46.6805900`. An offset from UTC after it is passed over: it is the same all
/// through a trace.
fn seconds(text: &str) -> Option<f64> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let mut date = date.splitn(3, '-').map(str::parse::<u32>);
    let days = days(date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?)?;
    let time = time.trim_end_matches('Z').split(['+', '-']).next()?;
    let mut parts = time.splitn(3, ':');
    let (hours, minutes): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let seconds: f64 = parts.next()?.parse().ok()?;
    let is_time = hours < 24 && minutes < 60 && (0.0..61.0).contains(&seconds);
    is_time.then(|| f64::from(days) * 86_400.0 + f64::from(hours * 3600 + minutes * 60) + seconds)
}

/// Days from the start of 1970 to a date of the Gregorian calendar, not before it.
fn days(year: u32, month: u32, day: u32) -> Option<u32> {
    const BEFORE: [u32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = *BEFORE.get(month.checked_sub(1)? as usize)?;
    if !(1970..10_000).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    // Leap days up to the end of a year.
    let leaps = |year: u32| year / 4 - year / 100 + year / 400;
    let is_leap = leaps(year) > leaps(year - 1);
    let leap_day = u32::from(is_leap && month > 2);
    Some((year - 1970) * 365 + leaps(year - 1) - leaps(1969) + before + leap_day + day - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // As `date -u -d ... +%s` tells them.
        for (text, expected) in [
            ("1970-01-01 00:00:00", 0.0),
            ("2000-02-29 00:00:00", 951_782_400.0),
            ("2000-03-01 12:34:56.5", 951_914_096.5),
            ("2023-11-16 18:15:46.25", 1_700_158_546.25),
            ("2024-05-10T00:00:00.25+00:00", 1_715_299_200.25),
            ("2100-03-01 00:00:00Z", 4_107_542_400.0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for wrong in
            ["", "12:00:00", "2023-13-01 00:00:00", "2023-00-01 00:00:00", "2023-11-16 24:00:00", "2023-11-16 1:2", "2023-11-16 1:2:-3"]
        {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lines_that_are_wrong_are_named() {
        let told = |text: &str| parse(text).unwrap_err().to_string();
        let header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
        assert_eq!(told(&format!("{header}2023-11-16 18:15:46,1")), "line 2 of the trace: the column GeneratedTokens is missing");
        assert_eq!(told(&format!("{header}\n2023-11-16 18:15:46,-1,2")), "line 3 of the trace: \"-1\" is no count of tokens");
        let row =
            |tokens: usize, ids: &str| format!(r#"{{"timestamp": 0, "input_length": {tokens}, "output_length": 1, "hash_ids": {ids}}}"#);
        assert!(told(&row(513, "[1]")).contains("513 tokens are 2 blocks of 512, and 1 are named"));
        assert!(told(&row(0, "[]")).contains("at least one token"));
        assert!(told(&format!("{}\n{{", row(512, "[7]"))).starts_with("line 2 of the trace"));
    }

    #[test]
    fn requests_are_in_order_and_begin_at_zero() {
        let text = "h\n2023-11-16 00:00:05,1,0\r\n2023-11-16 00:00:03,2,7";
        let [first, second] = &parse(text).unwrap()[..] else { panic!("two requests") };
        assert_eq!((first.at, first.prompt, first.answer), (0.0, 2, 7));
        assert_eq!((second.at, second.prompt, second.answer), (2.0, 1, 1));
        assert!(parse("").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9a-z{}\\[\\]\",:. \n-]{0,80}") {
            let _ = parse(&text);
            let _ = parse(&format!("h\n{text}"));
            let _ = parse(&format!("{{{text}"));
        }
    }
}
