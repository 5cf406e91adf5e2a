use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use crate::{Error, ErrorKind, MetricSink, Result, Tool, ToolContext, ToolOutput, ToolSpec, future::BoxFuture};

/// A tool made of a function.
///
/// Arguments that are no object, or lack what the schema's `required` names, are refused. The output of an idempotency key is kept and
/// given again; failures are not kept.
///
/// ```
/// use jarre_core::{Permission, Tool, ToolContext, ToolOutput, ToolSpec, testing::FnTool};
/// use serde_json::json;
///
/// # pollster::block_on(async {
/// let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
/// let tool = FnTool::new(ToolSpec::new("double", "doubles n", schema, Permission::Read), |arguments, _context| {
///     Ok(ToolOutput::new((2 * arguments["n"].as_i64().unwrap_or(0)).to_string()))
/// });
/// assert_eq!(tool.call(json!({"n": 21}), &ToolContext::new("key")).await?.text, "42");
/// assert!(tool.call(json!({}), &ToolContext::new("other key")).await.is_err());
/// # Ok::<(), jarre_core::Error>(()) }).unwrap();
/// ```
pub struct FnTool<F> {
    spec: ToolSpec,
    function: F,
    done: Mutex<BTreeMap<String, ToolOutput>>,
}

impl<F> FnTool<F>
where
    F: Fn(&Value, &ToolContext) -> Result<ToolOutput> + Send + Sync,
{
    /// The tool `spec` that does what `function` does.
    pub fn new(spec: ToolSpec, function: F) -> Self {
        Self { spec, function, done: Mutex::default() }
    }

    fn run(&self, arguments: &Value, context: &ToolContext) -> Result<ToolOutput> {
        self.check(arguments)?;
        // Held over the call, so that two calls of one key at once act once.
        let mut done = lock(&self.done);
        if let Some(output) = done.get(&context.idempotency_key) {
            return Ok(output.clone());
        }
        let output = (self.function)(arguments, context)?;
        done.insert(context.idempotency_key.clone(), output.clone());
        Ok(output)
    }

    fn check(&self, arguments: &Value) -> Result<()> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidRequest, message);
        let given = arguments.as_object().ok_or_else(|| invalid("the arguments are not a JSON object".into()))?;
        match required(&self.spec).find(|name| !given.contains_key(*name)) {
            Some(name) => Err(invalid(format!("the argument {name:?} is missing"))),
            None => Ok(()),
        }
    }
}

impl<F> fmt::Debug for FnTool<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnTool").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl<F> Tool for FnTool<F>
where
    F: Fn(&Value, &ToolContext) -> Result<ToolOutput> + Send + Sync,
{
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(&'a self, arguments: Value, context: &'a ToolContext) -> BoxFuture<'a, Result<ToolOutput>> {
        Box::pin(async move { self.run(&arguments, context) })
    }
}

/// Keeps figures in memory.
#[derive(Debug, Default)]
pub struct MemorySink(Mutex<Run>);

#[derive(Debug, Default)]
struct Run {
    scalars: BTreeMap<String, BTreeMap<u64, f64>>,
    params: BTreeMap<String, Value>,
}

impl MemorySink {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The values of the metric `name` by step, in order of the steps.
    pub fn scalars(&self, name: &str) -> Vec<(u64, f64)> {
        lock(&self.0).scalars.get(name).into_iter().flatten().map(|(&step, &value)| (step, value)).collect()
    }

    /// The setting `name`.
    pub fn param(&self, name: &str) -> Option<Value> {
        lock(&self.0).params.get(name).cloned()
    }
}

impl MetricSink for MemorySink {
    fn scalar(&self, name: &str, step: u64, value: f64) -> Result<()> {
        lock(&self.0).scalars.entry(name.into()).or_default().insert(step, value);
        Ok(())
    }

    fn param(&self, name: &str, value: &Value) -> Result<()> {
        lock(&self.0).params.insert(name.into(), value.clone());
        Ok(())
    }
}

/// What a tool's schema demands.
pub(super) fn required(spec: &ToolSpec) -> impl Iterator<Item = &str> {
    spec.parameters["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Permission, testing::contract};

    #[test]
    fn a_function_keeps_the_contract_of_a_tool() {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
        let tool = FnTool::new(ToolSpec::new("next", "counts", schema, Permission::Write), |arguments, _| {
            Ok(ToolOutput::new(arguments["n"].to_string()))
        });
        pollster::block_on(contract::tool(&tool, &json!({"n": 1})));
    }

    #[test]
    fn memory_keeps_the_contract_of_a_sink() {
        let sink = MemorySink::new();
        contract::metric_sink(&sink, |name| sink.scalars(name), |name| sink.param(name));
    }
}
