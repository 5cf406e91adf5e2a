use std::fmt;

use jarre_core::{MetricSink, Result};
use serde_json::Value;

/// Passes figures on to several sinks: a log, a progress bar, an experiment tracker.
///
/// All of them get every figure, also where one fails; the first error is returned.
///
/// ```
/// # use jarre_transformer::train::Tee;
/// use jarre_core::{MetricSink, NullSink, testing::MemorySink};
///
/// let curve = MemorySink::new();
/// let tee = Tee::new().with(&curve).with(NullSink);
/// tee.scalar("loss", 1, 2.5)?;
/// assert_eq!(curve.scalars("loss"), [(1, 2.5)]);
/// # Ok::<(), jarre_core::Error>(())
/// ```
#[derive(Default)]
pub struct Tee<'a> {
    sinks: Vec<Box<dyn MetricSink + 'a>>,
}

impl<'a> Tee<'a> {
    /// One without sinks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sink.
    pub fn with(mut self, sink: impl MetricSink + 'a) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }

    fn each(&self, record: impl Fn(&dyn MetricSink) -> Result<()>) -> Result<()> {
        self.sinks.iter().map(|sink| record(sink)).fold(Ok(()), Result::and)
    }
}

impl MetricSink for Tee<'_> {
    fn scalar(&self, name: &str, step: u64, value: f64) -> Result<()> {
        self.each(|sink| sink.scalar(name, step, value))
    }

    fn param(&self, name: &str, value: &Value) -> Result<()> {
        self.each(|sink| sink.param(name, value))
    }
}

impl fmt::Debug for Tee<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tee").field("sinks", &self.sinks.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use jarre_core::{
        Error, ErrorKind,
        testing::{MemorySink, contract},
    };

    use super::*;

    #[test]
    fn both_sides_of_a_tee_keep_the_contract_of_a_sink() {
        let (first, second) = (MemorySink::new(), MemorySink::new());
        let tee = Tee::new().with(&first).with(&second);
        contract::metric_sink(&tee, |name| first.scalars(name), |name| second.param(name));
        assert_eq!((first.param("config"), first.scalars("loss")), (second.param("config"), second.scalars("loss")));
    }

    struct Broken(&'static str);

    impl MetricSink for Broken {
        fn scalar(&self, _name: &str, _step: u64, _value: f64) -> Result<()> {
            Err(Error::new(ErrorKind::Unavailable, self.0))
        }

        fn param(&self, _name: &str, _value: &Value) -> Result<()> {
            Err(Error::new(ErrorKind::Unavailable, self.0))
        }
    }

    #[test]
    fn a_sink_that_fails_does_not_keep_figures_from_the_others() {
        let last = MemorySink::new();
        let tee = Tee::new().with(Broken("the first")).with(Broken("the second")).with(&last);
        assert_eq!(tee.scalar("loss", 1, 2.0).unwrap_err().to_string(), "the first");
        assert_eq!(tee.param("lr", &Value::Null).unwrap_err().to_string(), "the first");
        assert_eq!((last.scalars("loss"), last.param("lr")), (vec![(1, 2.0)], Some(Value::Null)));
        assert!(Tee::new().scalar("loss", 1, 2.0).is_ok());
    }
}
