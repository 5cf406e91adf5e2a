use std::{
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use jarre_eval::experiment::Progress;

/// A bar on a terminal; nothing elsewhere, and nothing where it is not wanted.
pub fn bar(variant: &str, quiet: bool) -> ProgressBar {
    if quiet || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg} {eta}").expect("the template is well formed");
    let bar = ProgressBar::new(0).with_style(style).with_prefix(variant.to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Moves `bar` to where a run is.
pub fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
    let mean = progress.mean().map_or_else(String::new, |mean| format!("mean {mean:.3} "));
    let failed = if progress.failed > 0 { format!("{} failed ", progress.failed) } else { String::new() };
    bar.set_message(format!("{mean}{failed}{} tokens {}", progress.usage.total_tokens(), progress.cost));
}
