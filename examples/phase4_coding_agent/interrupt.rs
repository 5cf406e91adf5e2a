//! Ctrl-C: the first asks for the end, the second ends the program.

use std::{
    io::{self, Write},
    process,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result};

/// What shells say of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Ends commands of the sandbox.
pub(crate) fn cancels(cancel: &jarre_sandbox::Cancel) -> Result<()> {
    let cancel = cancel.clone();
    on_first(move || cancel.cancel())
}

/// Does `act` at the first Ctrl-C.
pub(crate) fn on_first(act: impl FnOnce() + Send + 'static) -> Result<()> {
    let act = Mutex::new(Some(act));
    let strike = move || match act.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(act) => {
            // Where nobody reads it any more, the end is asked for all the same.
            let _ = writeln!(io::stderr(), "\nending; Ctrl-C again ends at once");
            act();
        }
        None => process::exit(INTERRUPTED),
    };
    ctrlc::set_handler(strike).context("cannot watch for Ctrl-C")
}
