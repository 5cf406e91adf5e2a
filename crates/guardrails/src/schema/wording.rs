use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
    paths::Location,
};
use serde_json::Value;

/// How many values or names a message lists.
const LISTED: usize = 12;
/// How many characters of a value a message shows.
const SHOWN: usize = 60;

/// The error as a sentence about the document: what the place must be, and what it is.
pub(super) fn of(error: &ValidationError<'_>) -> String {
    let at = place(error.instance_path());
    let is = || show(error.instance());
    match error.kind() {
        Kind::Type { kind } => format!("{at} must be {}, it is {}", types(kind), is()),
        Kind::Required { property } => format!("{at} lacks the property {property}"),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("{at} must not have the property {}", list(unexpected.iter().map(|name| format!("{name:?}"))))
        }
        Kind::AdditionalItems { limit } => format!("{at} must not have more than {limit} items"),
        Kind::Enum { options } => format!("{at} must be one of {}, it is {}", options_of(options), is()),
        Kind::Constant { expected_value } => format!("{at} must be {}, it is {}", show(expected_value), is()),
        Kind::FalseSchema => format!("{at} must not be there"),
        Kind::Maximum { limit } => format!("{at} must be at most {limit}, it is {}", is()),
        Kind::Minimum { limit } => format!("{at} must be at least {limit}, it is {}", is()),
        Kind::ExclusiveMaximum { limit } => format!("{at} must be less than {limit}, it is {}", is()),
        Kind::ExclusiveMinimum { limit } => format!("{at} must be more than {limit}, it is {}", is()),
        Kind::MultipleOf { multiple_of } => format!("{at} must be a multiple of {multiple_of}, it is {}", is()),
        Kind::MaxLength { limit } => format!("{at} must have at most {limit} characters, it is {}", is()),
        Kind::MinLength { limit } => format!("{at} must have at least {limit} characters, it is {}", is()),
        Kind::MaxItems { limit } => format!("{at} must have at most {limit} items, it is {}", is()),
        Kind::MinItems { limit } => format!("{at} must have at least {limit} items, it is {}", is()),
        Kind::MaxProperties { limit } => format!("{at} must have at most {limit} properties, it is {}", is()),
        Kind::MinProperties { limit } => format!("{at} must have at least {limit} properties, it is {}", is()),
        Kind::Pattern { pattern } => format!("{at} must match the pattern `{}`, it is {}", clip(pattern, SHOWN), is()),
        Kind::Format { format } => format!("{at} must be in the format `{format}`, it is {}", is()),
        Kind::UniqueItems => format!("{at} must not have an item twice"),
        Kind::Contains => format!("{at} does not have the number of items that `contains` asks for"),
        Kind::Not { .. } => format!("{at} must not be what `not` rules out, it is {}", is()),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => format!("{at} fits none of {}", alternatives(context)),
        Kind::OneOfMultipleValid { .. } => format!("{at} fits more than one alternative of `oneOf` and must fit exactly one"),
        Kind::PropertyNames { error } => format!("{at} has a property whose name is not allowed: {}", of(error)),
        _ => format!("{at}: {}", clip(&error.to_string(), 4 * SHOWN)),
    }
}

/// `text`, cut to at most `chars` characters, the last an ellipsis where something is cut off.
pub(super) fn clip(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some(_) => text.chars().take(chars.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// `value`, named by its type, and scalars in full where they are short.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => format!("the number {}", clip(&number.to_string(), SHOWN)),
        Value::String(text) => format!("the string {:?}", clip(text, SHOWN)),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(entries) => format!("an object of {} properties", entries.len()),
    }
}

fn place(path: &Location) -> String {
    match path.as_str() {
        "" => "the document".to_owned(),
        path => format!("`{}`", clip(path, 2 * SHOWN)),
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => article(one.as_str()),
        TypeKind::Multiple(several) => several.iter().map(|one| article(one.as_str())).collect::<Vec<_>>().join(" or "),
    }
}

fn article(name: &str) -> String {
    match name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        name => format!("a {name}"),
    }
}

fn options_of(options: &Value) -> String {
    options.as_array().map_or_else(|| show(options), |options| list(options.iter().map(|option| clip(&option.to_string(), SHOWN))))
}

fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let rest = items.len().saturating_sub(LISTED);
    let shown = items.take(LISTED).collect::<Vec<_>>().join(", ");
    if rest > 0 { format!("{shown} and {rest} more") } else { shown }
}

/// The alternative that gets furthest into the document is likely the one that was meant; of those, the one with the fewest errors.
fn alternatives(context: &[Vec<ValidationError<'static>>]) -> String {
    let depth = |branch: &[ValidationError<'_>]| {
        branch.iter().map(|error| error.instance_path().as_str().matches('/').count()).max().unwrap_or_default()
    };
    let closest = context.iter().enumerate().max_by_key(|(_, branch)| (depth(branch), std::cmp::Reverse(branch.len())));
    let told = closest.and_then(|(index, branch)| Some(format!("; the closest is alternative {}: {}", index + 1, of(branch.first()?))));
    format!("its {} alternatives{}", context.len(), told.unwrap_or_default())
}
