use std::fmt::Write;

use serde_json::{Map, Value};

use super::super::graph::Kind;

/// The value as far as it is known, grown in place.
#[derive(Default)]
pub(super) struct Draft {
    root: Option<Value>,
    /// The way to the innermost value that is open: the key in each object on it, and nothing for arrays, whose last item is meant.
    open: Vec<Option<String>>,
    /// The key that a value is awaited for.
    key: Option<String>,
    /// A number or literal that has begun and is not shown yet.
    scalar: bool,
}

impl Draft {
    pub(super) fn value(&self) -> Option<&Value> {
        self.root.as_ref()
    }

    pub(super) fn into_value(self) -> Option<Value> {
        self.root
    }

    /// Where the value that is being read stands (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        let mut pointer = String::new();
        let mut place = self.root.as_ref();
        for step in &self.open {
            match (place, step) {
                (Some(Value::Object(entries)), Some(key)) => {
                    write_key(&mut pointer, key);
                    place = entries.get(key);
                }
                (Some(Value::Array(items)), _) => {
                    write_index(&mut pointer, items.len() - 1);
                    place = items.last();
                }
                _ => {}
            }
        }
        match (place, &self.key) {
            (Some(Value::Object(_)), Some(key)) => write_key(&mut pointer, key),
            (Some(Value::Array(items)), _) if self.scalar => write_index(&mut pointer, items.len()),
            _ => {}
        }
        pointer
    }

    pub(super) fn begin(&mut self, kind: Kind) {
        let value = match kind {
            Kind::Object => Value::Object(Map::new()),
            Kind::Array => Value::Array(Vec::new()),
            Kind::String => Value::String(String::new()),
            _ => {
                self.scalar = true;
                return;
            }
        };
        let at_root = self.root.is_none();
        let step = self.put(value);
        // The root is where every way begins: it takes no step.
        if !at_root {
            self.open.push(step);
        }
    }

    pub(super) fn text(&mut self, run: &str) {
        if let Some(Value::String(text)) = self.innermost() {
            text.push_str(run);
        }
    }

    /// Notes the key of the value that comes next; false where the object has it already.
    pub(super) fn key(&mut self, key: &str) -> bool {
        self.key = Some(key.to_owned());
        self.container().is_none_or(|container| container.get(key).is_none())
    }

    pub(super) fn scalar(&mut self, value: Value) {
        self.scalar = false;
        self.put(value);
    }

    /// Closes the innermost string, array or object.
    pub(super) fn end(&mut self) {
        self.open.pop();
    }

    /// The innermost value that is open.
    pub(super) fn container(&self) -> Option<&Value> {
        let root = self.root.as_ref();
        self.open.iter().fold(root, |place, step| match (place?, step) {
            (Value::Object(entries), Some(key)) => entries.get(key),
            (Value::Array(items), _) => items.last(),
            _ => None,
        })
    }

    /// Puts `value` into the innermost container; the step to it.
    fn put(&mut self, value: Value) -> Option<String> {
        let key = self.key.take();
        match self.innermost() {
            None => {
                self.root = Some(value);
                None
            }
            Some(Value::Array(items)) => {
                items.push(value);
                None
            }
            Some(Value::Object(entries)) => {
                let key = key.unwrap_or_default();
                entries.insert(key.clone(), value);
                Some(key)
            }
            Some(_) => None,
        }
    }

    fn innermost(&mut self) -> Option<&mut Value> {
        let root = self.root.as_mut();
        self.open.iter().fold(root, |place, step| match (place?, step) {
            (Value::Object(entries), Some(key)) => entries.get_mut(key),
            (Value::Array(items), _) => items.last_mut(),
            _ => None,
        })
    }
}

fn write_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
}

fn write_index(pointer: &mut String, index: usize) {
    write!(pointer, "/{index}").expect("a string takes whatever is written");
}
