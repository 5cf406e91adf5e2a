use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// A text without its case, its accents and the space around it.
pub(super) fn fold(text: &str) -> String {
    text.trim().nfkd().filter(|&character| !is_combining_mark(character)).flat_map(char::to_lowercase).collect()
}

/// A name without what styles of naming differ in.
pub(super) fn fold_name(name: &str) -> String {
    fold(name).chars().filter(|character| !matches!(character, '_' | '-' | ' ')).collect()
}

/// The only item whose folded text is `wanted`.
pub(super) fn unique<'a>(items: impl Iterator<Item = &'a str>, wanted: &str, fold: fn(&str) -> String) -> Option<&'a str> {
    let mut same = items.filter(|item| fold(item) == wanted);
    same.next().filter(|_| same.next().is_none())
}
