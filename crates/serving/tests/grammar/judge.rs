use regex::Regex;
use serde_json::{Map, Number, Value};

/// Judges values by the keywords of JSON Schema that grammars hold to, one by one; the official suite checks it before it checks anybody else.
pub(crate) struct Judge<'a> {
    root: &'a Value,
    /// Draft 7 and before: nothing counts beside `$ref`.
    draft7: bool,
    /// Whether a format is more than a remark.
    formats: bool,
}

/// Keywords that it cannot judge by, and that no grammar holds to.
const UNKNOWN: [&str; 12] = [
    "not",
    "if",
    "contains",
    "uniqueItems",
    "propertyNames",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$dynamicRef",
    "$recursiveRef",
];

impl<'a> Judge<'a> {
    pub(crate) fn new(root: &'a Value) -> Self {
        Self { root, draft7: false, formats: true }
    }

    /// For the official suite; `None` where a schema needs other documents or names, or has keywords that are beyond it.
    pub(crate) fn of_suite(root: &'a Value, draft7: bool) -> Option<Self> {
        let foreign = root.get("$schema").and_then(Value::as_str).is_some_and(|name| name.contains("localhost"));
        (!foreign && is_within(root)).then_some(Self { root, draft7, formats: false })
    }

    pub(crate) fn is_valid(&self, value: &Value) -> bool {
        self.holds(self.root, value)
    }

    fn holds(&self, schema: &Value, value: &Value) -> bool {
        let Value::Object(rules) = schema else { return *schema == Value::Bool(true) };
        if let Some(target) = rules.get("$ref").and_then(Value::as_str) {
            let pointer = target[1..].replace("%25", "%").replace("%22", "\"");
            let target = self.root.pointer(&pointer).expect("grammars refuse references to nothing");
            if !self.holds(target, value) || self.draft7 {
                return self.holds(target, value);
            }
        }
        rules.iter().all(|(key, rule)| self.obeys(rules, key, rule, value))
    }

    /// Whether a value obeys one keyword; those for other types of values, and those that are no rules, are obeyed.
    fn obeys(&self, rules: &Map<String, Value>, key: &str, rule: &Value, value: &Value) -> bool {
        let count = rule.as_f64();
        match (key, value) {
            ("type", _) => list(rule).iter().any(|name| is_of_type(value, name.as_str().unwrap())),
            ("const", _) => equal(rule, value),
            ("enum", _) => list(rule).iter().any(|option| equal(option, value)),
            ("allOf", _) => list(rule).iter().all(|schema| self.holds(schema, value)),
            ("anyOf", _) => list(rule).iter().any(|schema| self.holds(schema, value)),
            ("oneOf", _) => list(rule).iter().filter(|schema| self.holds(schema, value)).count() == 1,
            ("minLength", Value::String(text)) => text.chars().count() as f64 >= count.unwrap(),
            ("maxLength", Value::String(text)) => text.chars().count() as f64 <= count.unwrap(),
            ("pattern", Value::String(text)) => is_match(rule.as_str().unwrap(), text),
            ("format", Value::String(text)) => !self.formats || is_of_format(text, rule.as_str().unwrap()),
            ("minimum", Value::Number(number)) => number.as_f64() >= count,
            ("maximum", Value::Number(number)) => number.as_f64() <= count,
            ("exclusiveMinimum", Value::Number(number)) => number.as_f64() > count,
            ("exclusiveMaximum", Value::Number(number)) => number.as_f64() < count,
            ("multipleOf", Value::Number(number)) => is_multiple(number, rule),
            ("minItems", Value::Array(items)) => items.len() as f64 >= count.unwrap(),
            ("maxItems", Value::Array(items)) => items.len() as f64 <= count.unwrap(),
            ("prefixItems", Value::Array(items)) if !self.draft7 => self.each(rule, items),
            ("items", Value::Array(items)) if rule.is_array() => self.each(rule, items),
            ("items", Value::Array(items)) => {
                let prefix = rules.get("prefixItems").filter(|_| !self.draft7).map_or(0, |prefix| list(prefix).len());
                items.iter().skip(prefix).all(|item| self.holds(rule, item))
            }
            ("additionalItems", Value::Array(items)) => match rules.get("items") {
                Some(Value::Array(prefix)) => items.iter().skip(prefix.len()).all(|item| self.holds(rule, item)),
                _ => true,
            },
            (_, Value::Object(entries)) => self.obeys_for_objects(rules, key, rule, entries),
            _ => true,
        }
    }

    fn obeys_for_objects(&self, rules: &Map<String, Value>, key: &str, rule: &Value, entries: &Map<String, Value>) -> bool {
        match (key, rule) {
            ("required", _) => list(rule).iter().all(|name| entries.contains_key(name.as_str().unwrap())),
            ("minProperties", _) => entries.len() as f64 >= rule.as_f64().unwrap(),
            ("maxProperties", _) => entries.len() as f64 <= rule.as_f64().unwrap(),
            ("properties", Value::Object(known)) => {
                known.iter().all(|(name, schema)| entries.get(name).is_none_or(|value| self.holds(schema, value)))
            }
            ("patternProperties", Value::Object(patterns)) => patterns.iter().all(|(pattern, schema)| {
                entries.iter().filter(|(name, _)| is_match(pattern, name)).all(|(_, value)| self.holds(schema, value))
            }),
            ("additionalProperties", _) => {
                let is_named = |name: &str| rules.get("properties").is_some_and(|known| known.get(name).is_some());
                let patterns = rules.get("patternProperties").and_then(Value::as_object);
                let is_matched = |name: &str| patterns.is_some_and(|patterns| patterns.keys().any(|pattern| is_match(pattern, name)));
                entries.iter().filter(|(name, _)| !is_named(name) && !is_matched(name)).all(|(_, value)| self.holds(rule, value))
            }
            _ => true,
        }
    }

    fn each(&self, schemas: &Value, items: &[Value]) -> bool {
        list(schemas).iter().zip(items).all(|(schema, item)| self.holds(schema, item))
    }
}

/// Whether all references lead into the schema by its places, and no keyword is unknown.
fn is_within(schema: &Value) -> bool {
    let is_place = |target: &Value| target.as_str().is_some_and(|target| target == "#" || target.starts_with("#/"));
    match schema {
        Value::Object(rules) => rules.iter().all(|(key, rule)| match key.as_str() {
            "const" | "enum" => true,
            "$ref" if rule.is_string() => is_place(rule),
            "properties" | "$defs" | "definitions" | "patternProperties" => {
                rule.as_object().is_none_or(|schemas| schemas.values().all(is_within))
            }
            key => !UNKNOWN.contains(&key) && is_within(rule),
        }),
        Value::Array(schemas) => schemas.iter().all(is_within),
        _ => true,
    }
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice)
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match (name, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        ("integer", Value::Number(number)) => !number.is_f64() || number.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    }
}

/// Equality of JSON: the order of properties does not matter, and 1.0 is 1.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.is_f64() != right.is_f64() && left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len() && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

fn is_multiple(number: &Number, of: &Value) -> bool {
    if let (Some(number), Some(of)) = (number.as_i64(), of.as_i64()) {
        return number % of == 0;
    }
    let quotient = number.as_f64().unwrap() / of.as_f64().unwrap();
    (quotient - quotient.round()).abs() < 1e-6
}

fn is_match(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).unwrap().is_match(text)
}

fn is_of_format(text: &str, name: &str) -> bool {
    match name {
        "uuid" => is_match("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", text),
        "date-time" => is_date_time(text),
        _ => panic!("no test needs the format {name}"),
    }
}

/// RFC 3339, section 5.6.
fn is_date_time(text: &str) -> bool {
    let shape = r"^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-](\d\d):(\d\d))$";
    let Some(found) = Regex::new(shape).unwrap().captures(text) else { return false };
    let [year, month, day, hour, minute, second, hours_off, minutes_off] =
        std::array::from_fn(|index| found.get(index + 1).map_or(0, |part| part.as_str().parse::<u32>().unwrap()));
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day) && hour < 24 && minute < 60 && second <= 60 && hours_off < 24 && minutes_off < 60
}
