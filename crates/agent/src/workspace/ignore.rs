use std::sync::Arc;

use crate::permission::glob::Glob;

/// The most patterns of all files on the way.
const PATTERNS: usize = 1000;
/// The most bytes of a pattern.
const PATTERN_BYTES: usize = 256;

/// What `.gitignore` files leave out (<https://git-scm.com/docs/gitignore>): those of the folders on the way, the nearest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignore {
    patterns: Arc<[Pattern]>,
}

#[derive(Clone, Debug)]
struct Pattern {
    glob: Glob,
    /// How many parts of a path lead to the folder of the file that the pattern stands in.
    base: usize,
    /// Takes back what an earlier pattern left out.
    keeps: bool,
    folders_only: bool,
}

impl Ignore {
    /// With the lines of the file in the folder `base` parts deep. Patterns that are too long or too many are added to `unheeded`.
    pub(crate) fn with(&self, text: &str, base: usize, unheeded: &mut usize) -> Self {
        let mut patterns = self.patterns.to_vec();
        for line in text.lines().map(trimmed).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if line.len() > PATTERN_BYTES || patterns.len() == PATTERNS {
                *unheeded += 1;
            } else {
                patterns.push(pattern(line, base));
            }
        }
        Self { patterns: patterns.into() }
    }

    /// Whether the path of these parts is left out; that its folders are not, is known.
    pub(crate) fn leaves_out(&self, path: &[String], is_folder: bool) -> bool {
        let applies =
            |pattern: &&Pattern| (is_folder || !pattern.folders_only) && pattern.glob.matches(&path[pattern.base.min(path.len())..]);
        self.patterns.iter().rev().find(applies).is_some_and(|pattern| !pattern.keeps)
    }
}

/// Without the blanks at the end, but for one that is escaped.
fn trimmed(line: &str) -> &str {
    if line.ends_with("\\ ") { line } else { line.trim_end() }
}

fn pattern(line: &str, base: usize) -> Pattern {
    let (keeps, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
    let (folders_only, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
    let glob = if line.contains('/') { Glob::with_sets(line) } else { Glob::with_sets(&format!("**/{line}")) };
    Pattern { glob, base, keeps, folders_only }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_are_too_long_or_too_many_are_counted() {
        let long = format!("{}b\n", "a*".repeat(PATTERN_BYTES));
        let mut unheeded = 0;
        let ignore = Ignore::default().with(&(long + "# none\n\n" + &"x\n".repeat(PATTERNS + 2)), 0, &mut unheeded);
        assert_eq!((ignore.patterns.len(), unheeded), (PATTERNS, 3));
        ignore.with("y\n", 1, &mut unheeded);
        assert_eq!(unheeded, 4, "files deeper down count too");
    }

    #[test]
    fn patterns_are_those_of_git() {
        let root = Ignore::default().with("# c\n\ntarget/\n*.log\n!keep.log\n/only\nsub/x\n*.py[co]\n\\#odd\n", 0, &mut 0);
        let left_out =
            |ignore: &Ignore, path: &str, is_folder| ignore.leaves_out(&path.split('/').map(str::to_owned).collect::<Vec<_>>(), is_folder);
        for (path, is_folder) in
            [("target", true), ("a/target", true), ("a/b.log", false), ("only", false), ("sub/x", false), ("a.pyc", false), ("#odd", false)]
        {
            assert!(left_out(&root, path, is_folder), "{path}");
        }
        for (path, is_folder) in [("target", false), ("a/keep.log", false), ("a/only", false), ("a/sub/x", false), ("a.py", false)] {
            assert!(!left_out(&root, path, is_folder), "{path}");
        }
        let nested = root.with("!b.log\n/y\n", 1, &mut 0);
        assert!(!left_out(&nested, "a/b.log", false), "the nearest file has the last word");
        assert!(left_out(&nested, "a/y", false) && !left_out(&nested, "a/c/y", false));
    }
}
