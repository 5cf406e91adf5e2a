use std::{fmt::Write as _, sync::Arc};

use jarre_core::{Error, ErrorKind};
use jarre_sandbox::{Cancel, Captured, Command, Execution, Exit, LimitHit, Limits, Result, Sandbox};

/// Runs commands: a sandbox, or a double in tests.
///
/// What implementations keep: nothing that a command started goes on when this returns, and nothing is run where a layer that is required is missing.
pub trait Runner: Send + Sync {
    /// Runs `command` to its end or to a limit, and waits for it.
    ///
    /// # Errors
    /// Where it was not run.
    fn run(&self, command: &Command, limits: &Limits) -> Result<Execution>;

    /// The same, ended where `cancel` is set: what tools call. Implementations that can end a command state it; otherwise it runs on to its limits.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    fn run_until(&self, command: &Command, limits: &Limits, cancel: &Cancel) -> Result<Execution> {
        let _ = cancel;
        self.run(command, limits)
    }
}

impl Runner for Sandbox {
    fn run(&self, command: &Command, limits: &Limits) -> Result<Execution> {
        self.run_with(command, limits, &Cancel::new())
    }

    fn run_until(&self, command: &Command, limits: &Limits, cancel: &Cancel) -> Result<Execution> {
        self.run_with(command, limits, cancel)
    }
}

impl<T: Runner + ?Sized> Runner for Arc<T> {
    fn run(&self, command: &Command, limits: &Limits) -> Result<Execution> {
        (**self).run(command, limits)
    }

    fn run_until(&self, command: &Command, limits: &Limits, cancel: &Cancel) -> Result<Execution> {
        (**self).run_until(command, limits, cancel)
    }
}

/// Runs a command for a tool: that a sandbox did not run it, and that the call was cancelled, is nothing that the model can mend.
pub(super) fn executed(runner: &dyn Runner, command: &Command, limits: &Limits, cancel: &Cancel) -> jarre_core::Result<Execution> {
    let refused = |error: jarre_sandbox::Error| Error::new(ErrorKind::Refused, error.to_string()).with_source(error);
    let execution = runner.run_until(command, limits, cancel).map_err(refused)?;
    if execution.limits_hit.contains(&LimitHit::Cancelled) {
        return Err(Error::new(ErrorKind::Cancelled, "the command was cancelled"));
    }
    Ok(execution)
}

/// How a command ended, in words.
pub(super) fn ending(execution: &Execution) -> String {
    let mut told = match execution.exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("ended by signal {signal}"),
    };
    for limit in &execution.limits_hit {
        told.push_str(match limit {
            LimitHit::Wall => ", it took too long and was ended",
            LimitHit::Cpu => ", it used up its processor time",
            LimitHit::Memory => ", it used up its memory",
            LimitHit::Processes => ", it started too many processes",
            LimitHit::FileSize => ", it wrote too large a file",
            LimitHit::Disk => ", it wrote too much to disk",
            LimitHit::Output => ", it wrote more output than is kept",
            _ => ", it ran into a limit",
        });
    }
    told
}

/// A stream with a heading, cut in its middle to so many characters; empty where nothing was written.
pub(super) fn stream(heading: &str, captured: &Captured, chars: usize) -> String {
    if captured.text.is_empty() && captured.dropped == 0 {
        return String::new();
    }
    let mut told = format!("--- {heading}\n{}\n", middle_cut(captured.text.trim_end_matches('\n'), chars));
    if captured.dropped > 0 {
        let _ = writeln!(told, "({} bytes were dropped from the middle)", captured.dropped);
    }
    told
}

/// The beginning and the end of `text`, of so many characters together.
fn middle_cut(text: &str, chars: usize) -> String {
    let count = text.chars().count();
    if count <= chars {
        return text.to_owned();
    }
    let place = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    let (start, end) = (place(chars / 2), place(count - chars.div_ceil(2)));
    format!("{}\n… ({} characters left out)\n{}", &text[..start], count - chars, &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_output_keeps_its_beginning_and_its_end() {
        assert_eq!(middle_cut("äbcdefgh", 4), "äb\n… (4 characters left out)\ngh");
        assert_eq!(middle_cut("äbcd", 4), "äbcd");
        let captured = Captured { text: "x\n".into(), dropped: 7 };
        assert_eq!(stream("stdout", &captured, 100), "--- stdout\nx\n(7 bytes were dropped from the middle)\n");
    }
}
