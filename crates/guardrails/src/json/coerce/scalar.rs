use serde_json::{Number, Value};

use super::{ChangeKind, fold::fold, kinds::Kinds};

/// A value of one of `kinds` that says the same as `value`, which is of none of them.
pub(super) fn convert(value: &Value, kinds: Kinds) -> Option<(Value, ChangeKind)> {
    match value {
        Value::String(text) => from_text(text, kinds),
        Value::Number(number) if kinds.has("string") => Some((number.to_string().into(), ChangeKind::Text)),
        Value::Bool(truth) if kinds.has("string") => Some((truth.to_string().into(), ChangeKind::Text)),
        _ => None,
    }
}

fn from_text(text: &str, kinds: Kinds) -> Option<(Value, ChangeKind)> {
    let text = text.trim();
    if kinds.has("null") && (text.is_empty() || text.eq_ignore_ascii_case("null")) {
        return Some((Value::Null, ChangeKind::Null));
    }
    if kinds.has("number") || kinds.has("integer") {
        let number = number(text).filter(|number| kinds.has("number") || !number.is_f64());
        if let Some(number) = number {
            return Some((number.into(), ChangeKind::Number));
        }
    }
    if kinds.has("boolean")
        && let truth @ ("true" | "false") = fold(text).as_str()
    {
        return Some(((truth == "true").into(), ChangeKind::Boolean));
    }
    let opens = text.starts_with('{') && kinds.has("object") || text.starts_with('[') && kinds.has("array");
    let document = opens.then(|| serde_json::from_str(text).ok()).flatten();
    document.map(|document| (document, ChangeKind::Parsed))
}

/// The number that a text is, if it is exactly one: whole ones of 64 bits, others of at most 15 digits.
pub(super) fn number(text: &str) -> Option<Number> {
    let plain = without_groups(text.strip_prefix('+').unwrap_or(text))?;
    let number: Number = plain.parse().ok()?;
    if !number.is_f64() {
        return Some(number);
    }
    let digits = plain.split(['e', 'E']).next().map_or(0, |mantissa| mantissa.bytes().filter(u8::is_ascii_digit).count());
    let whole =
        plain.split_once('.').filter(|(_, fraction)| fraction.bytes().all(|digit| digit == b'0')).and_then(|(whole, _)| whole.parse().ok());
    whole.or_else(|| (digits <= 15).then_some(number))
}

/// The digits without commas that can only part thousands: two of them, or one before a point. `1,234` may be a fraction elsewhere.
fn without_groups(text: &str) -> Option<String> {
    if !text.contains(',') {
        return Some(text.to_owned());
    }
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut groups = whole.strip_prefix('-').unwrap_or(whole).split(',');
    let first = groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_digit()));
    let three = groups.clone().all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()));
    let count = groups.count();
    let clear = count > 1 || count == 1 && fraction.is_some();
    let digits = fraction.is_none_or(|fraction| !fraction.contains(','));
    (first && three && clear && digits).then(|| text.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_numbers_are_taken() {
        for (text, value) in [
            ("41", "41"),
            ("+5", "5"),
            ("3.0", "3"),
            ("-0.5", "-0.5"),
            ("1,234,567.5", "1234567.5"),
            ("1,234.50", "1234.5"),
            ("1e3", "1000.0"),
        ] {
            assert_eq!(number(text).map(|number| number.to_string()).as_deref(), Some(value), "{text}");
        }
        for text in [
            "",
            "1,234",
            "1.234,5",
            "5 kg",
            "50%",
            "$5",
            "0x10",
            "01",
            "1e999",
            "0.12345678901234567",
            "12345678901234567890123",
            "1,23,456.0",
            "++1",
            "٣",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
