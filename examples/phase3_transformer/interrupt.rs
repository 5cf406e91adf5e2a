//! Ctrl-C: a training ends after the step that it is in and leaves a checkpoint; the second time the process ends at once.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::INTERRUPTED;

#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub(crate) fn install() -> Result<Self> {
        let interrupt = Self::default();
        let flag = interrupt.0.clone();
        let handler = move || {
            if flag.swap(true, Ordering::SeqCst) {
                process::exit(i32::from(INTERRUPTED));
            }
            eprintln!("\nstopping after this step; once more to stop at once");
        };
        ctrlc::set_handler(handler).context("cannot watch for Ctrl-C")?;
        Ok(interrupt)
    }

    /// For processes that another one tells when to stop.
    pub(crate) fn ignore() -> Result<()> {
        ctrlc::set_handler(|| {}).context("cannot watch for Ctrl-C")
    }

    pub(crate) fn raised(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
