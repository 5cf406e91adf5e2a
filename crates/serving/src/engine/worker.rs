use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_channel::mpsc::UnboundedSender;
use jarre_core::Clock;

use super::admission::Admitted;
use super::core::{EngineCore, RequestKey};
use super::handle::Board;
use crate::output::Output;
use crate::{Error, ModelRunner, PooledRequest};

/// What handles tell the engine's thread.
pub(super) enum Command {
    Add { ticket: u64, work: Work, outputs: UnboundedSender<Output>, arrived: Duration },
    Cancel(u64),
    Abort,
    Stop,
}

/// What is to be done.
pub(super) enum Work {
    Answer(Box<Admitted>),
    Pool(Box<PooledRequest>),
}

/// The engine's thread: commands in, steps, outputs out.
pub(super) struct Worker<R> {
    core: EngineCore<R>,
    commands: Receiver<Command>,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    open: HashMap<RequestKey, (u64, UnboundedSender<Output>)>,
    keys: HashMap<u64, RequestKey>,
    /// Requests in the scheduler's queue that the board counts.
    counted: usize,
    /// Requests that ended since the board was written.
    ended: usize,
}

impl<R: ModelRunner> Worker<R> {
    pub(super) fn new(core: EngineCore<R>, commands: Receiver<Command>, board: Arc<Board>, clock: Arc<dyn Clock>) -> Self {
        Self { core, commands, board, clock, open: HashMap::new(), keys: HashMap::new(), counted: 0, ended: 0 }
    }

    /// Steps while there is work, and waits for commands while there is none.
    pub(super) fn run(mut self) {
        while self.read_commands() {
            let clock = Arc::clone(&self.clock);
            let outputs = self.core.step(&|| clock.now());
            self.note_loss();
            for (key, output) in outputs {
                self.send(key, output);
            }
            self.post();
        }
    }

    /// Whether to go on.
    fn read_commands(&mut self) -> bool {
        loop {
            let command = if self.core.is_idle() {
                self.post();
                match self.commands.recv() {
                    Ok(command) => command,
                    Err(_) => return false,
                }
            } else {
                match self.commands.try_recv() {
                    Ok(command) => command,
                    Err(TryRecvError::Empty) => return true,
                    Err(TryRecvError::Disconnected) => return false,
                }
            };
            if !self.obey(command) {
                return false;
            }
        }
    }

    fn obey(&mut self, command: Command) -> bool {
        match command {
            Command::Add { ticket, work, outputs, arrived } => {
                self.counted += 1;
                let taken = match work {
                    Work::Answer(admitted) => self.core.enqueue(*admitted, arrived),
                    Work::Pool(request) => self.core.enqueue_pooled(*request, arrived),
                };
                match taken {
                    Ok(key) => {
                        self.keys.insert(ticket, key);
                        self.open.insert(key, (ticket, outputs));
                    }
                    // Who went away does not hear it.
                    Err(error) => {
                        let _ = outputs.unbounded_send(Output::Failed(error));
                        self.ended += 1;
                    }
                }
            }
            Command::Cancel(ticket) => {
                if let Some(key) = self.keys.remove(&ticket) {
                    self.open.remove(&key);
                    self.core.cancel(key);
                    self.ended += 1;
                }
            }
            Command::Abort => {
                for (key, (_, outputs)) in std::mem::take(&mut self.open) {
                    self.core.cancel(key);
                    let _ = outputs.unbounded_send(Output::Failed(Error::ShuttingDown));
                    self.ended += 1;
                }
                self.keys.clear();
            }
            Command::Stop => return false,
        }
        true
    }

    fn send(&mut self, key: RequestKey, output: Output) {
        let Some((ticket, outputs)) = self.open.get(&key) else { return };
        let (ticket, last) = (*ticket, output.is_last());
        let gone = outputs.unbounded_send(output).is_err();
        if last || gone {
            self.open.remove(&key);
            self.keys.remove(&ticket);
            self.ended += 1;
        }
        if gone && !last {
            self.core.cancel(key);
        }
    }

    /// Takes no more requests where the runner is lost: before anybody hears that theirs failed.
    fn note_loss(&self) {
        if let Some(reason) = self.core.lost() {
            // It is told once, and stays.
            let _ = self.board.lost.set(reason.to_owned());
        }
    }

    /// Tells how things stand.
    fn post(&mut self) {
        let stats = self.core.stats();
        // What was submitted meanwhile stays counted; preempted sequences come back into the queue.
        self.board.waiting.fetch_add(stats.waiting, Ordering::AcqRel);
        self.board.waiting.fetch_sub(self.counted, Ordering::AcqRel);
        self.counted = stats.waiting;
        *self.board.stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
        *self.board.adapters.lock().unwrap_or_else(PoisonError::into_inner) = self.core.adapter_stats();
        // Last: who sees that nothing is open sees the figures of that.
        self.board.open.fetch_sub(std::mem::take(&mut self.ended), Ordering::AcqRel);
    }
}
