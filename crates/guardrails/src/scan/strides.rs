use std::{borrow::Cow, ops::Range};

use super::boundary_before;
use crate::{Effect, Finding, Result, Scan};

/// Windows of a text: one ends at every `stride` bytes and at the end of the text, and reaches back `length` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Bytes of a window.
    pub length: usize,
    /// Bytes from one window's end to the next one's: what is held back until it is judged.
    pub stride: usize,
}

/// Judges a text window by window, as classifiers do: what one says of a window falls on the stride at its end.
///
/// Windows stand at places of the text, whatever pieces it comes in; ends are moved back to character boundaries.
pub struct Strides<F> {
    window: Window,
    judge: F,
    text: String,
    base: usize,
    decided: usize,
}

/// What is wrong with a window: its label, how sure that is, and what is to be done.
type Judgement = (Cow<'static, str>, f32, Effect);

impl<F: FnMut(&str) -> Result<I> + Send, I: IntoIterator<Item = Judgement>> Strides<F> {
    /// Judges by `judge`, which says what is wrong with a window: an `Option` or any number of things.
    ///
    /// # Panics
    /// Where the stride is less than 4 bytes, which a character can have, or longer than the window.
    pub fn new(window: Window, judge: F) -> Self {
        assert!((4..=window.length).contains(&window.stride), "a stride has 4 bytes at least and is no longer than the window");
        Self { window, judge, text: String::new(), base: 0, decided: 0 }
    }

    fn judge(&mut self, end: usize, found: &mut Vec<Finding>) -> Result<()> {
        let to = boundary_before(&self.text, end - self.base);
        let span: Range<usize> = self.decided..self.base + to;
        if span.is_empty() {
            return Ok(());
        }
        let from = boundary_before(&self.text, to.saturating_sub(self.window.length));
        for (label, score, effect) in (self.judge)(&self.text[from..to])? {
            found.push(Finding { span: span.clone(), label, score, effect });
        }
        self.decided = span.end;
        Ok(())
    }

    fn forget(&mut self) {
        let cut = boundary_before(&self.text, (self.decided - self.base).saturating_sub(self.window.length + 4));
        if cut > self.text.len() / 2 {
            self.text.drain(..cut);
            self.base += cut;
        }
    }
}

impl<F: FnMut(&str) -> Result<I> + Send, I: IntoIterator<Item = Judgement>> Scan for Strides<F> {
    fn push(&mut self, text: &str, found: &mut Vec<Finding>) -> Result<()> {
        self.text.push_str(text);
        let stride = self.window.stride;
        loop {
            // The last boundary at most 3 bytes before a multiple of the stride.
            let end = ((self.decided + 3) / stride + 1) * stride;
            if end > self.base + self.text.len() {
                break;
            }
            self.judge(end, found)?;
        }
        self.forget();
        Ok(())
    }

    fn finish(&mut self, found: &mut Vec<Finding>) -> Result<()> {
        self.judge(self.base + self.text.len(), found)
    }

    fn decided(&self) -> usize {
        self.decided
    }
}

impl<F> std::fmt::Debug for Strides<F> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Strides").field("window", &self.window).field("decided", &self.decided).finish_non_exhaustive()
    }
}
