use super::region::{Origin, Region};

/// What stands between tags and begins as a document does, and all that stands in `<json>`; a tag that is not closed goes to the end.
pub(super) fn tags(text: &str, limit: usize) -> Vec<Region> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find('<').map(|at| from + at) {
        from = at + 1;
        let Some(name) = name(&text[from..]) else { continue };
        let start = from + name.len() + 1;
        let named = name.eq_ignore_ascii_case("json");
        if !named && !text[start..].trim_start().starts_with(['{', '[']) {
            continue;
        }
        let end = text[start..].find(&format!("</{name}>")).map_or(text.len(), |end| start + end);
        found.push(Region { span: start..end, origin: Origin::Tag, named: true });
        if found.len() == limit {
            break;
        }
        from = end;
    }
    found
}

/// The name of the opening tag whose `<` stands before `text`.
fn name(text: &str) -> Option<&str> {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let length = text.bytes().take(40).take_while(inside).count();
    (length > 0 && text.as_bytes().get(length) == Some(&b'>')).then(|| &text[..length])
}
