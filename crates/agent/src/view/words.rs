//! Numbers, times and states in words.

use std::time::Duration;

use jarre_core::Timestamp;
use serde_json::{Map, Value};

use super::{Call, Story};
use crate::{Budget, Decision, Outcome, Phase, Purpose};

/// The number with thousands apart: `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// A duration as people say it: `12 ms`, `1.2 s`, `3 min 5 s`, `2 h 10 min`.
pub(crate) fn lasting(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 if duration.subsec_millis() == 0 => format!("{} µs", duration.subsec_micros()),
        0 => format!("{} ms", duration.subsec_millis()),
        1..60 => format!("{seconds}.{} s", duration.subsec_millis() / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A date and time to the second, in UTC.
pub(crate) fn date(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{}Z", seconds.replacen('T', " ", 1)))
}

/// What a step is for.
pub(crate) fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Plan => "plan",
        Purpose::Act => "act",
        Purpose::Reflect => "reflect",
        Purpose::Compact => "compact",
    }
}

/// The state of a run in a word or two, and how it looks: `good`, `bad`, `wait` or `busy`.
pub(crate) fn state(story: &Story) -> (&'static str, &'static str) {
    match &story.outcome {
        None if story.pending().next().is_some() => ("needs approval", "wait"),
        None => match story.phase {
            Phase::Plan => ("planning", "busy"),
            Phase::Reflect => ("reflecting", "busy"),
            Phase::NeedsApproval => ("needs approval", "wait"),
            Phase::Act | Phase::Observe | Phase::Ended => ("acting", "busy"),
        },
        Some(outcome) => ended(outcome),
    }
}

/// How a run ended in a word or two, and how that looks.
pub(crate) fn ended(outcome: &Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Done { .. } => ("done", "good"),
        Outcome::Stuck { .. } => ("stuck", "bad"),
        Outcome::OutOfBudget { .. } => ("out of budget", "bad"),
        Outcome::Cancelled { .. } => ("cancelled", "bad"),
        Outcome::Failed { .. } => ("failed", "bad"),
    }
}

/// How a run ended, in a sentence of the program's and the words of whoever ended it.
pub(super) fn ending(outcome: &Outcome) -> (String, &str) {
    match outcome {
        Outcome::Done { answer } => ("Done.".to_owned(), answer),
        Outcome::Stuck { reason } => ("Stuck.".to_owned(), reason),
        Outcome::OutOfBudget { budget } => (format!("Out of budget: {}.", spent(budget)), ""),
        Outcome::Cancelled { reason } => ("Cancelled.".to_owned(), reason),
        Outcome::Failed { reason } => ("Failed.".to_owned(), reason),
    }
}

fn spent(budget: &Budget) -> String {
    match budget {
        Budget::Steps => "no steps are left".to_owned(),
        Budget::Tokens => "no tokens are left".to_owned(),
        Budget::Cost => "no money is left".to_owned(),
        Budget::Wall => "no time is left".to_owned(),
        Budget::Tool { name } => format!("the tool {} may not be called again", jarre_report::excerpt(name, 64)),
        Budget::Malformed => "too many answers in a row could not be read".to_owned(),
        Budget::Attempts => "no attempts are left".to_owned(),
    }
}

/// The state of a call in a word or two, and how it looks: `good`, `bad`, `wait` or `busy`.
pub(super) fn call_state(call: &Call) -> (String, &'static str) {
    match (&call.output, &call.tests) {
        (Some(_), Some(tests)) if tests.is_green() => (format!("{} passed", grouped(tests.passed)), "good"),
        (Some(_), Some(tests)) => {
            let failed = tests.failed.max(tests.failures.len() as u64);
            (format!("{} failed, {} passed", grouped(failed), grouped(tests.passed)), "bad")
        }
        (Some(output), None) if output.is_error => ("error".to_owned(), "bad"),
        (Some(_), None) => ("ok".to_owned(), "good"),
        (None, _) if call.is_denied() => ("denied".to_owned(), "bad"),
        (None, _) if call.approval.as_ref().is_some_and(super::Approval::is_pending) => ("needs approval".to_owned(), "wait"),
        (None, _) if call.started.is_some() => ("running".to_owned(), "busy"),
        (None, _) => ("asked for".to_owned(), "busy"),
    }
}

/// What a person said, in words; the reason of a denial is theirs and given beside.
pub(crate) fn decided(decision: &Decision) -> (&'static str, &str) {
    match decision {
        Decision::Approved => ("approved", ""),
        Decision::Edited { arguments } => ("approved with other arguments", arguments),
        Decision::Denied { reason } => ("denied", reason),
    }
}

/// The argument that says most in a line: a path, a command, what is looked for; else the arguments as they are.
pub(super) fn gist(arguments: &str) -> String {
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(arguments) else { return arguments.to_owned() };
    let known = ["path", "command", "pattern", "query", "expression", "answer"];
    let named = known.iter().find_map(|name| object.get(*name));
    match named.or_else(|| object.values().next()) {
        Some(Value::Array(words)) => words.iter().map(value).collect::<Vec<_>>().join(" "),
        Some(found) => value(found),
        None => String::new(),
    }
}

/// A value of JSON for readers: a text without its quotes.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => serde_json::to_string_pretty(value).unwrap_or_default(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        let cases = [
            (Duration::ZERO, "0 µs"),
            (Duration::from_micros(12_345), "12 ms"),
            (Duration::from_millis(59_999), "59.9 s"),
            (Duration::from_secs(185), "3 min 5 s"),
            (Duration::from_mins(130), "2 h 10 min"),
            (Duration::from_hours(25), "1 d 1 h"),
        ];
        for (duration, text) in cases {
            assert_eq!(lasting(duration), text);
        }
        lasting(Duration::MAX);
        assert_eq!(date(Timestamp::from_unix_micros(1_700_000_000_123_456)), "2023-11-14 22:13:20Z");
        date(Timestamp::MAX);
    }
}
