use super::{Chain, EventLog, Stored, ends_as_told};
use crate::{Error, Result};

/// A log that holds together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The run.
    pub run: String,
    /// How many records it has.
    pub records: u64,
    /// BLAKE3 of the last one, in hex. Kept elsewhere, it tells later whether the log was written anew or cut.
    pub head: String,
}

/// The first place where a log does not hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// The number of the record.
    pub at: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl EventLog {
    /// Reads a whole log and holds each record to the one before it, and the last one to what was written.
    ///
    /// # Errors
    /// [`Error::Log`] with the first record that does not hold, [`Error::NoRun`] where there is no such run.
    pub async fn verify(&self, run: &str) -> Result<Verified> {
        let Stored { summary, now, .. } = self.stored(run).await?;
        let mut chain = Chain::new(run);
        let range = super::record_range(run, 0, None);
        self.each_line(range, Some(now), |line| chain.check(&line).map(drop)).await?;
        ends_as_told(&chain, &summary)?;
        Ok(Verified { run: summary.run, records: summary.records, head: summary.head })
    }
}

/// Verifies the lines of an exported log without a store.
///
/// # Errors
/// The first record that does not hold.
pub fn verify_lines<'a>(run: &str, lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Verified, Broken> {
    let mut chain = Chain::new(run);
    for line in lines {
        chain.check(line).map_err(|error| match error {
            Error::Log { at, reason, .. } => Broken { at, reason },
            other => Broken { at: chain.next(), reason: other.to_string() },
        })?;
    }
    Ok(Verified { run: run.to_owned(), records: chain.next(), head: chain.head().to_owned() })
}
