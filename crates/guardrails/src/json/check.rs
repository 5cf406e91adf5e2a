use serde_json::Value;

/// What a document has to be.
#[diagnostic::on_unimplemented(message = "`{Self}` does not check documents", note = "implement `jarre_guardrails::json::Check`")]
pub trait Check: Send + Sync {
    /// The JSON Schema by which values are fitted.
    fn schema(&self) -> &Value;

    /// What is wrong with a document, each for a reader; none where it is right.
    fn violations(&self, document: &Value) -> Vec<String>;
}
