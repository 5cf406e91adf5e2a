//! What a person sees while documents are read.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jarre_rag::{
    Report,
    index::{Event, Progress},
};

/// A bar over the files, with the rate of passages and the time that is left; nothing where the terminal is none.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = "{spinner} {msg:<28!} {wide_bar} {pos}/{len} files, {prefix} passages, {elapsed}, {eta} left";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    pub(crate) fn show(&self, progress: &Progress<'_>) {
        self.bar.set_length(progress.total as u64);
        self.bar.set_position(progress.done as u64);
        let seconds = self.bar.elapsed().as_secs_f64().max(f64::EPSILON);
        self.bar.set_prefix(format!("{} ({:.0}/s)", progress.chunks, progress.chunks as f64 / seconds));
        match progress.event {
            Event::Read { document, .. } => self.bar.set_message(document.to_string()),
            Event::Failed { document, reason } => self.bar.suspend(|| eprintln!("skipped {document}: {reason}")),
            _ => {}
        }
    }

    /// Takes the bar away and sums up.
    pub(crate) fn finish(self, report: &Report) {
        let elapsed = self.bar.elapsed().as_secs_f64();
        self.bar.finish_and_clear();
        for unreadable in &report.unreadable {
            eprintln!("skipped {unreadable}");
        }
        eprintln!("{} in {elapsed:.1} s", summary(report));
    }
}

fn summary(report: &Report) -> String {
    let done = &report.summary;
    let counts = [
        (done.added, "added"),
        (done.replaced, "replaced"),
        (done.removed, "removed"),
        (done.unchanged, "unchanged"),
        (done.failed.len() + report.unreadable.len(), "skipped, each with its reason above"),
        (report.unsupported, "of other formats"),
    ];
    let files: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let files = if files.is_empty() { "nothing to read".to_owned() } else { files.join(", ") };
    format!("files: {files}; {} new passages", done.chunks)
}
