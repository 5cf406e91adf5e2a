use std::fmt::Write as _;

use similar::TextDiff;

/// What a change of a text adds and takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diff {
    /// Unified, with three lines around each change; empty where nothing changed.
    pub(crate) text: String,
    /// Lines that are new.
    pub(crate) added: usize,
    /// Lines that are gone.
    pub(crate) removed: usize,
}

/// Comparing takes time in the product of both lengths where nothing is alike: beyond so many lines each, one block is said to replace the other.
const COMPARED: usize = 5000;

/// The change from `old` to `new`, `None` where there was no file.
pub(crate) fn diff(path: &str, old: Option<&str>, new: &str) -> Diff {
    let before = if old.is_none() { "/dev/null".to_owned() } else { format!("a/{path}") };
    let (old, after) = (old.unwrap_or_default(), format!("b/{path}"));
    if differing(old, new) > COMPARED {
        return replacement(&before, &after, old, new);
    }
    let diff = TextDiff::from_lines(old, new);
    let (mut added, mut removed) = (0, 0);
    for change in diff.iter_all_changes() {
        match change.tag() {
            similar::ChangeTag::Insert => added += 1,
            similar::ChangeTag::Delete => removed += 1,
            similar::ChangeTag::Equal => {}
        }
    }
    Diff { text: diff.unified_diff().context_radius(3).header(&before, &after).to_string(), added, removed }
}

/// How many lines there are, in the longer text, between what both begin and end with.
fn differing(old: &str, new: &str) -> usize {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    old.len().max(new.len()) - end
}

fn replacement(before: &str, after: &str, old: &str, new: &str) -> Diff {
    let (removed, added) = (old.lines().count(), new.lines().count());
    let mut text =
        format!("--- {before}\n+++ {after}\n@@ -{},{removed} +{},{added} @@\n", usize::from(removed > 0), usize::from(added > 0));
    let lines = old.lines().map(|line| ('-', line)).chain(new.lines().map(|line| ('+', line)));
    for (sign, line) in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{sign}{line}");
    }
    Diff { text, added, removed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_the_unified_format() {
        let changed = diff("a.txt", Some("one\ntwo\nthree\n"), "one\n2\nthree\nfour\n");
        assert_eq!(changed.text, "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four\n");
        assert_eq!((changed.added, changed.removed), (2, 1));
        assert!(diff("a", None, "x").text.starts_with("--- /dev/null\n+++ b/a\n"));
        assert_eq!(diff("a", Some("x\n"), "x\n"), Diff { text: String::new(), added: 0, removed: 0 });
    }

    #[test]
    fn long_texts_without_anything_in_common_are_not_compared() {
        let lines = |name: &str| (0..20_000).map(|line| format!("{name} {line}")).collect::<Vec<_>>().join("\n") + "\n";
        let changed = diff("a", Some(&lines("x")), &lines("y"));
        assert_eq!((changed.added, changed.removed), (20_000, 20_000));
        let long = lines("x");
        let changed = diff("a", Some(&long), &long.replacen("x 10000\n", "", 1));
        assert_eq!((changed.added, changed.removed), (0, 1), "a change within a long text is compared");
    }
}
