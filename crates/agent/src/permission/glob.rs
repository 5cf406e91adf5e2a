/// A pattern over the parts of a path: `*` and `?` stay within a part, `**` as a part of its own stands for any number of them, none included.
///
/// Matching takes time in the product of both lengths, whatever the pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    parts: Vec<String>,
    /// Whether `[a-z]` and `[!a-z]` are sets of characters, as in `.gitignore` files.
    sets: bool,
}

impl Glob {
    /// A glob of a rule: `[` is a character like others.
    pub(crate) fn new(pattern: &str) -> Self {
        Self { parts: parts(pattern), sets: false }
    }

    /// A glob of a `.gitignore` file.
    pub(crate) fn with_sets(pattern: &str) -> Self {
        Self { parts: parts(pattern), sets: true }
    }

    /// Whether it matches a path of these parts.
    pub(crate) fn matches<S: AsRef<str>>(&self, path: &[S]) -> bool {
        // `reached[i]`: the parts of the pattern so far match the first `i` parts of the path.
        let mut reached = vec![false; path.len() + 1];
        reached[0] = true;
        for part in &self.parts {
            if part == "**" {
                let first = reached.iter().position(|reached| *reached).unwrap_or(reached.len());
                reached[first..].fill(true);
                continue;
            }
            for at in (0..path.len()).rev() {
                reached[at + 1] = reached[at] && matches_word(part, path[at].as_ref(), self.sets);
            }
            reached[0] = false;
        }
        reached[path.len()]
    }
}

fn parts(pattern: &str) -> Vec<String> {
    pattern.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
}

/// Whether `pattern`, where `*` stands for any characters and `?` for one, matches all of `text`.
pub(crate) fn matches_word(pattern: &str, text: &str, sets: bool) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star stands, and up to where it has taken characters: it takes one more each time what follows does not match.
    let mut star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if let Some(taken) = pattern.get(p..).and_then(|rest| matches_one(rest, text[t], sets)) {
            p += taken;
            t += 1;
        } else if let Some((at, until)) = star {
            (p, t) = (at + 1, until + 1);
            star = Some((at, until + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How many characters of the pattern stand for `c`.
fn matches_one(pattern: &[char], c: char, sets: bool) -> Option<usize> {
    match *pattern.first()? {
        '?' => Some(1),
        '[' if sets => {
            let (taken, holds) = set(pattern, c)?;
            holds.then_some(taken)
        }
        '\\' if sets => (*pattern.get(1)? == c).then_some(2),
        literal => (literal == c).then_some(1),
    }
}

/// The length of the set that `pattern` begins with, and whether `c` is in it; `None` where it is not closed.
fn set(pattern: &[char], c: char) -> Option<(usize, bool)> {
    let inverted = matches!(pattern.get(1), Some('!' | '^'));
    let start = 1 + usize::from(inverted);
    // A bracket that comes first is in the set.
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let inside = &pattern[start..end];
    let mut found = false;
    let mut at = 0;
    while at < inside.len() {
        if at + 2 < inside.len() && inside[at + 1] == '-' {
            found |= (inside[at]..=inside[at + 2]).contains(&c);
            at += 3;
        } else {
            found |= inside[at] == c;
            at += 1;
        }
    }
    Some((end + 1, found != inverted))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Glob::new(pattern).matches(&parts(path))
    }

    #[test]
    fn stars_stay_within_a_part_and_double_stars_do_not() {
        for (pattern, path) in [
            ("src/*.rs", "src/lib.rs"),
            ("src/**", "src"),
            ("src/**", "src/a/b.rs"),
            ("**/*.rs", "lib.rs"),
            ("**/*.rs", "a/b/lib.rs"),
            ("a/**/b", "a/b"),
            ("a/**/b", "a/x/y/b"),
            ("**", "anything/at/all"),
            ("./a?c/", "abc"),
            ("*é*", "naïveté"),
            ("[a]", "[a]"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in
            [("src/*.rs", "src/a/lib.rs"), ("src", "src/lib.rs"), ("*", "a/b"), ("a?c", "ac"), ("a/**/b", "a/x/c"), ("", "a")]
        {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn sets_are_those_of_gitignore_files() {
        for (pattern, text, holds) in [
            ("*.py[cod]", "a.pyc", true),
            ("*.py[cod]", "a.py", false),
            ("[!a-c]", "d", true),
            ("[!a-c]", "b", false),
            ("[]]", "]", true),
            ("[a", "[a", false),
        ] {
            assert_eq!(matches_word(pattern, text, true), holds, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_the_product_of_lengths() {
        let (pattern, path) = ("a*".repeat(2000) + "b", "a".repeat(4000));
        assert!(!matches(&pattern, &path));
        let (pattern, path) = ("**/a/".repeat(500) + "b", "a/".repeat(500));
        assert!(!matches(&pattern, &path));
    }

    /// By trying every way to take characters.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.first() {
            None => text.is_empty(),
            Some('*') => naive(&pattern[1..], text) || !text.is_empty() && naive(pattern, &text[1..]),
            Some('?') => !text.is_empty() && naive(&pattern[1..], &text[1..]),
            Some(c) => text.first() == Some(c) && naive(&pattern[1..], &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn words_match_as_in_the_model(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches_word(&pattern, &text, false), naive(&chars(&pattern), &chars(&text)));
        }
    }
}
