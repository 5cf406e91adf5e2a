use serde_json::Value;

use super::Extent;

/// What a value has too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Excess {
    pub(super) what: &'static str,
    pub(super) limit: u64,
}

impl Excess {
    pub(super) fn depth(extent: &Extent) -> Self {
        Self { what: "levels of nesting", limit: extent.depth as u64 }
    }

    pub(super) fn values(extent: &Extent) -> Self {
        Self { what: "values", limit: extent.values as u64 }
    }

    pub(super) fn bytes(extent: &Extent) -> Self {
        Self { what: "bytes", limit: extent.bytes as u64 }
    }
}

impl Extent {
    /// Measures `value` without recursion, so that it can be done before anything that recurses.
    pub(super) fn measure(&self, value: &Value) -> Result<(), Excess> {
        let mut left = self.values;
        let mut open = vec![(value, 0)];
        while let Some((value, depth)) = open.pop() {
            left = left.checked_sub(1).ok_or_else(|| Excess::values(self))?;
            let children = match value {
                Value::Array(items) => items.len(),
                Value::Object(entries) => entries.len(),
                _ => continue,
            };
            if depth >= self.depth {
                return Err(Excess::depth(self));
            }
            if children > left {
                return Err(Excess::values(self));
            }
            match value {
                Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
                Value::Object(entries) => open.extend(entries.values().map(|entry| (entry, depth + 1))),
                _ => {}
            }
        }
        Ok(())
    }
}
