use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jarre_core::{Error, ErrorKind, Permission, Result, ToolContext, ToolOutput, ToolSpec};
use jarre_guardrails::schema::{Schema, SchemaConfig, Violation};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What every tool here does around its own work: holds arguments and output to schemas, and acts once for a key.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) spec: ToolSpec,
    arguments: Schema,
    /// What [`ToolOutput::data`] of a success is held to.
    data: Option<Schema>,
    done: Arc<Mutex<BTreeMap<String, Slot>>>,
}

/// What came of a key, once it has; locked while it is being found out, so that two calls of one key act once.
type Slot = Arc<Mutex<Option<ToolOutput>>>;

impl Frame {
    /// A tool whose arguments are an object of `properties`, of which those in `required` have to be there and no others may.
    pub(crate) fn new(name: &str, description: &str, permission: Permission, properties: &Value, required: &[&str]) -> Self {
        let parameters = json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
        let spec = ToolSpec::new(name, description, parameters, permission);
        let arguments = Schema::compile(&spec.parameters, &SchemaConfig::default()).expect("the schemas of built-in tools are schemas");
        Self { spec, arguments, data: None, done: Arc::default() }
    }

    /// A tool of another's spec.
    ///
    /// # Errors
    /// Where its parameters are no schema.
    pub(crate) fn of(spec: ToolSpec) -> crate::Result<Self> {
        let invalid = |error| crate::Error::Invalid(format!("the parameters of the tool `{}` are no schema: {error}", spec.name));
        let arguments = Schema::compile(&spec.parameters, &SchemaConfig::default()).map_err(invalid)?;
        Ok(Self { spec, arguments, data: None, done: Arc::default() })
    }

    /// States what the output for programs is like.
    pub(crate) fn with_data(mut self, schema: &Value) -> Self {
        self.data = Some(Schema::compile(schema, &SchemaConfig::default()).expect("the schemas of built-in tools are schemas"));
        self
    }

    /// The arguments, where the schema allows them.
    pub(crate) fn arguments<T: DeserializeOwned>(&self, arguments: &Value) -> Result<T> {
        let violations = self.arguments.validate(arguments);
        if !violations.is_empty() {
            return Err(self.invalid(&told(&violations)));
        }
        T::deserialize(arguments).map_err(|error| self.invalid(&error.to_string()))
    }

    /// Does `act` with the arguments, unless it was done for the key of `context`.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        arguments: &Value,
        context: &ToolContext,
        act: impl FnOnce(T) -> Result<ToolOutput>,
    ) -> Result<ToolOutput> {
        let arguments = self.arguments(arguments)?;
        self.once(&context.idempotency_key, || act(arguments))
    }

    /// Does `act`, unless it was done for `key`: then the output is given again. An empty key is none, and an `Err` is not kept.
    pub(crate) fn once(&self, key: &str, act: impl FnOnce() -> Result<ToolOutput>) -> Result<ToolOutput> {
        if key.is_empty() {
            return self.checked(act()?);
        }
        let slot = lock(&self.done).entry(key.to_owned()).or_default().clone();
        let mut slot = lock(&slot);
        if let Some(output) = &*slot {
            return Ok(output.clone());
        }
        let output = self.checked(act()?)?;
        *slot = Some(output.clone());
        Ok(output)
    }

    fn checked(&self, output: ToolOutput) -> Result<ToolOutput> {
        let Some(schema) = self.data.as_ref().filter(|_| !output.is_error) else { return Ok(output) };
        let violations = schema.validate(output.data.as_ref().unwrap_or(&Value::Null));
        if violations.is_empty() {
            return Ok(output);
        }
        let message = format!("the output of the tool `{}` is not what it states: {}", self.spec.name, told(&violations));
        Err(Error::new(ErrorKind::Internal, message))
    }

    fn invalid(&self, message: &str) -> Error {
        Error::new(ErrorKind::InvalidRequest, format!("the arguments of `{}` do not fit: {message}", self.spec.name))
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("spec", &self.spec).finish_non_exhaustive()
    }
}

fn told(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Failures that the model can do something about are told to it. The tools here fail before they change anything, and say so.
pub(crate) fn or_told(result: crate::Result<ToolOutput>) -> ToolOutput {
    result.unwrap_or_else(|error| unchanged(&error.to_string()))
}

/// What is told of a call that failed and changed nothing.
pub(crate) fn unchanged(why: &str) -> ToolOutput {
    ToolOutput::error(why).with_data(json!({"changed": false}))
}

/// The name and key of a call, as changes are recorded by.
pub(crate) fn caller(frame: &Frame, context: &ToolContext) -> String {
    format!("{} {}", frame.spec.name, context.idempotency_key).trim_end().to_owned()
}

/// A tool with a frame: `made` is its call, of itself, its arguments as JSON and the context.
macro_rules! implement_by {
    ($tool:ident, |$this:ident, $arguments:ident, $context:ident| $made:expr) => {
        impl jarre_core::Tool for $tool {
            fn spec(&self) -> &jarre_core::ToolSpec {
                &self.frame.spec
            }

            fn call<'a>(
                &'a self,
                $arguments: serde_json::Value,
                $context: &'a jarre_core::ToolContext,
            ) -> jarre_core::BoxFuture<'a, jarre_core::Result<jarre_core::ToolOutput>> {
                let $this = self;
                Box::pin(async move { $made })
            }
        }
    };
}

/// A tool whose work is a method `run` over its arguments and the context.
macro_rules! implement {
    ($tool:ident) => {
        $crate::tools::frame::implement_by!($tool, |tool, arguments, context| {
            tool.frame.call(&arguments, context, |arguments: Arguments| Ok($crate::tools::frame::or_told(tool.run(&arguments, context))))
        });
    };
}

pub(crate) use {implement, implement_by};
