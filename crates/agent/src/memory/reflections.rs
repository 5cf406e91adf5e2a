use std::{fmt, sync::Arc};

use jarre_core::{BoxFuture, Clock, Embedder, Timestamp, base64};
use jarre_kv_store::{Compare, Namespace, Op, RangeRequest, Store, Txn, namespace::Record};
use serde::{Deserialize, Serialize};

use super::{Lexical, lexical::alike};
use crate::{Lessons, Reflection, Result};

/// The most bytes of a field that are kept: of longer ones the beginning and the end.
const LONGEST: usize = 8 << 10;

/// How like two failures, and what is to be done about them, have to be to be one: the share of their words that both have.
const SAME: f32 = 0.8;

/// How often a change is tried again that others got in the way of.
const TRIES: usize = 8;

/// How a memory keeps and finds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemoryOptions {
    /// The most reflections that are kept. Beyond that, of the half that was neither kept nor used for longest the least used goes.
    pub capacity: usize,
    /// How failures are compared where there is no embedder.
    pub lexical: Lexical,
    /// The least likeness at which a reflection is brought: a cosine with an embedder, and a score above this without.
    pub least: f32,
}

impl Default for MemoryOptions {
    /// A thousand reflections, the shared words, and all that are alike at all.
    fn default() -> Self {
        Self { capacity: 1000, lexical: Lexical::default(), least: 0.0 }
    }
}

/// What was learnt from failures, across tasks and processes, found by how like another failure is.
///
/// With an embedder likeness is the cosine of the failures' vectors, which are kept with the embedder's fingerprint and made again when that changes;
/// without one it is lexical. Each scope is kept apart, with a capacity of its own. An embedder works where the future is polled. A reflection that
/// says the same as one that is there replaces it.
///
/// ```
/// use std::sync::Arc;
///
/// use jarre_agent::{Lessons, Reflection, memory::ReflectionMemory};
/// use jarre_core::SystemClock;
/// use jarre_kv_store::Memory;
///
/// # pollster::block_on(async {
/// let memory = ReflectionMemory::new(Arc::new(Memory::new()), Arc::new(SystemClock::new()));
/// let reflection = Reflection {
///     task: "sum a list".into(),
///     failure: "index out of bounds: the len is 3 but the index is 3".into(),
///     what: "the last round reads behind the end".into(),
///     why: "the range is inclusive".into(),
///     instead: "iterate over the slice".into(),
/// };
/// memory.remember("", &reflection).await?;
/// assert_eq!(memory.recall("", "panicked: index out of bounds, the len is 8", 3).await?, [reflection]);
/// assert!(memory.recall("", "KeyError: 'total'", 3).await?.is_empty());
/// # Ok::<(), jarre_agent::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct ReflectionMemory {
    name: String,
    entries: Namespace<String, Entry, Arc<dyn Store>>,
    clock: Arc<dyn Clock>,
    embedder: Option<Arc<dyn Embedder>>,
    options: MemoryOptions,
}

/// A reflection that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptReflection {
    /// What it is kept under.
    pub id: String,
    /// The reflection.
    pub reflection: Reflection,
    /// How often it was brought.
    pub uses: u64,
    /// In how many wordings it was kept.
    pub seen: u64,
    /// When it was last kept or brought.
    pub touched: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    reflection: Reflection,
    uses: u64,
    seen: u64,
    touched: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vector: Option<Vector>,
}

/// The vector of the failure, as little-endian `f32`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Vector {
    fingerprint: String,
    #[serde(with = "base64")]
    values: Vec<u8>,
}

type Kept = Record<String, Entry>;

impl ReflectionMemory {
    /// The memory in `store`, which compares failures by their words.
    ///
    /// # Panics
    /// Never: the namespace's name is sound.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let name = "agent_reflection".to_owned();
        let entries = named(store, &name);
        Self { name, entries, clock, embedder: None, options: MemoryOptions::default() }
    }

    /// The part of this memory that is `scope`'s alone: what is there is seen in no other scope. An empty one is this memory itself.
    ///
    /// # Panics
    /// Never: the namespace's name is sound.
    pub fn scoped(&self, scope: &str) -> Self {
        if scope.is_empty() {
            return self.clone();
        }
        let mut hasher = blake3::Hasher::new_derive_key("jarre-agent 2026 scope of lessons");
        hasher.update(&(self.name.len() as u64).to_le_bytes()).update(self.name.as_bytes()).update(scope.as_bytes());
        let name = format!("agent_reflection_{}", &hasher.finalize().to_hex()[..32]);
        Self { entries: named(self.entries.store().clone(), &name), name, ..self.clone() }
    }

    /// Compares failures by `embedder`.
    pub fn with_embedder(mut self, embedder: Arc<dyn Embedder>) -> Self {
        self.embedder = Some(embedder);
        self
    }

    /// Keeps and finds as `options` say.
    pub fn with_options(mut self, options: MemoryOptions) -> Self {
        self.options = options;
        self
    }

    /// Everything that is kept, in the order of the ids.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn all(&self) -> Result<Vec<KeptReflection>> {
        let kept = |Record { key, value, .. }: Kept| KeptReflection {
            id: key,
            reflection: value.reflection,
            uses: value.uses,
            seen: value.seen,
            touched: value.touched,
        };
        Ok(self.entries().await?.into_iter().map(kept).collect())
    }

    /// Forgets a reflection, and says whether there was one.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub async fn forget(&self, id: &str) -> Result<bool> {
        Ok(self.entries.delete(&id.to_owned()).await?)
    }

    async fn entries(&self) -> Result<Vec<Kept>> {
        let mut entries = Vec::new();
        let mut request = Some(RangeRequest::new(self.entries.all()));
        while let Some(asked) = request {
            let page = self.entries.range(asked).await?;
            entries.extend(page.records);
            request = page.next;
        }
        Ok(entries)
    }

    async fn bring(&self, failure: &str, limit: usize) -> Result<Vec<Reflection>> {
        let mut entries = self.entries().await?;
        let failure = clipped(failure);
        let scores = if let Some(embedder) = &self.embedder {
            self.cosines(&**embedder, &failure, &mut entries).await?
        } else {
            let failures: Vec<&str> = entries.iter().map(|entry| entry.value.reflection.failure.as_str()).collect();
            self.options.lexical.scores(&failure, &failures)
        };
        let mut found: Vec<_> = scores.into_iter().zip(entries).filter(|(score, _)| *score > self.options.least).collect();
        found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        found.truncate(limit);
        let mut reflections = Vec::new();
        for (_, Record { key, mut value, revision, .. }) in found {
            reflections.push(value.reflection.clone());
            value.uses += 1;
            value.touched = self.clock.timestamp();
            // Whoever changed it meanwhile used it too.
            let txn = Txn::new().when(Compare::unchanged(self.entries.key(&key), revision)).then(self.entries.put_op(&key, &value)?);
            self.entries.store().txn(txn).await?;
        }
        Ok(reflections)
    }

    /// The cosine of each entry's failure with `failure`. Vectors of another embedder are made again and kept.
    async fn cosines(&self, embedder: &dyn Embedder, failure: &str, entries: &mut [Kept]) -> Result<Vec<f32>> {
        let fingerprint = &embedder.info().fingerprint;
        let stale = |entry: &Kept| entry.value.vector.as_ref().is_none_or(|vector| vector.fingerprint != *fingerprint);
        let outdated: Vec<usize> = (0..entries.len()).filter(|&at| stale(&entries[at])).collect();
        let texts: Vec<&str> = outdated.iter().map(|&at| entries[at].value.reflection.failure.as_str()).chain([failure]).collect();
        let vectors = embedder.embed(&texts)?;
        let mut rows = vectors.rows();
        let query = rows.next_back().unwrap_or_default();
        for (at, row) in outdated.into_iter().zip(rows) {
            let Record { key, value, revision, .. } = &mut entries[at];
            value.vector = Some(Vector { fingerprint: fingerprint.clone(), values: row.iter().flat_map(|x| x.to_le_bytes()).collect() });
            let txn = Txn::new().when(Compare::unchanged(self.entries.key(key), *revision)).then(self.entries.put_op(key, value)?);
            let outcome = self.entries.store().txn(txn).await?;
            if outcome.succeeded {
                *revision = outcome.revision;
            }
        }
        let values = |entry: &Kept| entry.value.vector.as_ref().map(Vector::floats).unwrap_or_default();
        Ok(entries.iter().map(|entry| cosine(query, &values(entry))).collect())
    }

    /// Keeps a reflection in the place of one that says the same, or as a new one; says whether nobody got in the way.
    async fn keep(&self, reflection: &Reflection) -> Result<bool> {
        let entries = self.entries().await?;
        let touched = self.clock.timestamp();
        let (key, entry, compare) = if let Some(twin) = entries.iter().find(|entry| is_same(&entry.value.reflection, reflection)) {
            if twin.value.reflection == *reflection {
                return Ok(true);
            }
            let failure_stays = twin.value.reflection.failure == reflection.failure;
            let vector = twin.value.vector.clone().filter(|_| failure_stays);
            let entry = Entry { reflection: reflection.clone(), seen: twin.value.seen + 1, touched, vector, ..twin.value };
            (twin.key.clone(), entry, Compare::unchanged(self.entries.key(&twin.key), twin.revision))
        } else {
            let key = id(reflection);
            let compare = Compare::missing(self.entries.key(&key));
            (key, Entry { reflection: reflection.clone(), uses: 0, seen: 1, touched, vector: None }, compare)
        };
        let mut txn = Txn::new().when(compare).then(self.entries.put_op(&key, &entry)?);
        let others: Vec<&Kept> = entries.iter().filter(|other| other.key != key).collect();
        txn.then.extend(leaving(others, self.options.capacity).into_iter().map(|id| Op::delete(self.entries.key(id))));
        Ok(self.entries.store().txn(txn).await?.succeeded)
    }
}

impl Lessons for ReflectionMemory {
    fn recall<'a>(&'a self, scope: &'a str, failure: &'a str, limit: usize) -> BoxFuture<'a, Result<Vec<Reflection>>> {
        Box::pin(async move { self.scoped(scope).bring(failure, limit).await })
    }

    fn remember<'a>(&'a self, scope: &'a str, reflection: &'a Reflection) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let memory = self.scoped(scope);
            let Reflection { task, failure, what, why, instead } = reflection;
            let [task, failure, what, why, instead] = [task, failure, what, why, instead].map(|text| clipped(text));
            let reflection = Reflection { task, failure, what, why, instead };
            for _ in 0..TRIES {
                if memory.keep(&reflection).await? {
                    return Ok(());
                }
            }
            Err(crate::Error::Invalid("others change the memory faster than a reflection can be kept: try again".into()))
        })
    }
}

impl fmt::Debug for ReflectionMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let embedder = self.embedder.as_ref().map(Embedder::info);
        f.debug_struct("ReflectionMemory").field("embedder", &embedder).field("options", &self.options).finish_non_exhaustive()
    }
}

/// The entries under a name that has no slash.
fn named(store: Arc<dyn Store>, name: &str) -> Namespace<String, Entry, Arc<dyn Store>> {
    Namespace::new(store, name).expect("the name has no slash")
}

impl Vector {
    fn floats(&self) -> Vec<f32> {
        self.values.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if a.len() == b.len() && lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

/// Whether two reflections tell of the same failure to do the same about it.
fn is_same(a: &Reflection, b: &Reflection) -> bool {
    alike(&a.failure, &b.failure) >= SAME && alike(&a.instead, &b.instead) >= SAME
}

/// Which of the others have to leave so that one more is kept within the capacity: a transaction's worth at most.
fn leaving(mut others: Vec<&Kept>, capacity: usize) -> Vec<&String> {
    let mut leaving = Vec::new();
    others.sort_by_key(|other| other.value.touched);
    while others.len() + 1 > capacity.max(1) && leaving.len() < 100 {
        let older = others.len().div_ceil(2);
        let least = (0..older).min_by_key(|&at| others[at].value.uses).unwrap_or_default();
        leaving.push(&others.remove(least).key);
    }
    leaving
}

fn id(reflection: &Reflection) -> String {
    let Reflection { task: _, failure, what, why, instead } = reflection;
    let mut hasher = blake3::Hasher::new();
    for field in [failure, what, why, instead] {
        hasher.update(&(field.len() as u64).to_le_bytes()).update(field.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn clipped(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let (head, tail) = (text.floor_char_boundary(LONGEST / 2), text.ceil_char_boundary(text.len() - LONGEST / 2));
    format!("{} [...] {}", &text[..head], &text[tail..])
}
