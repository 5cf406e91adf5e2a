use std::collections::BTreeMap;

/// The words of a failure, and how often each stands there, lowercase. Identifiers count as a whole and by their parts (`test_sum_of` as itself, `test`,
/// `sum` and `of`; `NoneType` as itself, `none` and `type`); what begins with a digit does not count, as lines, addresses and times differ each time.
pub(super) fn words(text: &str) -> BTreeMap<String, u32> {
    let mut words = BTreeMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
        let parts = parts(word);
        if parts.len() > 1 {
            count(&mut words, &word.to_lowercase());
        }
        for part in parts {
            count(&mut words, &part);
        }
    }
    words
}

fn count(words: &mut BTreeMap<String, u32>, word: &str) {
    let is_address = word.strip_prefix("0x").is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
    if !is_address && word.chars().any(char::is_alphabetic) && !word.starts_with(char::is_numeric) {
        *words.entry(word.to_owned()).or_default() += 1;
    }
}

/// The parts of an identifier, lowercase: between underscores, and from each capital that follows on a small letter.
fn parts(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_small = false;
    for c in word.chars() {
        if c == '_' || (c.is_uppercase() && was_small) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| c != '_') {
            part.extend(c.to_lowercase());
        }
        was_small = c.is_lowercase() || c.is_numeric();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        words(text).into_keys().collect()
    }

    #[test]
    fn identifiers_count_whole_and_in_parts() {
        assert_eq!(of("test_sum_of NoneType"), ["none", "nonetype", "of", "sum", "test", "test_sum_of", "type"]);
        assert_eq!(of("HTTPServer utf8Text __init__"), ["httpserver", "init", "text", "utf8", "utf8text"]);
    }

    #[test]
    fn what_differs_each_time_does_not_count() {
        assert_eq!(of("at src/lib.rs:42:7, 0x7ffd12 after 1.25s"), ["after", "at", "lib", "rs", "src"]);
        assert!(of("12 34 5_6 ___ \u{0}").is_empty());
        assert_eq!(words("left left right")["left"], 2);
    }
}
