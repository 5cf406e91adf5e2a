use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use jarre_transformer::Tokenizer;

use super::{Grammar, GrammarCompiler, Matcher};
use crate::error::{Error, Result};

/// Grammars that are compiled at once.
const SEATS: usize = 2;
/// Callers that wait for a seat at most.
const MAX_WAITING: usize = 32;
/// Grammars that are kept compiled.
const KEPT: usize = 8;

/// Compiles grammars on threads of its own, few at a time, and lets nobody wait for one beyond a limit.
///
/// A thread cannot be stopped in the midst of its work: one that is late goes on to the end that the compiler's limits set it and keeps its seat until then,
/// so that late ones never take more than [`SEATS`] threads. What it makes is kept for whoever sends the grammar again.
pub(crate) struct TimedCompiler {
    shared: Arc<Shared>,
    limit: Duration,
}

struct Shared {
    tokenizer: Arc<Tokenizer>,
    vocab_size: usize,
    eos: Arc<[u32]>,
    /// Made when the first grammar comes; that is on no grammar's time.
    compiler: OnceLock<Result<GrammarCompiler, String>>,
    seats: Mutex<Seats>,
    freed: Condvar,
    /// The last used ones, the latest first.
    kept: Mutex<Vec<(Grammar, Matcher)>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seats {
    taken: usize,
    waiting: usize,
}

impl TimedCompiler {
    pub(crate) fn new(tokenizer: Arc<Tokenizer>, vocab_size: usize, eos: Arc<[u32]>, limit: Duration) -> Self {
        let shared = Shared {
            tokenizer,
            vocab_size,
            eos,
            compiler: OnceLock::new(),
            seats: Mutex::default(),
            freed: Condvar::new(),
            kept: Mutex::default(),
        };
        Self { shared: Arc::new(shared), limit }
    }

    /// A matcher at the beginning of an answer. Waits for a seat and for the compiler, each at most as long as the limit is.
    ///
    /// # Errors
    /// As [`GrammarCompiler::compile`]; [`Error::GrammarTimeout`]; [`Error::QueueFull`] where others' grammars leave no seat.
    pub(crate) fn compile(&self, grammar: &Grammar) -> Result<Matcher> {
        if let Some(matcher) = self.shared.recall(grammar) {
            return Ok(matcher);
        }
        let seat = Seat::take(&self.shared, self.limit)?;
        let (begun, begins) = channel();
        let (done, ends) = channel();
        let work = {
            let grammar = grammar.clone();
            move || seat.work(&grammar, &begun, &done)
        };
        let thread = thread::Builder::new().name("grammar".to_owned()).spawn(work);
        thread.map_err(|error| Error::Engine(format!("no thread to compile a grammar on: {error}")))?;
        let broken = || Error::Engine("the grammar's compiler stopped because of a defect".to_owned());
        begins.recv().map_err(|_| broken())?;
        match ends.recv_timeout(self.limit) {
            Ok(compiled) => compiled,
            Err(RecvTimeoutError::Timeout) => Err(Error::GrammarTimeout { limit: self.limit }),
            Err(RecvTimeoutError::Disconnected) => Err(broken()),
        }
    }
}

impl Shared {
    fn compiler(&self) -> Result<&GrammarCompiler> {
        let make = || GrammarCompiler::new(&self.tokenizer, self.vocab_size, &self.eos).map_err(|error| error.to_string());
        self.compiler.get_or_init(make).as_ref().map_err(|reason| Error::Invalid(format!("this model takes no grammars: {reason}")))
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(Grammar, Matcher)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recall(&self, grammar: &Grammar) -> Option<Matcher> {
        let mut kept = self.kept();
        let at = kept.iter().position(|(known, _)| known == grammar)?;
        kept[..=at].rotate_right(1);
        Some(kept[0].1.clone())
    }

    fn keep(&self, grammar: &Grammar, matcher: &Matcher) {
        let mut kept = self.kept();
        kept.retain(|(known, _)| known != grammar);
        kept.insert(0, (grammar.clone(), matcher.clone()));
        kept.truncate(KEPT);
    }
}

/// The right to compile, until it is dropped.
struct Seat(Arc<Shared>);

impl Seat {
    fn take(shared: &Arc<Shared>, patience: Duration) -> Result<Self> {
        let mut seats = shared.seats();
        let full = |seats: &Seats| Error::QueueFull { waiting: seats.waiting, limit: MAX_WAITING };
        if seats.waiting >= MAX_WAITING {
            return Err(full(&seats));
        }
        seats.waiting += 1;
        let waited = shared.freed.wait_timeout_while(seats, patience, |seats| seats.taken >= SEATS);
        let (mut seats, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        seats.waiting -= 1;
        if waited.timed_out() {
            return Err(full(&seats));
        }
        seats.taken += 1;
        drop(seats);
        Ok(Self(Arc::clone(shared)))
    }

    fn work(self, grammar: &Grammar, begun: &Sender<()>, done: &Sender<Result<Matcher>>) {
        let made = self.0.compiler();
        // Who has given up waiting hears nothing.
        let _ = begun.send(());
        let compiled = made.and_then(|compiler| compiler.compile(grammar));
        if let Ok(matcher) = &compiled {
            self.0.keep(grammar, matcher);
        }
        drop(self);
        let _ = done.send(compiled);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.seats().taken -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compiler(limit: Duration) -> TimedCompiler {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/assets/jarre-tiny");
        let tokenizer = Tokenizer::from_folder(folder).unwrap();
        let (size, eos) = (tokenizer.vocab_size(), tokenizer.id("<|endoftext|>").unwrap());
        TimedCompiler::new(Arc::new(tokenizer), size, [eos].into(), limit)
    }

    /// Hundreds of milliseconds at the least.
    fn slow(salt: usize) -> Grammar {
        Grammar::JsonSchema(json!({"enum": (0..15_000).map(|i| format!("value {i} {salt}")).collect::<Vec<_>>()}))
    }

    #[test]
    fn a_late_grammar_is_given_up_and_never_holds_more_than_the_seats() {
        let compiler = compiler(Duration::from_millis(10));
        for salt in 0..SEATS {
            let told = compiler.compile(&slow(salt)).unwrap_err();
            assert!(matches!(told, Error::GrammarTimeout { limit } if limit == Duration::from_millis(10)), "{told}");
        }
        let told = compiler.compile(&slow(SEATS)).unwrap_err();
        assert!(matches!(told, Error::QueueFull { .. }), "all seats are taken by late ones: {told}");
        while compiler.shared.seats().taken > 0 {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(compiler.compile(&slow(0)).is_ok(), "it was made in the end, and is kept");
        assert_eq!(compiler.shared.kept().len(), SEATS);
    }

    #[test]
    fn what_is_kept_is_the_last_used_and_each_matcher_begins_anew() {
        let compiler = compiler(Duration::from_mins(1));
        let word = |word: usize| Grammar::Choice(vec![format!("word {word}")]);
        for i in 0..KEPT {
            compiler.compile(&word(i)).unwrap();
        }
        let mut matcher = compiler.compile(&word(0)).unwrap();
        let first = (0..compiler.shared.vocab_size as u32).find(|id| matcher.mask().unwrap().allows(*id)).unwrap();
        matcher.accept(first).unwrap();
        compiler.compile(&word(KEPT)).unwrap();
        assert!(compiler.shared.recall(&word(1)).is_none(), "the one that was not used for longest made room");
        assert!(compiler.compile(&word(0)).unwrap().mask().unwrap().allows(first));
        assert!(matches!(compiler.compile(&Grammar::Regex("(".into())), Err(Error::Invalid(_))));
        assert_eq!(compiler.shared.seats().taken, 0);
    }
}
