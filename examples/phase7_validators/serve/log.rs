use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use jarre_core::Timestamp;
use jarre_guardrails::pipeline::Decision;
use serde::Serialize;

/// Lines that wait for the disk at most.
const WAITING: usize = 8192;

/// A file of decisions, a JSON object a line, without any text. A thread of its own writes it: answers do not wait for the disk.
pub(crate) struct DecisionLog {
    /// Taken when this is dropped, which ends the thread once all is written.
    lines: Option<SyncSender<String>>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(flatten)]
    decision: &'a Decision,
}

impl DecisionLog {
    /// Writes to the end of the file at `path`, which only its owner may read where it is made.
    ///
    /// # Errors
    /// Where the file cannot be opened, or no thread be had.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let (lines, waiting) = sync_channel(WAITING);
        let writer = std::thread::Builder::new().name("decisions".into()).spawn(move || {
            if let Err(error) = write(BufWriter::new(file), &waiting) {
                eprintln!("decisions can no longer be logged: {error}");
            }
        })?;
        Ok(Self { lines: Some(lines), writer: Some(writer) })
    }

    /// Hands a decision to the writer. Not so where the disk is too slow or is full.
    pub(super) fn write(&self, time: Timestamp, decision: &Decision) -> bool {
        let mut line = serde_json::to_string(&Line { time: time.to_string(), decision }).expect("decisions can be written as JSON");
        line.push('\n');
        self.lines.as_ref().is_some_and(|lines| lines.try_send(line).is_ok())
    }
}

/// Lines that come together are written together.
fn write(mut file: impl Write, waiting: &Receiver<String>) -> io::Result<()> {
    while let Ok(mut line) = waiting.recv() {
        loop {
            file.write_all(line.as_bytes())?;
            line = match waiting.try_recv() {
                Ok(line) => line,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            };
        }
        file.flush()?;
    }
    Ok(())
}

impl Drop for DecisionLog {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // What went wrong there was told.
            let _ = writer.join();
        }
    }
}
