use serde_json::Number;

use super::super::Reason;

/// How a word reads as a number.
#[derive(Debug, PartialEq)]
pub(super) enum Spelling {
    /// As JSON spells it.
    Standard(Number),
    /// As something else does.
    Other(Number),
    /// Not at all.
    None,
}

/// Reads a word as a number; `cut` says that the text ends with it, so that its end may be missing.
pub(super) fn read(word: &str, cut: bool) -> Result<Spelling, Reason> {
    if let Some(number) = standard(word)? {
        return Ok(Spelling::Standard(number));
    }
    let (sign, digits) = match word.as_bytes().first() {
        Some(b'-') => ("-", &word[1..]),
        Some(b'+') => ("", &word[1..]),
        _ => ("", word),
    };
    if let Some((base, digits)) = radix(digits) {
        let number = u64::from_str_radix(digits, base).ok().filter(|_| !digits.starts_with('+'));
        return Ok(number.and_then(|number| standard(&format!("{sign}{number}")).ok()?).map_or(Spelling::None, Spelling::Other));
    }
    let Some(digits) = plain(digits, cut) else { return Ok(Spelling::None) };
    let significant = digits.trim_start_matches('0');
    if significant.len() < digits.len()
        && is_json_number(&format!("1{significant}"))
        && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
    {
        return Err(Reason::AmbiguousNumber);
    }
    Ok(standard(&format!("{sign}{digits}"))?.map_or(Spelling::None, Spelling::Other))
}

/// Reads what JSON takes for a number.
fn standard(word: &str) -> Result<Option<Number>, Reason> {
    match word.parse::<Number>() {
        Ok(number) => Ok(Some(number)),
        Err(_) if is_json_number(word) => Err(Reason::NumberRange),
        Err(_) => Ok(None),
    }
}

/// Whether `word` is a number by the grammar of JSON (RFC 8259, section 6).
fn is_json_number(word: &str) -> bool {
    let word = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = word.split_once(['e', 'E']).map_or((word, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// The base and the digits of a whole number in base 16, 8 or 2.
fn radix(digits: &str) -> Option<(u32, &str)> {
    let base = match digits.get(..2)? {
        "0x" | "0X" => 16,
        "0o" | "0O" => 8,
        "0b" | "0B" => 2,
        _ => return None,
    };
    Some((base, &digits[2..]))
}

/// The digits as JSON would write them: without `_` between them, with a digit on both sides of the point, without the mark of a big integer.
fn plain(digits: &str, cut: bool) -> Option<String> {
    let digits = digits.strip_suffix(['n', 'L']).filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or(digits);
    if !digits.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let parted = digits.split('_').all(|part| !part.is_empty());
    let mut plain = if parted { digits.replace('_', "") } else { return None };
    if cut {
        let kept = plain.trim_end_matches(['+', '-']);
        plain.truncate(kept.strip_suffix(['e', 'E']).unwrap_or(kept).len());
    }
    if plain.starts_with('.') {
        plain.insert(0, '0');
    }
    for (bare, full) in [(".e", ".0e"), (".E", ".0E")] {
        plain = plain.replacen(bare, full, 1);
    }
    if plain.ends_with('.') {
        plain.push('0');
    }
    plain.bytes().next()?.is_ascii_digit().then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_languages_are_read_and_doubtful_ones_refused() {
        for (word, value) in
            [("+1", 1.0), (".5", 0.5), ("1.", 1.0), ("-.5", -0.5), ("0x1F", 31.0), ("1_000", 1000.0), ("10n", 10.0), ("1.e3", 1000.0)]
        {
            let Ok(Spelling::Other(number)) = read(word, false) else { panic!("{word}") };
            assert_eq!(number.as_f64(), Some(value), "{word}");
        }
        for word in ["1.2.3", "2024-01-01", "5kg", "1__0", "_1", "+", ".", "0x", "1e", "0xFFFFFFFFFFFFFFFFF"] {
            assert_eq!(read(word, false), Ok(Spelling::None), "{word}");
        }
        assert_eq!(read("007", false), Err(Reason::AmbiguousNumber));
        assert_eq!(read("1e999", false), Err(Reason::NumberRange));
        assert_eq!(read("1e+", true), Ok(Spelling::Other(1.into())));
    }
}
