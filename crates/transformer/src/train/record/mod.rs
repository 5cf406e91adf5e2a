//! The figures of a run as a file of JSON lines.

mod line;
mod metrics;

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jarre_core::MetricSink;
use serde_json::Value;

use self::line::{MAX_LINE, NonFinite, Record, each_record};
pub use self::metrics::Metrics;
use crate::error::{Error, Result};

/// A file that the figures of a run are appended to, a JSON object a line, each written before the call returns:
///
/// ```json
/// {"step":100,"name":"loss","value":2.5}
/// {"step":200,"name":"loss","value":null,"nonfinite":"nan"}
/// {"param":"lr","value":0.001}
/// ```
///
/// A line that a crash left unfinished is cut off when the file is opened again, and passed over when it is read. One process writes at a
/// time; the lock of a [`CheckpointStore`](super::CheckpointStore) sees to that.
///
/// ```
/// # use jarre_transformer::train::{Metrics, MetricsLog};
/// use jarre_core::MetricSink;
/// # let run = tempfile::tempdir().unwrap();
/// # let path = run.path().join("metrics.jsonl");
/// let log = MetricsLog::append(&path)?;
/// for step in [1, 2, 3] {
///     log.scalar("loss", step, 1.0 / step as f64)?;
/// }
/// drop(log); // Killed; the newest checkpoint is that of step 2.
/// MetricsLog::append(&path)?.truncate_after(2)?.scalar("loss", 3, 0.25)?;
/// assert_eq!(Metrics::read(&path)?.scalars("loss"), [(1, 1.0), (2, 0.5), (3, 0.25)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    end: Mutex<End>,
}

impl MetricsLog {
    /// Opens the file behind its last finished line, making it where it is not there.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Corrupt`] where a finished line is not one of ours.
    pub fn append(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(Error::io(&path))?;
        let length = each_record(&path, &file, |_, _| Ok(()))?;
        let mut end = End { file, length };
        end.cut().map_err(Error::io(&path))?;
        Ok(Self { path, end: Mutex::new(end) })
    }

    /// Drops the figures of later steps, which a training that resumes at `step` is going to repeat; settings stay. The file is replaced at
    /// once or not at all.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    pub fn truncate_after(self, step: u64) -> Result<Self> {
        let Self { path, end } = self;
        drop(end);
        let draft = draft_of(&path);
        copy_until(&path, &draft, step)?;
        fs::rename(&draft, &path).map_err(Error::io(&path))?;
        Self::append(path)
    }

    /// Waits until all that was recorded is on the disk. Before a checkpoint is saved, so that not even a power cut leaves the log behind it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&self) -> Result<()> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.file.sync_data().map_err(Error::io(&self.path))
    }

    fn write(&self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_vec(record).expect("a record has only string keys, so it serialises");
        line.push(b'\n');
        if line.len() > MAX_LINE || Record::parse(&line).is_none() {
            let expected = format!("at most {MAX_LINE} bytes long and 120 levels deep, so that it can be read back");
            return Err(Error::setting("a record of a metric", format!("{} bytes long", line.len()), expected));
        }
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.append(&line).map_err(Error::io(&self.path))
    }
}

impl MetricSink for MetricsLog {
    fn scalar(&self, name: &str, step: u64, value: f64) -> jarre_core::Result<()> {
        let nonfinite = NonFinite::of(value);
        Ok(self.write(&Record::Scalar { step, name: name.to_owned(), value: nonfinite.is_none().then_some(value), nonfinite })?)
    }

    fn param(&self, name: &str, value: &Value) -> jarre_core::Result<()> {
        Ok(self.write(&Record::Param { param: name.to_owned(), value: value.clone() })?)
    }
}

/// Where the next line goes.
#[derive(Debug)]
struct End {
    file: File,
    length: u64,
}

impl End {
    /// Leaves the file as it was where the line cannot be written: half a line would spoil the one after it.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(line) {
            self.cut().ok();
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(())
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length)).map(drop)
    }
}

fn copy_until(path: &Path, draft: &Path, last: u64) -> Result<()> {
    let file = File::open(path).map_err(Error::io(path))?;
    let mut kept = BufWriter::new(File::create(draft).map_err(Error::io(draft))?);
    each_record(path, &file, |record, line| if record.is_after(last) { Ok(()) } else { kept.write_all(line).map_err(Error::io(draft)) })?;
    kept.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all()).map_err(Error::io(draft))
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

#[cfg(test)]
mod tests {
    use jarre_core::testing::contract;
    use proptest::prelude::*;
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    fn temporary() -> (TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        (dir, path)
    }

    #[test]
    fn the_log_keeps_the_contract_of_a_sink() {
        let (_dir, path) = temporary();
        let log = MetricsLog::append(&path).unwrap();
        let read = || Metrics::read(&path).unwrap();
        contract::metric_sink(&log, |name| read().scalars(name), |name| read().param(name).cloned());
        log.sync().unwrap();
        assert_eq!(read().names().collect::<Vec<_>>(), ["diverged/π", "loss", "shared"]);
    }

    #[test]
    fn every_line_is_json_as_documented() {
        let (_dir, path) = temporary();
        let log = MetricsLog::append(&path).unwrap();
        log.scalar("loss", 100, 2.5).unwrap();
        log.scalar("a \"b\"\n", u64::MAX, f64::NEG_INFINITY).unwrap();
        log.param("lr", &json!(0.001)).unwrap();
        let expected = "{\"step\":100,\"name\":\"loss\",\"value\":2.5}\n\
             {\"step\":18446744073709551615,\"name\":\"a \\\"b\\\"\\n\",\"value\":null,\"nonfinite\":\"-inf\"}\n\
             {\"param\":\"lr\",\"value\":0.001}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }

    /// Three steps of two metrics, and a setting between them.
    fn write_run(path: &Path) {
        let log = MetricsLog::append(path).unwrap();
        for step in 1..=3 {
            log.scalar("loss", step, step as f64).unwrap();
            log.scalar("grad_norm", step, f64::NAN).unwrap();
            log.param("resumed at", &json!(step)).unwrap();
        }
    }

    #[test]
    fn a_file_cut_at_any_byte_goes_on_after_its_last_finished_line() {
        let (_dir, path) = temporary();
        write_run(&path);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let finished = whole[..length].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            let before = Metrics::read(&path).unwrap();
            let log = MetricsLog::append(&path).unwrap();
            assert_eq!(fs::read(&path).unwrap(), &whole[..finished], "cut at {length}");
            log.scalar("next", 9, 1.0).unwrap();
            let after = Metrics::read(&path).unwrap();
            assert_eq!((after.scalars("loss"), after.scalars("next")), (before.scalars("loss"), vec![(9, 1.0)]));
        }
    }

    #[test]
    fn resuming_drops_later_steps_and_an_unfinished_line_and_keeps_settings() {
        let (_dir, path) = temporary();
        write_run(&path);
        let torn = [fs::read(&path).unwrap(), b"{\"step\":2,\"na".to_vec()].concat();
        fs::write(&path, torn).unwrap();
        let log = MetricsLog::append(&path).unwrap().truncate_after(1).unwrap();
        log.scalar("loss", 2, 0.5).unwrap();
        let metrics = Metrics::read(&path).unwrap();
        assert_eq!(metrics.scalars("loss"), [(1, 1.0), (2, 0.5)]);
        assert_eq!((metrics.scalars("grad_norm").len(), metrics.param("resumed at")), (1, Some(&json!(3))));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 6, "a loss, a norm, three settings, a new loss");
        assert!(!draft_of(&path).exists());
        drop(log);
        let before = fs::read(&path).unwrap();
        drop(MetricsLog::append(&path).unwrap().truncate_after(2).unwrap());
        assert_eq!(fs::read(&path).unwrap(), before, "nothing is later");
        drop(MetricsLog::append(&path).unwrap().truncate_after(0).unwrap());
        assert_eq!(Metrics::read(&path).unwrap().names().count(), 0);
    }

    #[test]
    fn what_is_not_a_log_is_refused_with_the_line_and_left_alone() {
        let (_dir, path) = temporary();
        let refused = [
            "{}",
            "[]",
            "null",
            "",
            "{\"step\":1,\"name\":\"a\",\"value\":null}",
            "{\"step\":1,\"name\":\"a\",\"value\":1.0,\"nonfinite\":\"nan\"}",
            "{\"step\":1,\"name\":\"a\",\"value\":NaN}",
            "{\"step\":-1,\"name\":\"a\",\"value\":1.0}",
            "{\"step\":1,\"name\":\"a\",\"value\":1.0,\"more\":1}",
            "{\"step\":1,\"step\":2,\"name\":\"a\",\"value\":1.0}",
            "\u{0}\u{0}",
        ];
        for line in refused.map(str::to_owned).into_iter().chain(["[".repeat(10_000), "x".repeat(2 * MAX_LINE)]) {
            let content = format!("{{\"step\":1,\"name\":\"a\",\"value\":1.0}}\n{line}\n");
            fs::write(&path, &content).unwrap();
            let errors = [Metrics::read(&path).unwrap_err(), MetricsLog::append(&path).unwrap_err()];
            for error in errors {
                assert!(matches!(error, Error::Corrupt { .. }) && error.to_string().contains("line 2 is "), "{error}");
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert!(matches!(Metrics::read(&path.with_extension("none")), Err(Error::Io { .. })));
    }

    #[test]
    fn a_line_that_could_not_be_read_back_is_not_written() {
        let (_dir, path) = temporary();
        let log = MetricsLog::append(&path).unwrap();
        assert!(log.param("text", &json!("x".repeat(MAX_LINE))).is_err());
        assert!(log.param("deep", &(0..200).fold(json!(1), |inner, _| json!([inner]))).is_err());
        assert!(fs::read(&path).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn figures_come_back_bit_for_bit(value in prop::num::f64::ANY, name in ".*", step: u64) {
            let (_dir, path) = temporary();
            MetricsLog::append(&path).unwrap().scalar(&name, step, value).unwrap();
            let read = Metrics::read(&path).unwrap().scalars(&name);
            prop_assert_eq!(read.len(), 1);
            prop_assert!(read[0].0 == step && (read[0].1.to_bits() == value.to_bits() || value.is_nan() && read[0].1.is_nan()));
        }
    }
}
