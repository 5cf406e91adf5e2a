//! What a person sees while a corpus is made and a model is trained; nothing where the terminal is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jarre_transformer::corpus::Progress;
use jarre_transformer::train::StepReport;

/// A bar for the making of tokenizer and corpus.
pub(crate) struct CorpusBar(ProgressBar);

impl CorpusBar {
    pub(crate) fn new() -> Self {
        Self(bar("{spinner} {msg} {wide_bar} {bytes}/{total_bytes}, {eta} left"))
    }

    pub(crate) fn show(&self, progress: Progress) {
        match progress {
            Progress::Counting { documents, .. } => self.0.set_message(format!("reading, {documents} documents")),
            Progress::Merging => self.0.set_message("learning the vocabulary"),
            Progress::Tokenizing { documents, tokens, read_bytes, total_bytes } => {
                self.0.set_length(total_bytes);
                self.0.set_position(read_bytes);
                self.0.set_message(format!("{documents} documents, {tokens} tokens"));
            }
            _ => {}
        }
    }
}

impl Drop for CorpusBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar over the steps of a training.
pub(crate) struct StepBar {
    bar: ProgressBar,
    label: String,
}

impl StepBar {
    pub(crate) fn new(label: &str, steps: u64, done: u64) -> Self {
        let bar = bar("{spinner} {msg} {wide_bar} {pos}/{len} steps, {elapsed}, {eta} left").with_position(done);
        bar.set_length(steps);
        bar.reset_eta();
        Self { bar, label: label.to_owned() }
    }

    pub(crate) fn show(&self, report: &StepReport, tokens_per_second: f64) {
        self.bar.set_position(report.step);
        self.bar.set_message(format!("{}loss {:.3}, {tokens_per_second:.0} tokens/s", self.label, report.loss));
    }

    /// A line above the bar.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }
}

impl Drop for StepBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar over work of a known size.
pub(crate) struct WorkBar(ProgressBar);

impl WorkBar {
    pub(crate) fn new(label: &'static str, length: u64) -> Self {
        let bar = bar("{spinner} {msg} {wide_bar} {pos}/{len}, {eta} left");
        bar.set_length(length);
        bar.set_message(label);
        Self(bar)
    }

    pub(crate) fn advance(&self, done: u64) {
        self.0.inc(done);
    }
}

impl Drop for WorkBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
