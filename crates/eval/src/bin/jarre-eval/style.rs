//! Colours of verdicts, on terminals that show them: `NO_COLOR` and pipes are heeded.

use std::io::{IsTerminal, stdout};

use jarre_eval::compare::Decision;

pub fn warning(text: &str) -> String {
    painted("33", text)
}

pub fn decision(decision: Decision) -> String {
    let code = match decision {
        Decision::Pass => "32;1",
        Decision::Inconclusive => "33;1",
        Decision::Fail | Decision::Incomparable => "31;1",
    };
    painted(code, &decision.to_string())
}

/// What is better in green, worse in red, and what cannot be told as it is.
pub fn verdict(is_better: Option<bool>, text: &str) -> String {
    match is_better {
        Some(true) => painted("32", text),
        Some(false) => painted("31", text),
        None => text.to_owned(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a program is told by its environment whether colours are wanted")]
fn painted(code: &str, text: &str) -> String {
    let wanted = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}
