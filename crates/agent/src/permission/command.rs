use serde_json::Value;

use super::glob::matches_word;

/// What of a command a rule can be held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// The program and its arguments, where that is all there is: a list is, a text is where no shell would read more into it.
    plain: Option<Vec<String>>,
    /// Every run of words that could be a command somewhere in it.
    pieces: Vec<Vec<String>>,
}

impl CommandLine {
    /// Reads a list of words, which no shell sees, or a text, which one may. `None` where it is neither.
    pub(crate) fn read(argument: &Value) -> Option<Self> {
        match argument {
            Value::String(text) => Some(Self { plain: split(text), pieces: pieces(text) }),
            Value::Array(words) => {
                let words: Vec<String> = words.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<_>>()?;
                // A word can be a command too: that of `sh -c`.
                let within = words.iter().flat_map(|word| pieces(word));
                let pieces = [words.clone()].into_iter().chain(within).collect();
                Some(Self { plain: Some(words), pieces })
            }
            _ => None,
        }
    }

    /// Whether all of it is what `pattern` describes.
    pub(crate) fn is(&self, pattern: &str) -> bool {
        self.plain.as_ref().is_some_and(|words| matches(&pattern_words(pattern), words))
    }

    /// Whether `pattern` describes some part of it, from any word on; the program may be named by its path. Of more words than anyone looks
    /// through, it does.
    pub(crate) fn has(&self, pattern: &str) -> bool {
        let pattern = pattern_words(pattern);
        let pieces = || self.pieces.iter().chain(&self.plain);
        pieces().map(Vec::len).sum::<usize>() > LOOKED_THROUGH || pieces().any(|words| has(&pattern, words))
    }
}

/// The most words that are compared from each of them on.
const LOOKED_THROUGH: usize = 1000;

fn has(pattern: &[&str], words: &[String]) -> bool {
    (0..words.len().max(1)).any(|start| {
        let words = words.get(start..).unwrap_or_default();
        let base = words.first().and_then(|program| program.rsplit('/').next()).unwrap_or_default();
        matches(pattern, words) || matches_from(pattern, words.len(), |at| if at == 0 { base } else { &words[at] })
    })
}

fn pattern_words(pattern: &str) -> Vec<&str> {
    pattern.split_whitespace().collect()
}

/// Whether the words are those of the pattern: each matches the word in its place, where `*` and `?` are wildcards; `**` stands for any number of
/// words, and so does a last `*`.
fn matches(pattern: &[&str], words: &[String]) -> bool {
    matches_from(pattern, words.len(), |at| &words[at])
}

fn matches_from<'a>(pattern: &[&str], count: usize, word: impl Fn(usize) -> &'a str) -> bool {
    let mut reached = vec![false; count + 1];
    reached[0] = true;
    for (index, part) in pattern.iter().enumerate() {
        if *part == "**" || (*part == "*" && index + 1 == pattern.len()) {
            let first = reached.iter().position(|reached| *reached).unwrap_or(reached.len());
            reached[first..].fill(true);
            continue;
        }
        for at in (0..count).rev() {
            reached[at + 1] = reached[at] && matches_word(part, word(at), false);
        }
        reached[0] = false;
    }
    reached[count]
}

/// What a shell acts on where it is not quoted.
const ACTING: &[char] = &[';', '|', '&', '<', '>', '(', ')', '{', '}', '$', '`', '\n', '\r', '*', '?', '[', ']', '~', '#', '!', '\0'];

/// The words of a text as a shell would split it (POSIX.1-2024, Shell Command Language, 2.2), or `None` where it would do more than split it, or
/// something is left open.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(chars.next().filter(|c| *c != '\n')?),
            c if ACTING.contains(&c) => return None,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    // An assignment before the program is none of its arguments.
    let assigns = words.first().is_none_or(|word| word.contains('='));
    (!assigns).then_some(words)
}

fn double_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            '"' => return Some(()),
            '$' | '`' => return None,
            '\\' => match chars.next()? {
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

/// Runs of words between what a shell acts on, with quotes and backslashes left out.
fn pieces(text: &str) -> Vec<Vec<String>> {
    let separates = |c: char| matches!(c, ';' | '|' | '&' | '<' | '>' | '(' | ')' | '{' | '}' | '$' | '`' | '\n' | '\r');
    let plain: String = text.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect();
    let words = |piece: &str| piece.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    plain.split(separates).map(words).filter(|words| !words.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_as_a_shell_does() {
        for (text, words) in [
            ("cargo  test\t-p a", vec!["cargo", "test", "-p", "a"]),
            ("a 'b c' \"d e\"", vec!["a", "b c", "d e"]),
            (r#"a\ b "c\"d" '' x"y"z"#, vec!["a b", "c\"d", "", "xyz"]),
            ("echo 'a;b' \"c|d\"", vec!["echo", "a;b", "c|d"]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        for text in ["a;b", "a\nb", "a $b", "a \"$(b)\"", "a `b`", "a > b", "a 'b", "a \"b", "a \\", "a*", "~/x", "X=1 a", "", "a &"] {
            assert_eq!(split(text), None, "{text}");
        }
    }

    #[test]
    fn patterns_are_held_against_words() {
        let list = |words: &[&str]| CommandLine::read(&serde_json::json!(words)).unwrap();
        assert!(list(&["cargo", "test"]).is("cargo test *"));
        assert!(list(&["cargo", "test", "a;b", "c d"]).is("cargo test *"), "no shell sees a list");
        assert!(!list(&["cargo test", "x"]).is("cargo test *"), "the program is another");
        assert!(!list(&["/tmp/cargo", "test"]).is("cargo test *"), "so it is here");
        assert!(list(&["git", "-C", "x", "log"]).is("git ** log"));
        assert!(!list(&["git", "log", "x"]).is("git * x y"));
        assert!(list(&["sh", "-c", "cd /; sudo /bin/rm -rf x"]).has("rm *"));
        assert!(!list(&["cargo", "test"]).has("rm *"));
        assert!(CommandLine::read(&"a ".repeat(2000).into()).unwrap().has("rm *"), "nobody looks through so much");
    }
}
