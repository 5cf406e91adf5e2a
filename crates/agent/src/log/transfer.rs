use std::io::{BufRead, Read, Write};

use jarre_kv_store::{Compare, Txn};

use super::{Chain, EventLog, RunSummary, Stored, decode, parts, record_key, record_range};
use crate::{Error, Event, Result};

/// The most bytes that a line is read up to.
const LONGEST: u64 = parts::MOST as u64 + 1;

impl EventLog {
    /// Writes a run as JSON Lines: its records as they are stored, so that hashes can be taken of the lines ([`verify_lines`](super::verify_lines)).
    /// Returns how many.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`Error::Io`] where `to` cannot be written.
    pub async fn export(&self, run: &str, to: &mut (dyn Write + Send)) -> Result<u64> {
        let Stored { summary, now, .. } = self.stored(run).await?;
        let mut chain = Chain::new(run);
        self.each_line(record_range(run, 0, None), Some(now), |line| {
            chain.check(&line)?;
            to.write_all(&line).and_then(|()| to.write_all(b"\n")).map_err(|source| io("write the log", source))
        })
        .await?;
        super::ends_as_told(&chain, &summary)?;
        to.flush().map_err(|source| io("write the log", source))?;
        Ok(chain.next())
    }

    /// Takes in a run that was [exported](Self::export), checked record by record, under the name that it began with. An import that broke off is
    /// taken up where it stopped when it is made again with the same lines.
    ///
    /// # Errors
    /// [`Error::Log`] with the first record that does not hold; those before it stay. [`Error::RunExists`] where there is another run of that name,
    /// [`Error::Invalid`] where the first line begins no run, [`Error::Io`] where `from` cannot be read.
    pub async fn import(&self, from: &mut (dyn BufRead + Send)) -> Result<RunSummary> {
        let mut run: Option<(Chain, RunSummary)> = None;
        while let Some(line) = next_line(from)? {
            let (chain, summary) = match &mut run {
                Some(run) => run,
                None => run.insert(first(&line)?),
            };
            let record = chain.check(&line)?;
            summary.apply(&record, chain);
            let (name, key) = (summary.run.clone(), record_key(&summary.run, record.seq));
            let mut txn = Txn::new().when(Compare::missing(parts::first(&key))).then(self.summaries.put_op(&name, summary)?);
            txn.then.extend(parts::put(&key, &line, "a record")?);
            if !self.store().txn(txn).await?.succeeded && !self.holds(&name, record.seq, &line).await? {
                return Err(Error::RunExists { run: name });
            }
        }
        match run {
            Some((_, summary)) => self.summary(&summary.run).await,
            None => Err(Error::Invalid("there is no record to import".into())),
        }
    }

    async fn holds(&self, run: &str, seq: u64, wanted: &[u8]) -> Result<bool> {
        let mut held = false;
        self.each_line(record_range(run, seq, seq.checked_add(1)), None, |line| {
            held = line == wanted;
            Ok(())
        })
        .await?;
        Ok(held)
    }
}

/// Where an import begins: before the record that begins its run.
fn first(line: &[u8]) -> Result<(Chain, RunSummary)> {
    let record = decode(line).map_err(|bad| Error::Invalid(format!("the first line begins no run: {bad}")))?;
    let Event::Started { run, .. } = record.event else {
        return Err(Error::Invalid("the first line begins no run: it is another event".into()));
    };
    super::checked_name(&run)?;
    Ok((Chain::new(&run), RunSummary::new(&run)))
}

/// The next line that is not blank, without its end.
fn next_line(from: &mut (dyn BufRead + Send)) -> Result<Option<Vec<u8>>> {
    loop {
        let mut line = Vec::new();
        let read = Read::take(&mut *from, LONGEST + 1).read_until(b'\n', &mut line).map_err(|source| io("read the log", source))?;
        if read == 0 {
            return Ok(None);
        }
        if line.len() as u64 > LONGEST {
            return Err(Error::Invalid(format!("a line is over the {} bytes that are kept at once", parts::MOST)));
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            return Ok(Some(text.to_vec()));
        }
    }
}

fn io(doing: &str, source: std::io::Error) -> Error {
    Error::Io { doing: doing.to_owned(), source }
}
