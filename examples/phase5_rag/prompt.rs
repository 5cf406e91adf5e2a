//! Questions from the person at the terminal, or from a pipe.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Result;

use crate::reply::Session;

/// Reads a question a line until the input ends.
pub(crate) fn run(session: &mut Session<'_>) -> Result<()> {
    let terminal = io::stdin().is_terminal();
    if terminal {
        eprintln!("\nAsk a question; an empty line or Ctrl-D ends.");
    }
    let mut lines = io::stdin().lock().lines();
    loop {
        if terminal {
            eprint!("> ");
            io::stderr().flush()?;
        }
        match lines.next().transpose()? {
            Some(line) if !line.trim().is_empty() => session.ask(line.trim())?,
            Some(_) if !terminal => {}
            _ => return Ok(()),
        }
    }
}
