//! The engine, set up as transformers sets up Jinja, and bounded.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jarre_core::Timestamp;
use minijinja::{AutoEscape, Environment, ErrorKind, syntax::SyntaxConfig, value::Value};

use super::{date::strftime, guard::guard, json::tojson, methods, settle};
use crate::error::{Error, Result};

/// Depth of the engine's scopes, a call of a macro counting for five of them.
const MAX_SCOPES: usize = 300;

/// An environment with `templates` of `(name, source)`.
///
/// # Errors
/// Where one of them is not a template.
pub(super) fn environment<'t>(templates: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("a syntax with the delimiters of Jinja is valid"));
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_recursion_limit(MAX_SCOPES);
    environment.set_unknown_method_callback(methods::call);
    environment.remove_global("debug");
    environment.add_filter("tojson", tojson);
    // Python's answers, which differ for `none`, text and dictionaries.
    environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    environment.add_test("sequence", |value: &Value| value.is_undefined() || value.len().is_some());
    environment.add_function("raise_exception", |message: String| Err::<Value, _>(raised(message)));
    for (name, source) in templates {
        let guarded = guard(source)?;
        contain(|| environment.add_template_owned(name.to_owned(), guarded))?;
    }
    Ok(environment)
}

/// How much a rendering may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Steps: instructions of the engine, or 64 bytes that it writes or copies.
    pub(super) steps: u64,
    /// What a value that the template keeps may weigh.
    pub(super) allowance: u64,
}

impl Bounds {
    /// A rendering of `input` by a template that needs several times what usual ones need.
    pub(super) fn of(input: &Value) -> Result<Self> {
        let weight = contain(|| settle::weight(input))?;
        Ok(Self { steps: 500_000 + 2 * weight, allowance: (1 << 17) + 2 * weight })
    }
}

/// Renders the template `name`, which has to be in the environment.
pub(super) fn render(prepared: &Environment<'_>, name: &str, input: Value, date: Option<Timestamp>, bounds: Bounds) -> Result<String> {
    let mut environment = prepared.clone();
    environment.set_fuel(Some(bounds.steps));
    settle::add_filters(&mut environment, bounds.allowance);
    environment.add_function("strftime_now", move |format: &str| {
        let date = date.ok_or_else(|| wrong("`strftime_now` needs a date; give the input one".to_owned()))?;
        strftime(date, format).map_err(wrong)
    });
    contain(|| environment.get_template(name)?.render(input))
}

fn wrong(what: String) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, what)
}

/// What `raise_exception` said.
#[derive(Debug)]
struct Raised(String);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

fn raised(message: String) -> minijinja::Error {
    wrong(String::new()).with_source(Raised(message))
}

/// Runs a call into the engine, whose panics on odd templates must not end the caller.
#[expect(clippy::disallowed_methods, reason = "a wall around a foreign interpreter")]
fn contain<T>(call: impl FnOnce() -> Result<T, minijinja::Error>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| Error::Template { reason: reason(&error) }),
        Err(_) => Err(Error::Template { reason: "the engine panicked".to_owned() }),
    }
}

fn reason(error: &minijinja::Error) -> String {
    let what = match std::error::Error::source(error).and_then(|source| source.downcast_ref::<Raised>()) {
        Some(raised) => format!("it refuses the conversation: {raised}"),
        None if error.kind() == ErrorKind::OutOfFuel => "it takes more steps than a conversation of this size needs".to_owned(),
        None => error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind())),
    };
    error.line().map_or(what.clone(), |line| format!("{what} (line {line})"))
}
