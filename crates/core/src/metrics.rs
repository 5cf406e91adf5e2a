use serde_json::Value;

use crate::{Result, macros::forward};

/// Takes the figures of a run: what training and evaluation write to and experiment tracking implements.
///
/// [`testing::contract::metric_sink`](crate::testing::contract::metric_sink) checks an implementation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric sink",
    note = "use `jarre_core::NullSink` where the figures are not wanted, or `jarre_core::testing::MemorySink` in tests"
)]
pub trait MetricSink: Send + Sync {
    /// Records `value` of the metric `name` at `step`. NaN and infinities are recorded too: that a loss diverged is a result. Steps may
    /// come in any order; a repeated step replaces its value, as a run resumed from a checkpoint repeats steps.
    ///
    /// # Errors
    /// Where it cannot be recorded; whether the run goes on without is the caller's decision.
    fn scalar(&self, name: &str, step: u64, value: f64) -> Result<()>;

    /// Records a setting of the run; a repeated `name` replaces its value.
    ///
    /// # Errors
    /// As for [`scalar`](Self::scalar).
    fn param(&self, name: &str, value: &Value) -> Result<()>;
}

forward!(MetricSink {
    fn scalar(&self, name: &str, step: u64, value: f64) -> Result<()>;
    fn param(&self, name: &str, value: &Value) -> Result<()>;
});

/// Forgets everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullSink;

impl MetricSink for NullSink {
    fn scalar(&self, _name: &str, _step: u64, _value: f64) -> Result<()> {
        Ok(())
    }

    fn param(&self, _name: &str, _value: &Value) -> Result<()> {
        Ok(())
    }
}
