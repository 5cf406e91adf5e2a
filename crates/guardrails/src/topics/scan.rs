use std::{ops::Range, sync::Arc};

use jarre_core::ErrorKind;

use super::{guard::Topics, topic::unit};
use crate::{
    Finding, Result, Scan,
    scan::{Window, boundary_before},
};

/// Windows that are embedded together, at most.
const BATCH: usize = 64;

/// Reads windows as [`Strides`](crate::scan::Strides) does, many at a time.
pub(super) struct TopicScan {
    topics: Arc<Topics>,
    window: Window,
    /// The text from `base` on.
    text: String,
    base: usize,
    decided: usize,
}

impl TopicScan {
    pub(super) fn new(topics: Arc<Topics>, window: Window) -> Self {
        Self { topics, window, text: String::new(), base: 0, decided: 0 }
    }

    fn read(&mut self, ended: bool, found: &mut Vec<Finding>) -> Result<()> {
        let mut strides = Vec::new();
        let mut at = self.decided;
        while let Some(end) = self.end_after(at, ended) {
            strides.push(at..end);
            at = end;
        }
        for strides in strides.chunks(BATCH) {
            self.judge(strides, found)?;
        }
        // What no window reaches back to.
        let cut = boundary_before(&self.text, (self.decided - self.base).saturating_sub(self.window.length + 4));
        if cut > self.text.len() / 2 {
            self.text.drain(..cut);
            self.base += cut;
        }
        Ok(())
    }

    /// Where the stride ends that begins at `at`: at the last boundary at most 3 bytes before a multiple of the stride.
    fn end_after(&self, at: usize, ended: bool) -> Option<usize> {
        let all = self.base + self.text.len();
        let end = ((at + 3) / self.window.stride + 1) * self.window.stride;
        if end <= all {
            return Some(self.base + boundary_before(&self.text, end - self.base));
        }
        (ended && at < all).then_some(all)
    }

    fn judge(&mut self, strides: &[Range<usize>], found: &mut Vec<Finding>) -> Result<()> {
        let windows = strides.iter().map(|stride| self.window_to(stride.end)).filter(|text| self.says_enough(text));
        let windows: Vec<&str> = windows.collect();
        let mut vectors = self.embed(&windows)?.into_iter();
        for stride in strides {
            if self.says_enough(self.window_to(stride.end)) {
                found.extend(vectors.next().and_then(|vector| self.verdict(&vector, stride)));
            }
        }
        self.decided = strides.last().map_or(self.decided, |stride| stride.end);
        Ok(())
    }

    fn embed(&self, windows: &[&str]) -> Result<Vec<Vec<f32>>> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let vectors = self.topics.embedder.embed(windows)?;
        if vectors.len() != windows.len() {
            let message = format!("the embedder gave {} vectors for {} texts", vectors.len(), windows.len());
            return Err(jarre_core::Error::new(ErrorKind::InvalidResponse, message).into());
        }
        Ok(vectors.rows().map(unit).collect())
    }

    fn window_to(&self, end: usize) -> &str {
        let to = end - self.base;
        &self.text[boundary_before(&self.text, to.saturating_sub(self.window.length))..to]
    }

    fn says_enough(&self, text: &str) -> bool {
        text.chars().filter(|character| character.is_alphabetic()).count() >= self.topics.config.least.max(1)
    }

    fn verdict(&self, vector: &[f32], stride: &Range<usize>) -> Option<Finding> {
        let Topics { config, deny, allow, .. } = &*self.topics;
        let found = |label: String, score: f32| {
            Some(Finding { span: stride.clone(), label: label.into(), score: score.clamp(0.0, 1.0), effect: config.effect.clone() })
        };
        let denied = deny.iter().map(|topic| (topic, topic.closeness(vector))).filter(|(topic, close)| *close >= topic.threshold);
        if let Some((topic, close)) = denied.max_by(|a, b| a.1.total_cmp(&b.1)) {
            return found(topic.name.clone(), close);
        }
        if allow.is_empty() || allow.iter().any(|topic| topic.closeness(vector) >= topic.threshold) {
            return None;
        }
        let closest = allow.iter().map(|topic| topic.closeness(vector)).fold(0.0, f32::max);
        found("off_topic".into(), 1.0 - closest)
    }
}

impl Scan for TopicScan {
    fn push(&mut self, text: &str, found: &mut Vec<Finding>) -> Result<()> {
        self.text.push_str(text);
        self.read(false, found)
    }

    fn finish(&mut self, found: &mut Vec<Finding>) -> Result<()> {
        self.read(true, found)
    }

    fn decided(&self) -> usize {
        self.decided
    }
}
