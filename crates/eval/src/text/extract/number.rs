use std::sync::LazyLock;

use regex::Regex;

use crate::text::math::boxed;

/// A number in running text.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    const DIGITS: &str = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)";
    let pattern = format!(r"[-\u{{2212}}]?(?:[$€£¥]\s?)?[-\u{{2212}}]?{DIGITS}(?:[eE][-+]?\d+)?(?:\s?/\s?\d+)?(?:\s?%)?");
    Regex::new(&pattern).expect("the pattern is constant and valid")
});

/// What says that the answer follows, in the order in which they are believed; a box comes between the first and the second.
static HASHES: LazyLock<Regex> = LazyLock::new(|| Regex::new("####").expect("the pattern is constant and valid"));
static SAID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i-u:\banswer(?: is|:| is:|\*\*:|:\*\*))|(?m-u:^A:)").expect("the pattern is constant and valid"));

pub(super) fn last_number(text: &str) -> Option<&str> {
    numbers(text).last()
}

/// The number said to be the answer, else the last one.
pub(super) fn final_number(text: &str) -> Option<&str> {
    let behind = |marker: &Regex| marker.find_iter(text).last().and_then(|found| first_of_line(&text[found.end()..]));
    let said = behind(&HASHES).or_else(|| boxed(text).and_then(last_number)).or_else(|| behind(&SAID));
    said.or_else(|| last_number(text))
}

/// The first number of the first line with text in it: a sum may be worked out (`3 + 4 = 7`), and then what it comes to counts.
fn first_of_line(text: &str) -> Option<&str> {
    let line = text.trim_start().lines().next()?;
    match line.split_once('=') {
        Some((left, right)) if !left.contains(". ") => numbers(right).next().or_else(|| numbers(left).next()),
        _ => numbers(line).next(),
    }
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    NUMBER.find_iter(text).map(|found| {
        let before = text[..found.start()].chars().next_back();
        let operand = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, ')' | ']' | '%' | '$'));
        let number = found.as_str();
        if operand { number.trim_start_matches(['-', '\u{2212}']) } else { number }
    })
}
