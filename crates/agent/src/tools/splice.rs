//! Finding the part of a text that an edit means.

use std::fmt::Write as _;

use similar::TextDiff;

/// A text in which one part was exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spliced {
    pub(crate) text: String,
    /// How often.
    pub(crate) times: usize,
    /// Whether blanks at the ends of lines were taken to be alike.
    pub(crate) tolerant: bool,
}

/// The most lines of the file times lines of the search that are compared for what comes near.
const COMPARED: usize = 4_000_000;

/// Exchanges `search` for `replace` in `text`: exactly as it is written, or, where that is nowhere, in the one run of lines that is the same but for
/// blanks at the ends of its lines.
///
/// # Errors
/// Why it is not clear what is meant, in words: it is nowhere, with what comes nearest, or in more places than one and not `all` are meant.
pub(crate) fn splice(text: &str, search: &str, replace: &str, all: bool) -> Result<Spliced, String> {
    let places: Vec<usize> = text.match_indices(search).map(|(at, _)| at).collect();
    match places.len() {
        0 => tolerant(text, search, replace),
        1 => Ok(Spliced { text: text.replacen(search, replace, 1), times: 1, tolerant: false }),
        times if all => Ok(Spliced { text: text.replace(search, replace), times, tolerant: false }),
        times => {
            let lines = places.iter().take(20).map(|at| line_of(text, *at).to_string()).collect::<Vec<_>>().join(", ");
            Err(format!(
                "the text to search for is there {times} times, in the lines {lines}: add lines around it that tell which is meant, or set `all`"
            ))
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn tolerant(text: &str, search: &str, replace: &str) -> Result<Spliced, String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let wanted: Vec<&str> = search.lines().collect();
    let starts: Vec<usize> = windows(&lines, &wanted).filter(|(_, alike)| *alike == wanted.len()).map(|(start, _)| start).take(2).collect();
    match *starts {
        [start] if wanted.iter().any(|line| !line.trim().is_empty()) => Ok(exchanged(&lines, start, &wanted, replace)),
        [first, second] => Err(format!(
            "the text to search for is nowhere as it is written; but for blanks it is in the lines {} and {}: copy it exactly",
            first + 1,
            second + 1
        )),
        _ => Err(format!("the text to search for is not in the file{}", nearest(&lines, &wanted))),
    }
}

/// The start of each run of as many lines as are wanted, with how many of them are the same but for blanks at their ends.
fn windows<'a>(lines: &'a [&str], wanted: &'a [&str]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let few = !wanted.is_empty() && lines.len().saturating_mul(wanted.len()) <= COMPARED;
    let windows = lines.windows(wanted.len().max(1)).enumerate().filter(move |_| few);
    windows.map(move |(start, window)| (start, window.iter().zip(wanted).filter(|(line, wanted)| line.trim() == wanted.trim()).count()))
}

/// The lines from `start` on exchanged, the new ones indented as the old ones were.
fn exchanged(lines: &[&str], start: usize, wanted: &[&str], replace: &str) -> Spliced {
    let end = start + wanted.len();
    let indented = |line: &&str| !line.trim().is_empty();
    let there = lines[start..end].iter().find(|line| indented(line)).map_or("", |line| indentation(line));
    let written = wanted.iter().find(|line| indented(line)).map_or("", |line| indentation(line));
    let mut new = String::new();
    for line in replace.split_inclusive('\n') {
        match line.strip_prefix(written) {
            Some(rest) if !line.trim().is_empty() => new.extend([there, rest]),
            _ => new.push_str(line),
        }
    }
    if !new.is_empty() && !new.ends_with('\n') && lines[end - 1].ends_with('\n') {
        new.push('\n');
    }
    let text = [lines[..start].concat(), new, lines[end..].concat()].concat();
    Spliced { text, times: 1, tolerant: true }
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// What comes nearest to the wanted lines, to be shown; empty where nothing does.
fn nearest(lines: &[&str], wanted: &[&str]) -> String {
    let best = windows(lines, wanted).reduce(|best, next| if next.1 > best.1 { next } else { best });
    let start = match best {
        Some((start, alike)) if alike > 0 => Some(start),
        Some(_) => alike_line(lines, wanted),
        None => None,
    };
    let Some(start) = start else { return String::new() };
    let mut told = "; what comes nearest is\n".to_owned();
    for (index, line) in lines.iter().enumerate().skip(start).take(wanted.len().clamp(1, 20)) {
        // Writing to a string cannot fail.
        let _ = writeln!(told, "{:>6}\t{}", index + 1, clip(line.trim_end(), 200));
    }
    told + "copy the lines exactly as they are"
}

/// The line that is most like the first wanted one, where it is half alike.
fn alike_line(lines: &[&str], wanted: &[&str]) -> Option<usize> {
    // Comparing takes time in the product of both lengths.
    let first = clip(wanted.iter().find(|line| !line.trim().is_empty())?.trim(), 80);
    let ratio = |line: &str| TextDiff::from_chars(first.as_str(), clip(line.trim(), 80).as_str()).ratio();
    let ratios = lines.iter().take(2000).enumerate().map(|(index, line)| (index, ratio(line)));
    let best = ratios.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    (best.1 >= 0.5).then_some(best.0)
}

fn clip(line: &str, chars: usize) -> String {
    line.chars().take(chars).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_is_there_once_is_exchanged() {
        let spliced = splice("a\nb\na\n", "b\n", "c\nd\n", false).unwrap();
        assert_eq!(spliced, Spliced { text: "a\nc\nd\na\n".into(), times: 1, tolerant: false });
        assert_eq!(splice("a\nb\na\n", "a", "x", true).unwrap(), Spliced { text: "x\nb\nx\n".into(), times: 2, tolerant: false });
        let error = splice("a\nb\na\n", "a", "x", false).unwrap_err();
        assert!(error.contains("2 times, in the lines 1, 3"), "{error}");
    }

    #[test]
    fn blanks_at_the_ends_of_lines_are_forgiven_and_indentation_kept() {
        let text = "fn f() {\n    if a {\n        b();  \n    }\n}\n";
        let spliced = splice(text, "if a {\n    b();\n}", "if c {\n    d();\n}", false).unwrap();
        assert_eq!(spliced.text, "fn f() {\n    if c {\n        d();\n    }\n}\n");
        assert!(spliced.tolerant);
        assert_eq!(splice("\tx\n", "x ", "", false).unwrap().text, "");
        assert!(splice(" x\n  x\n", "x\t", "y", false).unwrap_err().contains("lines 1 and 2"));
        assert!(splice("a\n\nb\n", "  ", "y", false).is_err(), "blank lines alone tell no place");
    }

    #[test]
    fn what_comes_near_is_shown() {
        let text = "fn one() {}\nfn two(value: u32) {\n    work(value);\n}\n";
        let error = splice(text, "fn two(value: u64) {\n    work(value);\n}", "", false).unwrap_err();
        assert!(error.contains("     2\tfn two(value: u32) {\n     3\t    work(value);\n"), "{error}");
        assert!(splice(text, "fn two(valu: u32)", "", false).unwrap_err().contains("     2\tfn two"));
        assert_eq!(splice(text, "zzz", "", false).unwrap_err(), "the text to search for is not in the file");
        assert_eq!(splice("", "zzz\nyyy", "", false).unwrap_err(), "the text to search for is not in the file");
    }

    proptest! {
        #[test]
        fn nothing_but_the_part_is_changed(before in "[ab\n]{0,12}", part in "[xy \n]{0,5}x", after in "[ab\n]{0,12}", new in "[cd\n]{0,6}") {
            let spliced = splice(&format!("{before}{part}{after}"), &part, &new, false).unwrap();
            prop_assert_eq!(spliced.text, format!("{before}{new}{after}"));
        }

        #[test]
        fn no_text_is_a_panic(text in "[ \ta\né]{0,20}", search in "[ \ta\né]{1,8}", replace in "[ \tb\n]{0,8}", all: bool) {
            let _ = splice(&text, &search, &replace, all);
        }
    }
}
