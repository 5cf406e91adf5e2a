//! A log that was exported: its records, one a line, each with the hash of the line before it.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context, Result, bail};
use jarre_agent::{
    Event, Record,
    log::{Chain, decode, encode},
};

/// The records as the log stores them, so that the hashes in them are those of the lines.
pub(crate) fn written(records: &[Record]) -> Result<String> {
    records.iter().map(line).collect()
}

/// One of them, with its end.
pub(crate) fn line(record: &Record) -> Result<String> {
    Ok(String::from_utf8(encode(record)?)? + "\n")
}

/// The records of a file, each held to the one before it: a line that was changed, left out or moved is refused.
pub(crate) fn read(path: &Path) -> Result<Vec<Record>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let (mut records, mut chain) = (Vec::new(), None);
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let place = || format!("{}, line {}", path.display(), number + 1);
        let line = line.with_context(place)?;
        let chain = match &mut chain {
            Some(chain) => chain,
            None => chain.insert(begun(&line).with_context(place)?),
        };
        records.push(chain.check(line.as_bytes()).with_context(place)?);
    }
    Ok(records)
}

/// The chain of the run that a line begins.
fn begun(line: &str) -> Result<Chain> {
    match decode(line.as_bytes())?.event {
        Event::Started { run, .. } => Ok(Chain::new(&run)),
        _ => bail!("a log begins with the record that begins its run, and this is another"),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use jarre_agent::{Journal, MemoryJournal, Settings, Task, log::verify_lines};
    use jarre_core::{ModelInfo, SystemClock};
    use pollster::block_on;

    use super::*;

    fn records() -> Vec<Record> {
        let journal = MemoryJournal::new("run", Arc::new(SystemClock::new()));
        let (task, settings, model) = (Task::default(), Settings::default(), ModelInfo::new("jarre", "none"));
        let started = Event::Started { run: "run".into(), task, settings, tools: Vec::new(), model };
        let cancelled = Event::Cancelled { reason: "enough".into() };
        for event in [started, cancelled, Event::Remembered] {
            block_on(journal.append(event)).unwrap();
        }
        journal.records()
    }

    #[test]
    fn what_is_written_can_be_verified_and_read_back() {
        let (records, folder) = (records(), tempfile::tempdir().unwrap());
        let text = written(&records).unwrap();
        assert_eq!(verify_lines("run", text.lines().map(str::as_bytes)).unwrap().records, 3);
        let path = folder.path().join("log");
        fs::write(&path, text).unwrap();
        assert_eq!(read(&path).unwrap(), records);
    }

    #[test]
    fn a_file_that_was_edited_is_refused_at_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let (path, text) = (folder.path().join("log"), written(&records()).unwrap());
        let said = |text: &str| {
            fs::write(&path, text).unwrap();
            format!("{:#}", read(&path).unwrap_err())
        };
        assert!(said(&text.replace("enough", "plenty")).contains("line 3: "), "the line behind the one that was changed tells");
        let lines: Vec<&str> = text.lines().collect();
        assert!(said(&[lines[0], lines[2]].join("\n")).contains("line 2: "));
        assert!(said(lines[1]).contains("line 1: a log begins"));
    }
}
