use serde_json::{Map, Value};

use super::{
    ChangeKind, Coercer,
    fold::{fold_name, unique},
    kinds::Kinds,
    schemas,
};

impl Coercer<'_> {
    /// Fits the members of an object.
    pub(super) fn object(&mut self, members: &mut Map<String, Value>, keywords: &Map<String, Value>, depth: usize) {
        let missing: Vec<&str> = schemas::required(keywords).filter(|name| !members.contains_key(*name)).collect();
        for name in missing {
            self.find_name(members, keywords, name);
        }
        let names: Vec<String> = members.keys().cloned().collect();
        for name in names {
            match schemas::property(keywords, &name) {
                Some(schema) => self.member(members, keywords, &name, schema, depth),
                None if schemas::closed(keywords) => {
                    members.remove(&name);
                    self.tell_of(&name, ChangeKind::Dropped);
                }
                None => {}
            }
        }
        let missing: Vec<&str> = schemas::required(keywords).filter(|name| !members.contains_key(*name)).collect();
        for name in missing {
            if let Some(default) = schemas::named(keywords, name).and_then(|schema| self.default(schema)) {
                members.insert(name.to_owned(), default);
                self.tell_of(name, ChangeKind::Default);
            }
        }
    }

    fn member(&mut self, members: &mut Map<String, Value>, keywords: &Map<String, Value>, name: &str, schema: &Value, depth: usize) {
        let needed = schemas::required(keywords).any(|required| required == name);
        let Some(slot) = members.get_mut(name) else { return };
        let length = self.enter(name);
        let value = std::mem::take(slot);
        *slot = self.fit(value, schema, depth + 1);
        if slot.is_null() && !needed && self.misfits(&Value::Null, schema, depth + 1) > 0 {
            members.remove(name);
            self.tell(ChangeKind::DroppedNull);
        }
        self.pointer.truncate(length);
    }

    /// Gives the only property that can be meant by a missing one its name.
    fn find_name(&mut self, members: &mut Map<String, Value>, keywords: &Map<String, Value>, name: &str) {
        let unknown = members.keys().map(String::as_str).filter(|key| schemas::named(keywords, key).is_none());
        let Some(other) = unique(unknown, &fold_name(name), fold_name).map(str::to_owned) else { return };
        if let Some(value) = members.remove(&other) {
            members.insert(name.to_owned(), value);
            self.tell_of(name, ChangeKind::Renamed);
        }
    }

    /// The default of a schema, or of the one that it refers to.
    fn default(&self, schema: &Value) -> Option<Value> {
        let keywords = schema.as_object()?;
        let own = keywords.get("default");
        own.or_else(|| schemas::target(self.root, keywords)?.get("default")).cloned()
    }

    /// Fits a value of a kind that may not be: into an array, or out of one.
    pub(super) fn regroup(&mut self, value: Value, schema: &Value, depth: usize) -> Value {
        let kinds = Kinds::of(schema);
        match value {
            Value::Array(mut items) if items.len() == 1 => {
                let inner = items.remove(0);
                self.tell(ChangeKind::Unwrapped);
                self.fit(inner, schema, depth + 1)
            }
            value if kinds.has("array") && !value.is_array() && !value.is_null() => {
                self.tell(ChangeKind::Wrapped);
                self.fit(vec![value].into(), schema, depth + 1)
            }
            value => value,
        }
    }
}
