use serde_json::{Deserializer, Value};

/// Starts of objects that are tried and turn out to be none, before the search ends: each may read all that follows.
const FAILURES: usize = 64;

/// The field at `pointer` of the last object in `text` that has it.
pub(super) fn field(text: &str, pointer: &str) -> Option<String> {
    let (mut rest, mut failures, mut last) = (text, 0, None);
    while let Some(start) = rest.find('{').filter(|_| failures < FAILURES) {
        rest = &rest[start..];
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        if let Some(Ok(value)) = values.next() {
            last = value.pointer(pointer).map(written).or(last);
            rest = &rest[values.byte_offset()..];
        } else {
            failures += 1;
            rest = &rest[1..];
        }
    }
    last
}

fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
