use std::borrow::Cow;

/// The text, or its beginning and end around a remark of how much is missing, where it has more than `limit` characters.
pub(super) fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    // A text of no more bytes has no more characters either.
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let total = text.chars().count();
    if total <= limit {
        return Cow::Borrowed(text);
    }
    let tail = limit / 4;
    let head = limit - tail;
    let place = |count: usize| text.char_indices().nth(count).map_or(text.len(), |(place, _)| place);
    let (start, end) = (place(head), place(total - tail));
    Cow::Owned(format!("{}\n[{} of {total} characters are left out]\n{}", &text[..start], total - limit, &text[end..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_long_keeps_both_ends() {
        assert_eq!(shortened("ää", 2), "ää");
        let text = format!("start {} end", "ä".repeat(1_000_000));
        let cut = shortened(&text, 100);
        assert!(cut.starts_with("start ä") && cut.ends_with("ä end") && cut.contains("[999910 of 1000010 characters are left out]"));
        assert!(shortened("abc", 0).contains("3 of 3"));
    }

    proptest! {
        #[test]
        fn any_text_can_be_cut(text: String, limit in 0..40_usize) {
            let shown = shortened(&text, limit);
            prop_assert!(shown == text || shown.contains("characters are left out"));
        }
    }
}
