//! Ctrl-C: while documents are read it ends the reading with what is done kept; at any other time, or the second time, the process.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result};

use crate::INTERRUPTED;

#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    guarded: Arc<AtomicBool>,
    raised: Arc<AtomicBool>,
}

impl Interrupt {
    pub(crate) fn install() -> Result<Self> {
        let interrupt = Self::default();
        let handler = interrupt.clone();
        ctrlc::set_handler(move || handler.raise()).context("cannot watch for Ctrl-C")?;
        Ok(interrupt)
    }

    /// Runs `work` with a flag that turns true when the person interrupts.
    pub(crate) fn guard<T>(&self, work: impl FnOnce(&AtomicBool) -> T) -> T {
        self.guarded.store(true, Ordering::SeqCst);
        let done = work(&self.raised);
        self.guarded.store(false, Ordering::SeqCst);
        done
    }

    /// The index survives an exit at any moment, so the second Ctrl-C need not wait.
    fn raise(&self) {
        if self.raised.swap(true, Ordering::SeqCst) || !self.guarded.load(Ordering::SeqCst) {
            process::exit(i32::from(INTERRUPTED));
        }
        eprintln!("\nstopping after this file; once more to stop at once");
    }
}
