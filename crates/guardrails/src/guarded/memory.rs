use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use crate::{
    Basis, Context,
    pipeline::{Pipeline, Verdict},
};

/// The longest text in the place of another that is kept, in bytes.
const LONGEST: usize = 64 * 1024;

type Key = [u8; 32];

/// Verdicts on texts of requests, so that a history that is sent again with every turn is read once.
///
/// A verdict is known by a SHA-256 of the pipeline's layers at the stage, the stage and the text, and of the [`Context`] where a guard goes
/// by it ([`Basis`]). Not kept is what may be another one the next time: what a guard said whose [`Basis`] is
/// [`Other`](Basis::Other), what a layer failed at, and what asked the request's [`Vault`](crate::pii::Vault) or added to it. No text is
/// kept, but what guards put in the place of one, up to 64 KiB.
///
/// Conversations that share a memory learn nothing of each other but how long a text takes that another one has sent.
pub struct Memory {
    /// Half of what is kept at most.
    half: usize,
    kept: Mutex<Kept>,
}

/// The verdicts that were asked for lately, and those before: once the former are many they become the latter.
#[derive(Default)]
struct Kept {
    late: HashMap<Key, Arc<Known>>,
    early: HashMap<Key, Arc<Known>>,
}

struct Known {
    verdict: Verdict,
    /// Whether the text goes on as it was, so that it need not be kept.
    same: bool,
}

impl Memory {
    /// Keeps so many verdicts at most; the first to be forgotten are those that were not asked for. 0 keeps none.
    pub fn new(capacity: usize) -> Self {
        Self { half: capacity / 2, kept: Mutex::default() }
    }

    /// The verdict on `text`: what is kept of it, or what `read` says now.
    pub(super) fn verdict(&self, pipeline: &Pipeline, context: &Context, text: &str, read: impl FnOnce() -> Verdict) -> (Verdict, bool) {
        let Some(key) = self.key(pipeline, context, text) else { return (read(), false) };
        if let Some(known) = self.recall(&key) {
            let text = if known.same { text.to_owned() } else { known.verdict.text.clone() };
            return (Verdict { text, ..known.verdict.clone() }, true);
        }
        let asked = context.vault.asked();
        let verdict = read();
        if asked == context.vault.asked() {
            self.keep(key, text, &verdict);
        }
        (verdict, false)
    }

    fn key(&self, pipeline: &Pipeline, context: &Context, text: &str) -> Option<Key> {
        let basis = pipeline.basis(context.stage);
        if self.half == 0 || basis == Basis::Other {
            return None;
        }
        let mut hash = Sha256::new();
        hash.update(pipeline.mark(context.stage).to_le_bytes());
        hash.update([context.stage as u8, basis as u8]);
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        add(text);
        if basis == Basis::Context {
            for known in [&context.system, &context.question, &context.tool] {
                add(if known.is_some() { "some" } else { "none" });
                add(known.as_deref().unwrap_or_default());
            }
            context.sources.iter().for_each(|source| add(source));
        }
        Some(hash.finalize().into())
    }

    fn recall(&self, key: &Key) -> Option<Arc<Known>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.late.get(key) {
            return Some(known.clone());
        }
        let known = kept.early.remove(key)?;
        self.put(&mut kept, *key, known.clone());
        Some(known)
    }

    fn keep(&self, key: Key, text: &str, verdict: &Verdict) {
        let same = verdict.text == text;
        if verdict.layers.iter().any(|layer| layer.failure.is_some()) || !same && verdict.text.len() > LONGEST {
            return;
        }
        let mut verdict = verdict.clone().without_latency();
        if same {
            verdict.text = String::new();
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.put(&mut kept, key, Arc::new(Known { verdict, same }));
    }

    fn put(&self, kept: &mut Kept, key: Key, known: Arc<Known>) {
        if kept.late.len() >= self.half {
            kept.early = std::mem::take(&mut kept.late);
        }
        kept.late.insert(key, known);
    }
}

impl fmt::Debug for Memory {
    /// Tells how much may be kept, and none of it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Memory").field("capacity", &(self.half * 2)).finish_non_exhaustive()
    }
}
