use crate::{Finding, Result, Scan};

/// Reads the whole text once it is there.
pub struct Whole<F> {
    text: String,
    read: F,
    decided: usize,
}

impl<F: FnMut(&str) -> Result<Vec<Finding>> + Send> Whole<F> {
    /// Reads by `read`, whose findings are in the order of their places.
    pub fn new(read: F) -> Self {
        Self { text: String::new(), read, decided: 0 }
    }
}

impl<F: FnMut(&str) -> Result<Vec<Finding>> + Send> Scan for Whole<F> {
    fn push(&mut self, text: &str, _: &mut Vec<Finding>) -> Result<()> {
        self.text.push_str(text);
        Ok(())
    }

    fn finish(&mut self, found: &mut Vec<Finding>) -> Result<()> {
        found.extend((self.read)(&self.text)?);
        self.decided = self.text.len();
        Ok(())
    }

    fn decided(&self) -> usize {
        self.decided
    }
}

impl<F> std::fmt::Debug for Whole<F> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Whole").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}
