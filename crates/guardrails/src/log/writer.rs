use std::{
    fmt,
    io::{self, Write},
};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::Redactor;

/// Makes writers whose text goes through a [`Redactor`] as a whole, when the event is written.
#[derive(Clone, Debug)]
pub struct RedactedWriter<M> {
    inner: M,
    redactor: Redactor,
}

impl<M> RedactedWriter<M> {
    /// Writes to what `inner` makes, without what `redactor` hides. Names of fields are not seen here.
    pub fn new(inner: M, redactor: Redactor) -> Self {
        Self { inner, redactor }
    }

    fn line<W: Write>(&self, inner: W) -> RedactedLine<W> {
        RedactedLine { inner, redactor: self.redactor.clone(), held: Vec::new() }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for RedactedWriter<M> {
    type Writer = RedactedLine<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        self.line(self.inner.make_writer())
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        self.line(self.inner.make_writer_for(meta))
    }
}

/// Holds what is written until it is flushed or dropped, so that a value in two writes is seen as one.
pub struct RedactedLine<W: Write> {
    inner: W,
    redactor: Redactor,
    held: Vec<u8>,
}

impl<W: Write> RedactedLine<W> {
    fn pass_on(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let mut text = String::from_utf8(std::mem::take(&mut self.held))
            .unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned());
        let ended = text.ends_with('\n');
        self.redactor.redact(&mut text);
        if ended && !text.ends_with('\n') {
            text.push('\n');
        }
        self.inner.write_all(text.as_bytes())
    }
}

impl<W: Write> Write for RedactedLine<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for RedactedLine<W> {
    /// An error has nowhere to go here; a caller that wants it flushes.
    fn drop(&mut self) {
        let _ = self.pass_on();
    }
}

impl<W: Write> fmt::Debug for RedactedLine<W> {
    /// Tells nothing of what it holds.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RedactedLine").finish_non_exhaustive()
    }
}
