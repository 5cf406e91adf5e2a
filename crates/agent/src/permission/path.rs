/// A path as rules compare it: its parts without `.`, empty ones, and what `..` takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NormalPath {
    pub(crate) parts: Vec<String>,
    /// Whether it stays in the folder that it is relative to, and can be a path at all.
    pub(crate) inside: bool,
}

impl NormalPath {
    /// Reads what is written; nothing is looked up, so a link is a part like others.
    pub(crate) fn new(path: &str) -> Self {
        let mut parts: Vec<String> = Vec::new();
        let mut inside = !path.starts_with('/') && !path.contains('\0');
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => inside &= parts.pop().is_some(),
                part => parts.push(part.to_owned()),
            }
        }
        Self { parts, inside }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_by_where_they_lead() {
        for (path, parts) in [("a/b", "a b"), ("./a//b/", "a b"), ("a/../b", "b"), ("a/./b/..", "a"), (".", ""), ("", "")] {
            let path = NormalPath::new(path);
            assert!(path.inside);
            assert_eq!(path.parts.join(" "), parts);
        }
        for path in ["..", "a/../../etc", "/etc/passwd", "//", "a\0b", "../a/x", "a/../../a/b"] {
            assert!(!NormalPath::new(path).inside, "{path:?}");
        }
    }
}
