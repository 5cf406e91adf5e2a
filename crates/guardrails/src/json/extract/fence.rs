use super::region::{Origin, Region};

/// The contents of the fences of Markdown (`CommonMark` 0.31, section 4.5); one that is not closed goes to the end.
pub(super) fn fences(text: &str, limit: usize) -> Vec<Region> {
    let mut found: Vec<Region> = Vec::new();
    let mut open: Option<(Region, &str)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some((mut region, mark)) = open.take() {
            match closing(line, mark) {
                Some(end) => {
                    region.span.end = (at + end).max(region.span.start);
                    found.push(region);
                }
                None => open = Some((region, mark)),
            }
        } else if found.len() < limit {
            open = opening(line, at, text.len());
        }
        at += line.len();
    }
    found.extend(open.map(|(region, _)| region));
    found
}

/// The fence that a line opens, with its marks.
fn opening(line: &str, at: usize, end: usize) -> Option<(Region, &str)> {
    let content = line.trim_start();
    let first = content.chars().next().filter(|&mark| mark == '`' || mark == '~')?;
    let length = content.len() - content.trim_start_matches(first).len();
    if length < 3 {
        return None;
    }
    let (mark, rest) = content.split_at(length);
    let language = rest.trim_start().split(|character: char| !character.is_alphanumeric()).next().unwrap_or_default();
    let named = language.len() >= 4 && language.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("json"));
    // The document may begin on the line of the fence.
    let skipped = rest.find(['{', '[']).unwrap_or(rest.len());
    let start = at + line.len() - rest.len() + skipped;
    let region = Region { span: start..end.max(start), origin: Origin::Fence, named };
    // Code between marks on one line is no fence.
    (first == '~' || !rest[..skipped].contains('`')).then_some((region, mark))
}

/// Where in a line the content of a fence ends, if it closes it.
fn closing(line: &str, mark: &str) -> Option<usize> {
    let content = line.trim_end();
    let before = content.strip_suffix(mark)?;
    let before = before.trim_end_matches(&mark[..1]);
    let ends = before.trim_start().is_empty() || before.trim_end().ends_with(['}', ']']);
    ends.then_some(before.len())
}
