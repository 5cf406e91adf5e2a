/// What the last `\boxed{..}` (or `\fbox{..}`) of `text` holds, where its braces are closed; also `\boxed 5`. Takes time linear in the
/// length.
///
/// ```
/// use jarre_eval::text::boxed;
///
/// assert_eq!(boxed(r"so $\boxed{1}$, or rather \boxed{\frac{1}{2}}."), Some(r"\frac{1}{2}"));
/// assert_eq!(boxed(r"\boxed{1"), None);
/// ```
pub fn boxed(text: &str) -> Option<&str> {
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut last: Option<(usize, &str)> = None;
    let mut position = 0;
    while let Some(found) = text[position..].find(['\\', '{', '}']) {
        let at = position + found;
        position = at + 1;
        let mut done = None;
        match text.as_bytes()[at] {
            b'{' => open.push(None),
            b'}' => done = open.pop().flatten().map(|start| (start, &text[start..at])),
            _ => match content(text, at) {
                Some(Content::Braces(start)) => {
                    open.push(Some(start));
                    position = start;
                }
                Some(Content::Bare(start, end)) => done = Some((start, &text[start..end])),
                // What is escaped is no brace.
                None => position += usize::from(text[position..].starts_with(['{', '}', '\\'])),
            },
        }
        last = last.into_iter().chain(done).max_by_key(|(start, _)| *start);
    }
    last.map(|(_, content)| content)
}

enum Content {
    /// Begins here and ends at a brace.
    Braces(usize),
    /// Begins and ends here.
    Bare(usize, usize),
}

/// Where the content of the box begins whose command stands at `at`.
fn content(text: &str, at: usize) -> Option<Content> {
    let rest = &text[at..];
    let rest = rest.strip_prefix("\\boxed").or_else(|| rest.strip_prefix("\\fbox"))?;
    let inner = rest.trim_start();
    let start = text.len() - inner.len();
    if inner.starts_with('{') {
        return Some(Content::Braces(start + 1));
    }
    let length = inner.find(|c: char| c.is_whitespace() || c == '$').unwrap_or(inner.len());
    (inner.len() < rest.len() && length > 0).then_some(Content::Bare(start, start + length))
}

/// How long the group is that begins `text` with a brace; `None` where it is not closed.
pub(super) fn group_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + c.len_utf8());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_closed_box_counts() {
        assert_eq!(boxed(r"\boxed{\{1, 2\}}"), Some(r"\{1, 2\}"));
        assert_eq!(boxed(r"\boxed{a\}"), None);
        assert_eq!(boxed(r"\boxed{7} and then \boxed{8"), Some("7"));
        assert_eq!(boxed(r"$\boxed 12$."), Some("12"));
        assert_eq!(boxed(r"} \boxed{é}"), Some("é"));
        assert_eq!(boxed(r"\boxed{x_{1} + \boxed{2}}"), Some("2"));
        assert_eq!(boxed("\\"), None);
    }
}
