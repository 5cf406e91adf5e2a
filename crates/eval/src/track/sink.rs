use std::{
    fmt, mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jarre_core::{ErrorKind, MetricSink};
use serde_json::Value;

use super::{
    RunId, Tracker,
    about::put_param,
    metric::{MetricPoint, Points},
    run::number,
};
use crate::{Error, Result};

/// Takes the figures of one run, and writes them many at a time: every 256, when one comes a second after the last were written, when
/// [`flush`](Self::flush) is called, and when it is dropped.
///
/// ```
/// use jarre_core::{MetricSink, SystemClock};
/// use jarre_eval::track::{NewRun, Tracker};
/// use std::sync::Arc;
///
/// let tracker = Tracker::open_in_memory(Arc::new(SystemClock::new()))?;
/// let run = tracker.create_run(&NewRun::new("training"))?;
/// let sink = tracker.sink(&run)?;
/// for step in 0..1000 {
///     sink.scalar("loss", step, 1.0 / (step + 1) as f64)?;
/// }
/// sink.flush()?;
/// assert_eq!(tracker.latest_metrics(&run)?[0].value, 0.001);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RunSink {
    tracker: Tracker,
    run: RunId,
    waiting: Mutex<Waiting>,
}

/// Records that were not written yet, in the order in which they came.
struct Waiting {
    records: Vec<Record>,
    written: Duration,
}

enum Record {
    Point(String, MetricPoint),
    Param(String, Value),
}

/// How many records are written at once.
const BATCH: usize = 256;
/// How many are kept while they cannot be written.
const MOST: usize = 1 << 16;
/// How long a record waits for others, once another comes.
const PAUSE: Duration = Duration::from_secs(1);

impl Tracker {
    /// A sink for the figures of a run.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such run.
    pub fn sink(&self, run: &RunId) -> Result<RunSink> {
        self.read(|reading| number(reading, run))?;
        let waiting = Waiting { records: Vec::new(), written: self.elapsed() };
        Ok(RunSink { tracker: self.clone(), run: run.clone(), waiting: Mutex::new(waiting) })
    }
}

impl RunSink {
    /// Writes what waits, whole or not at all. Once it returns, the end of this process loses none of it.
    ///
    /// # Errors
    /// Where it cannot be written; it waits on then, and the next call tries again.
    pub fn flush(&self) -> Result<()> {
        self.write(&mut self.lock())
    }

    fn record(&self, record: Record) -> Result<()> {
        let mut waiting = self.lock();
        if waiting.records.len() >= MOST {
            // One more try, so that a disk that has room again is used again.
            self.write(&mut waiting)?;
        }
        waiting.records.push(record);
        let due = waiting.records.len().is_multiple_of(BATCH) || self.tracker.elapsed().saturating_sub(waiting.written) >= PAUSE;
        if due { self.write(&mut waiting) } else { Ok(()) }
    }

    fn write(&self, waiting: &mut Waiting) -> Result<()> {
        if waiting.records.is_empty() {
            return Ok(());
        }
        let records = mem::take(&mut waiting.records);
        let written = self.tracker.write(|writing| {
            let run = number(writing, &self.run)?;
            let mut points = Points::new(writing, run);
            for record in &records {
                match record {
                    Record::Point(name, point) => points.put(name, *point)?,
                    Record::Param(name, value) => put_param(writing, run, name, value)?,
                }
            }
            Ok(())
        });
        waiting.written = self.tracker.elapsed();
        if written.is_err() {
            waiting.records = records;
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetricSink for RunSink {
    fn scalar(&self, name: &str, step: u64, value: f64) -> jarre_core::Result<()> {
        // Refused here rather than with the batch, which it would hold back.
        if name.is_empty() || i64::try_from(step).is_err() {
            return Err(jarre_core::Error::new(ErrorKind::InvalidRequest, "a metric needs a name, and a step up to 2^63 - 1"));
        }
        let point = MetricPoint { step, at: self.tracker.now(), value };
        self.record(Record::Point(name.to_owned(), point)).map_err(unwritten)
    }

    fn param(&self, name: &str, value: &Value) -> jarre_core::Result<()> {
        if name.is_empty() {
            return Err(jarre_core::Error::new(ErrorKind::InvalidRequest, "a setting needs a name"));
        }
        self.record(Record::Param(name.to_owned(), value.clone())).map_err(unwritten)
    }
}

fn unwritten(error: Error) -> jarre_core::Error {
    let kind = if matches!(error, Error::TrackingBusy { .. }) { ErrorKind::Unavailable } else { ErrorKind::Internal };
    jarre_core::Error::new(kind, "the figures of the run could not be written").with_source(error)
}

impl Drop for RunSink {
    fn drop(&mut self) {
        // Nobody is there to be told; who must know calls `flush`.
        drop(self.flush());
    }
}

impl fmt::Debug for RunSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunSink").field("run", &self.run).finish_non_exhaustive()
    }
}
