//! Python's methods of text, lists and dictionaries: `minijinja-contrib` has most of them.

use minijinja::value::{Tuple, Value, from_args};
use minijinja::{Error, ErrorKind, State};
use minijinja_contrib::pycompat;

/// Calls `value.method(arguments)`.
pub(super) fn call(state: &mut State<'_, '_>, value: &Value, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    let Some(text) = value.as_str() else { return pycompat::unknown_method_callback(state, value, method, arguments) };
    match method {
        "format" => {
            // Widths and precisions are text that is written before anybody counts it.
            state.consume_fuel(sum_of_numbers(text) / 16)?;
            pycompat::unknown_method_callback(state, value, method, arguments)
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(arguments)?;
            Ok(text.strip_prefix(prefix).unwrap_or(text).into())
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(arguments)?;
            Ok(text.strip_suffix(suffix).unwrap_or(text).into())
        }
        "partition" => {
            let (separator,) = from_args(arguments)?;
            Ok(parted(text.split_once(filled(separator)?), separator, [text, "", ""]))
        }
        "rpartition" => {
            let (separator,) = from_args(arguments)?;
            Ok(parted(text.rsplit_once(filled(separator)?), separator, ["", "", text]))
        }
        "rsplit" => {
            let (separator, splits): (Option<&str>, Option<i64>) = from_args(arguments)?;
            rsplit(text, separator, splits)
        }
        _ => pycompat::unknown_method_callback(state, value, method, arguments),
    }
}

fn parted(parts: Option<(&str, &str)>, separator: &str, whole: [&str; 3]) -> Value {
    Tuple::from(parts.map_or(whole, |(before, behind)| [before, separator, behind]).map(Value::from)).into()
}

fn rsplit(text: &str, separator: Option<&str>, splits: Option<i64>) -> Result<Value, Error> {
    let parts = splits.and_then(|splits| usize::try_from(splits).ok()).map_or(usize::MAX, |splits| splits.saturating_add(1));
    let mut pieces: Vec<&str> = match separator {
        Some(separator) => text.rsplitn(parts, filled(separator)?).collect(),
        None => rsplit_blank(text, parts),
    };
    pieces.reverse();
    Ok(pieces.into_iter().collect())
}

/// At most `parts` words, from the end; the last takes what is left.
fn rsplit_blank(text: &str, parts: usize) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), text.trim_end());
    while !rest.trim_start().is_empty() {
        let word = match rest.rfind(char::is_whitespace) {
            Some(blank) if words.len() + 1 < parts => rest[blank..].trim_start(),
            _ => rest.trim_start(),
        };
        words.push(word);
        rest = if words.len() == parts { "" } else { rest[..rest.len() - word.len()].trim_end() };
    }
    words
}

fn filled(separator: &str) -> Result<&str, Error> {
    if separator.is_empty() { Err(Error::new(ErrorKind::InvalidOperation, "the separator is empty")) } else { Ok(separator) }
}

fn sum_of_numbers(format: &str) -> u64 {
    let numbers = format.split(|character: char| !character.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers.map(|digits| digits.parse().unwrap_or(u64::MAX)).fold(0, u64::saturating_add)
}
