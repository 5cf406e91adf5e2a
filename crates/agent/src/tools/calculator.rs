use jarre_core::{Permission, ToolContext, ToolOutput};
use serde::Deserialize;
use serde_json::{Value, json};

use super::frame::{Frame, implement};
use crate::{Error, Result};

/// `calculator`: the value of an expression, by [`jarre_calculator`].
///
/// [`ToolOutput::data`] has `value` (the nearest double, `null` where there is none) and `exact`.
#[derive(Clone, Debug)]
pub struct Calculator {
    frame: Frame,
}

#[derive(Deserialize)]
struct Arguments {
    expression: String,
}

impl Default for Calculator {
    fn default() -> Self {
        Self::new()
    }
}

impl Calculator {
    /// A calculator.
    pub fn new() -> Self {
        let names = jarre_calculator::names().collect::<Vec<_>>().join(" ");
        let properties = json!({
            "expression": {"type": "string", "minLength": 1, "maxLength": jarre_calculator::MAX_BYTES, "description": "as `(1 + 2/3)^2 * sqrt(2)`"}
        });
        let description = format!(
            "Evaluates arithmetic exactly where it can be, instead of by head. Operators: + - * / ^ ! %, brackets; a product needs `*`. \
             `7 % 3` is a remainder, `7%` is 7/100. Names: {names}. Angles are in radians."
        );
        let frame = Frame::new("calculator", &description, Permission::Read, &properties, &["expression"]);
        let kinds = json!({"value": {"type": ["number", "null"]}, "exact": {"type": "boolean"}});
        let data = json!({"type": "object", "properties": kinds, "required": ["value", "exact"]});
        Self { frame: frame.with_data(&data) }
    }

    #[expect(clippy::unused_self, reason = "the method that every tool has")]
    fn run(&self, arguments: &Arguments, _: &ToolContext) -> Result<ToolOutput> {
        let answer = jarre_calculator::evaluate(&arguments.expression).map_err(|error| Error::Invalid(error.to_string()))?;
        let value = serde_json::Number::from_f64(answer.to_f64()).map_or(Value::Null, Value::Number);
        Ok(ToolOutput::new(answer.to_string()).with_data(json!({"value": value, "exact": answer.is_exact()})))
    }
}

implement!(Calculator);
