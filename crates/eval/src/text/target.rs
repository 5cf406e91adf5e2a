/// What an item's target accepts: the strings of a JSON array, else the target itself.
pub(super) fn references(target: &str) -> Vec<String> {
    let array = target.trim_start().starts_with('[').then(|| serde_json::from_str::<Vec<String>>(target).ok()).flatten();
    array.filter(|references| !references.is_empty()).unwrap_or_else(|| vec![target.to_owned()])
}
