use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::lead::Lead;
use crate::{Error, Result};

/// A thread that gives the workers signs of life until it is dropped: they wait for a step no longer than the ring's timeout.
#[derive(Debug)]
pub(super) struct Pulse {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    /// # Errors
    /// Where the system gives no thread.
    pub(super) fn start(lead: Arc<Mutex<Lead>>, interval: Duration) -> Result<Self> {
        let (stop, stopped) = channel();
        let beat = move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                // It is kept as the reason why the next step fails.
                if lock(&lead).pulse().is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("tensor-parallel pulse".to_owned()).spawn(beat);
        let thread = thread.map_err(|error| Error::Engine(format!("no thread to run on: {error}")))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It has no result, and its panic was told where it happened.
            let _ = thread.join();
        }
    }
}

pub(super) fn lock(lead: &Mutex<Lead>) -> MutexGuard<'_, Lead> {
    lead.lock().unwrap_or_else(PoisonError::into_inner)
}
