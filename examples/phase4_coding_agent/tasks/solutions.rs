use std::collections::BTreeMap;

/// The solutions written here, by the name of their task: what stands between two comments that name one.
pub(super) fn all() -> BTreeMap<&'static str, &'static str> {
    [include_str!("../solutions/human_eval.rs"), include_str!("../solutions/mbpp.rs")].into_iter().flat_map(parts).collect()
}

fn parts(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    // No solution has a comment of its own at the start of a line.
    let file = file.strip_prefix("// ").unwrap_or(file);
    file.split("\n// ").filter_map(|part| part.split_once('\n'))
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_are_thirty_and_each_is_whole() {
        let all = super::all();
        assert_eq!(all.len(), 30);
        for (name, text) in all {
            let entry = name.splitn(3, '_').nth(2).expect("a name has a set, a number and a function");
            assert!(text.contains(&format!("fn {entry}(")), "{name}: {text}");
            assert_eq!(text.matches('{').count(), text.matches('}').count(), "{name}");
        }
    }
}
