//! The filter `tojson` as transformers has it: Python's `json.dumps`, without the escapes of HTML that Jinja adds.

use std::fmt::Write;

use minijinja::value::{DynObject, Kwargs, ObjectRepr, Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Error, ErrorKind, State};

/// Spaces of a level; more serve nobody.
const MAX_INDENT: i64 = 64;
const MAX_DEPTH: usize = 200;

/// `value|tojson(ensure_ascii=false, indent=none, separators=none, sort_keys=false)`.
pub(super) fn tojson(state: &State<'_, '_>, value: &Value, arguments: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let mut writer = Writer { state, layout: Layout::read(arguments.into_values())?, text: String::new(), paid: 0 };
    writer.value(value, 0)?;
    Ok(writer.text)
}

struct Layout {
    ascii: bool,
    /// What a level is indented by.
    indent: Option<String>,
    between: String,
    behind_key: String,
    sorted: bool,
}

impl Layout {
    fn read(mut arguments: Vec<Value>) -> Result<Self, Error> {
        let named = match arguments.pop_if(|last| last.is_kwargs()) {
            Some(named) => Kwargs::try_from(named)?,
            None => Kwargs::from_iter([] as [(String, Value); 0]),
        };
        let mut positional = arguments.into_iter();
        let mut next = |name: &str| -> Result<Value, Error> {
            let value = positional.next().map_or_else(|| named.get::<Option<Value>>(name).map(Option::unwrap_or_default), Ok)?;
            Ok(if value.is_none() { Value::UNDEFINED } else { value })
        };
        let (ascii, indent) = (next("ensure_ascii")?.is_true(), next("indent")?);
        let (separators, sorted) = (next("separators")?, next("sort_keys")?.is_true());
        named.assert_all_used()?;
        let indent = indentation(&indent)?;
        let part = |at| separators.get_item_by_index(at)?.to_str().map(|part| part.to_string()).ok_or_else(|| wrong("separators"));
        let (between, behind_key) = match (separators.is_undefined(), &indent) {
            (false, _) => (part(0)?, part(1)?),
            (true, Some(_)) => (",".to_owned(), ": ".to_owned()),
            (true, None) => (", ".to_owned(), ": ".to_owned()),
        };
        Ok(Self { ascii, indent, between, behind_key, sorted })
    }
}

fn indentation(indent: &Value) -> Result<Option<String>, Error> {
    match (indent.as_str(), indent.as_i64()) {
        _ if indent.is_undefined() => Ok(None),
        (Some(text), _) if text.len() as i64 <= MAX_INDENT => Ok(Some(text.to_owned())),
        (None, Some(spaces)) if spaces <= MAX_INDENT => Ok(Some(" ".repeat(spaces.max(0) as usize))),
        _ => Err(wrong("indent")),
    }
}

fn wrong(argument: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("`tojson` cannot use this `{argument}`"))
}

struct Writer<'a, 'b, 'c> {
    state: &'a State<'b, 'c>,
    layout: Layout,
    text: String,
    /// Bytes that steps were taken for.
    paid: usize,
}

impl Writer<'_, '_, '_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.state.consume_fuel(1 + (self.text.len() - self.paid) as u64 / 64)?;
        self.paid = self.text.len();
        match (value.kind(), value.as_object()) {
            _ if depth > MAX_DEPTH => return Err(Error::new(ErrorKind::BadSerialization, "`tojson` was given something too deep")),
            (ValueKind::String, _) => self.string(value.as_str().unwrap_or_default()),
            (ValueKind::None | ValueKind::Bool | ValueKind::Number, _) => self.text.push_str(&scalar(value)),
            (_, Some(object)) if object.repr() == ObjectRepr::Map => self.map(object, depth)?,
            (_, Some(object)) if object.repr() != ObjectRepr::Plain => self.list(value, depth)?,
            (kind, _) => return Err(Error::new(ErrorKind::BadSerialization, format!("`tojson` was given something of type {kind}"))),
        }
        Ok(())
    }

    fn list(&mut self, list: &Value, depth: usize) -> Result<(), Error> {
        self.text.push('[');
        let mut is_empty = true;
        for item in list.try_iter()?.checked() {
            self.begin_item(std::mem::take(&mut is_empty), depth);
            self.value(&item?, depth + 1)?;
        }
        self.end(']', is_empty, depth);
        Ok(())
    }

    fn map(&mut self, map: &DynObject, depth: usize) -> Result<(), Error> {
        let mut pairs = Vec::new();
        for (key, value) in map.try_iter_pairs().into_iter().flatten() {
            match key.kind() {
                ValueKind::String | ValueKind::None | ValueKind::Bool | ValueKind::Number => pairs.push((scalar(&key), value)),
                kind => return Err(Error::new(ErrorKind::BadSerialization, format!("`tojson` was given a key of type {kind}"))),
            }
        }
        if self.layout.sorted {
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
        }
        self.text.push('{');
        let is_empty = pairs.is_empty();
        for (at, (key, value)) in pairs.into_iter().enumerate() {
            self.begin_item(at == 0, depth);
            self.string(&key);
            self.text.push_str(&self.layout.behind_key);
            self.value(&value, depth + 1)?;
        }
        self.end('}', is_empty, depth);
        Ok(())
    }

    fn begin_item(&mut self, is_first: bool, depth: usize) {
        if !is_first {
            self.text.push_str(&self.layout.between);
        }
        self.new_line(depth + 1);
    }

    fn end(&mut self, close: char, is_empty: bool, depth: usize) {
        if !is_empty {
            self.new_line(depth);
        }
        self.text.push(close);
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = &self.layout.indent {
            self.text.push('\n');
            (0..depth).for_each(|_| self.text.push_str(indent));
        }
    }

    fn string(&mut self, string: &str) {
        self.text.push('"');
        for character in string.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\0'..='\u{1f}' => self.escape(character),
                _ if self.layout.ascii && !matches!(character, ' '..='~') => self.escape(character),
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
    }

    fn escape(&mut self, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(self.text, "\\u{unit:04x}").expect("writing to a string does not fail");
        }
    }
}

/// `none`, a truth value, a number or a text, as Python's `json` writes it without quotes.
fn scalar(value: &Value) -> String {
    match value.kind() {
        ValueKind::None => "null".to_owned(),
        ValueKind::Bool => value.is_true().to_string(),
        ValueKind::Number if !value.is_integer() => f64::try_from(value.clone()).map_or_else(|_| value.to_string(), float),
        _ => value.to_string(),
    }
}

/// Python's `repr` of a float: the shortest digits that read back, with an exponent of two digits or more below 1e-4 and from 1e16.
fn float(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None if number.is_infinite() => text.replace("inf", "Infinity"),
        None => text,
    }
}
