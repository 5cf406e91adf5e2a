use std::{
    borrow::Cow,
    fmt,
    ops::{Bound, RangeBounds, RangeInclusive},
    rc::Rc,
};

use serde_json::{Map, Value};

use super::{Fields, suggest};
use crate::{ApiError, Result};

/// Where a value stands in the request: `messages[1].content[0].type`. Written out for errors only.
#[derive(Clone)]
pub(crate) struct Path {
    /// `None` for the body itself.
    step: Option<(Rc<Path>, Step)>,
}

#[derive(Clone)]
enum Step {
    Field(Cow<'static, str>),
    Item(usize),
}

impl Path {
    pub(super) fn field(parent: &Rc<Self>, name: impl Into<Cow<'static, str>>) -> Self {
        Self { step: Some((Rc::clone(parent), Step::Field(name.into()))) }
    }

    fn item(parent: &Rc<Self>, index: usize) -> Self {
        Self { step: Some((Rc::clone(parent), Step::Item(index))) }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            None => Ok(()),
            Some((parent, Step::Field(name))) if parent.step.is_none() => f.write_str(name),
            Some((parent, Step::Field(name))) => write!(f, "{parent}.{name}"),
            Some((parent, Step::Item(index))) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A value and where it stands.
pub(crate) struct Node {
    value: Value,
    path: Path,
}

impl Node {
    pub(super) fn root(value: Value) -> Self {
        Self::new(value, Path { step: None })
    }

    pub(super) fn new(value: Value, path: Path) -> Self {
        Self { value, path }
    }

    pub(crate) fn is_string(&self) -> bool {
        self.value.is_string()
    }

    pub(crate) fn is_object(&self) -> bool {
        self.value.is_object()
    }

    pub(crate) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub(crate) fn is_empty_list(&self) -> bool {
        self.value.as_array().is_some_and(Vec::is_empty)
    }

    /// Whether this is a list whose first item is what `first` looks for.
    pub(crate) fn begins_with(&self, first: fn(&Value) -> bool) -> bool {
        self.value.as_array().and_then(|list| list.first()).is_some_and(first)
    }

    /// The field `name` of an object, where it is text: to tell variants apart before they are read.
    pub(crate) fn tag(&self, name: &str) -> Option<&str> {
        self.value.get(name)?.as_str()
    }

    pub(crate) fn is(&self, value: impl Into<Value>) -> bool {
        self.value == value.into()
    }

    pub(crate) fn string(self) -> Result<String> {
        match self.value {
            Value::String(text) => Ok(text),
            _ => Err(self.mistyped("a string")),
        }
    }

    pub(crate) fn non_empty_string(self) -> Result<String> {
        match self.value {
            Value::String(text) if !text.is_empty() => Ok(text),
            Value::String(_) => Err(self.invalid("must not be empty")),
            _ => Err(self.mistyped("a string")),
        }
    }

    /// The name of a tool or schema: what every provider takes.
    pub(crate) fn name(self) -> Result<String> {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        match self.value {
            Value::String(name) if (1..=64).contains(&name.len()) && name.bytes().all(allowed) => Ok(name),
            Value::String(_) => Err(self.invalid("must be 1 to 64 characters of A-Z, a-z, 0-9, _ and -")),
            _ => Err(self.mistyped("a string")),
        }
    }

    pub(crate) fn boolean(self) -> Result<bool> {
        self.value.as_bool().ok_or_else(|| self.mistyped("a boolean"))
    }

    pub(crate) fn integer(self, range: RangeInclusive<i64>) -> Result<i64> {
        if !self.value.is_number() {
            return Err(self.mistyped("a whole number"));
        }
        let outside = || self.invalid(&format!("must be a whole number from {} to {}", range.start(), range.end()));
        self.value.as_i64().filter(|number| range.contains(number)).ok_or_else(outside)
    }

    pub(crate) fn unsigned(self, range: RangeInclusive<u32>) -> Result<u32> {
        let number = self.integer(i64::from(*range.start())..=i64::from(*range.end()))?;
        Ok(u32::try_from(number).expect("the range is one of u32"))
    }

    pub(crate) fn token_id(self) -> Result<u32> {
        self.unsigned(0..=u32::MAX)
    }

    pub(crate) fn number(self, range: impl RangeBounds<f32>) -> Result<f32> {
        let Some(number) = self.value.as_f64() else { return Err(self.mistyped("a number")) };
        let number = number as f32;
        if number.is_finite() && range.contains(&number) { Ok(number) } else { Err(self.invalid(&bounds(&range))) }
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(self, words: &[(&'static str, T)]) -> Result<T> {
        let Value::String(given) = &self.value else { return Err(self.mistyped("a string")) };
        if let Some((_, meant)) = words.iter().find(|(word, _)| word == given) {
            return Ok(*meant);
        }
        let known: Vec<_> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
        let guess = suggest::nearest(given, words.iter().map(|(word, _)| *word)).map(|word| format!(", did you mean '{word}'?"));
        Err(self.unsupported(&format!("must be one of {}{}", known.join(", "), guess.unwrap_or_default())))
    }

    pub(crate) fn list<T>(self, mut read: impl FnMut(Node) -> Result<T>) -> Result<Vec<T>> {
        let Value::Array(items) = self.value else { return Err(self.mistyped("a list")) };
        let path = Rc::new(self.path);
        items.into_iter().enumerate().map(|(index, item)| read(Node::new(item, Path::item(&path, index)))).collect()
    }

    pub(crate) fn non_empty_list<T>(self, read: impl FnMut(Node) -> Result<T>) -> Result<Vec<T>> {
        if self.is_empty_list() { Err(self.invalid("must not be empty")) } else { self.list(read) }
    }

    /// A list of at most so many items.
    pub(crate) fn bounded_list<T>(self, most: usize, read: impl FnMut(Node) -> Result<T>) -> Result<Vec<T>> {
        match &self.value {
            Value::Array(items) if items.len() > most => Err(self.invalid(&format!("must not have more than {most} items"))),
            _ => self.list(read),
        }
    }

    /// An object of known fields.
    pub(crate) fn object<T>(self, read: impl FnOnce(&mut Fields) -> Result<T>) -> Result<T> {
        let Value::Object(given) = self.value else { return Err(self.mistyped("an object")) };
        let mut fields = Fields::new(given, Rc::new(self.path));
        let value = read(&mut fields)?;
        fields.finish()?;
        Ok(value)
    }

    /// An object of any fields.
    pub(crate) fn entries<T>(self, mut read: impl FnMut(&str, Node) -> Result<T>) -> Result<Vec<T>> {
        let Value::Object(given) = self.value else { return Err(self.mistyped("an object")) };
        let path = Rc::new(self.path);
        given.into_iter().map(|(key, value)| read(&key, Node::new(value, Path::field(&path, key.clone())))).collect()
    }

    /// An object that is passed on as it is.
    pub(crate) fn any_object(self) -> Result<Map<String, Value>> {
        match self.value {
            Value::Object(object) => Ok(object),
            _ => Err(self.mistyped("an object")),
        }
    }

    pub(crate) fn mistyped(&self, expected: &str) -> ApiError {
        let message = match self.value {
            Value::Null => format!("must be {expected}, not null"),
            Value::Bool(_) => format!("must be {expected}, not a boolean"),
            Value::Number(_) => format!("must be {expected}, not a number"),
            Value::String(_) => format!("must be {expected}, not a string"),
            Value::Array(_) => format!("must be {expected}, not a list"),
            Value::Object(_) => format!("must be {expected}, not an object"),
        };
        self.error(&message, "invalid_type")
    }

    pub(crate) fn invalid(&self, message: &str) -> ApiError {
        self.error(message, "invalid_value")
    }

    pub(crate) fn unsupported(&self, message: &str) -> ApiError {
        self.error(message, "unsupported_value")
    }

    fn error(&self, message: &str, code: &str) -> ApiError {
        let path = self.path.to_string();
        if path.is_empty() {
            return ApiError::invalid_request(format!("the body {message}")).with_code(code);
        }
        ApiError::invalid_request(format!("the parameter '{path}' {message}")).with_param(path).with_code(code)
    }
}

fn bounds(range: &impl RangeBounds<f32>) -> String {
    let low = match range.start_bound() {
        Bound::Included(low) => format!("from {low}"),
        Bound::Excluded(low) => format!("above {low}"),
        Bound::Unbounded => "of any size".into(),
    };
    match range.end_bound() {
        Bound::Included(high) => format!("must be a number {low} to {high}"),
        Bound::Excluded(high) => format!("must be a number {low} and below {high}"),
        Bound::Unbounded => format!("must be a finite number {low}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(value: Value) -> Node {
        Node::new(value, Path::field(&Rc::new(Path { step: None }), "x"))
    }

    #[test]
    fn paths_lead_to_the_value() {
        let error = Node::root(json!({"a": [{"b": 1}, {"b": [true]}]}))
            .object(|fields| {
                fields.required("a", |node| {
                    node.list(|item| {
                        item.object(|fields| fields.required("b", |b| if b.is_object() { Ok(()) } else { b.integer(0..=9).map(|_| ()) }))
                    })
                })
            })
            .unwrap_err();
        assert_eq!(error.body.param.as_deref(), Some("a[1].b"));
        assert_eq!(error.body.message, "the parameter 'a[1].b' must be a whole number, not a list");
    }

    #[test]
    fn numbers_keep_to_their_range_and_type() {
        assert_eq!(node(json!(5)).unsigned(0..=5).unwrap(), 5);
        for wrong in [json!(6), json!(-1), json!(1.5), json!(u64::MAX), json!(1e300), json!("1"), json!(true)] {
            assert!(node(wrong.clone()).unsigned(0..=5).is_err(), "{wrong}");
        }
        assert!((node(json!(1)).number(0.0..=1.0).unwrap() - 1.0).abs() < f32::EPSILON);
        for wrong in [json!(1.01), json!(-0.1), json!(1e300), json!("0")] {
            assert!(node(wrong.clone()).number(0.0..=1.0).is_err(), "{wrong}");
        }
        let message = node(json!(0)).number((Bound::Excluded(0.0), Bound::Included(1.0))).unwrap_err().body.message;
        assert_eq!(message, "the parameter 'x' must be a number above 0 to 1");
        // Positive on the wire, zero as a float of 32 bits.
        assert!(node(json!(1e-60)).number((Bound::Excluded(0.0), Bound::Included(1.0))).is_err());
    }

    #[test]
    fn words_are_suggested() {
        let message = node(json!("atuo")).word(&[("auto", 1), ("none", 2)]).unwrap_err().body.message;
        assert_eq!(message, "the parameter 'x' must be one of 'auto', 'none'");
        let message = node(json!("requird")).word(&[("auto", 1), ("required", 2)]).unwrap_err().body.message;
        assert_eq!(message, "the parameter 'x' must be one of 'auto', 'required', did you mean 'required'?");
    }

    #[test]
    fn unknown_fields_are_named() {
        let read =
            |value: Value| Node::root(value).object(|fields| fields.optional("temperature", |node| node.number(..))).unwrap_err().body;
        let body = read(json!({"temprature": 1}));
        assert_eq!(body.message, "the parameter 'temprature' is unknown, did you mean 'temperature'?");
        assert_eq!((body.param.as_deref(), body.code.as_deref()), (Some("temprature"), Some("unknown_parameter")));
        assert_eq!(read(json!({"audio": null})).message, "the parameter 'audio' is unknown");
        assert!(read(json!({"é".repeat(5000): 1})).message.len() < 300);
    }
}
