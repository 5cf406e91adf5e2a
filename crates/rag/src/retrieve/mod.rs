//! Finding the chunks that a question is about.
//!
//! A [`Retriever`] searches a [`Snapshot`] by vectors ([`Strategy::Dense`]), by terms ([`Strategy::Sparse`]) or by both, fused
//! ([`Strategy::Hybrid`]). Every hit carries rank, score and normalised score of each leg that found it, so that an order can be
//! explained: see [`LegScore`]. The same snapshot and question give the same hits in the same order.

mod filter;
mod fusion;

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use jarre_core::{Clock, Embedder, Error as ModelError, ErrorKind, Reranker, SystemClock};
use serde::{Deserialize, Serialize};

pub use filter::{Field, Filter};
pub use fusion::{Fusion, Leg, LegScore, Normalisation, RankedList, RetrievedHit, fuse};

use crate::{
    Chunk, Document, Error, Result,
    index::{Accept, Hit, Snapshot},
};

/// What a search goes by. Written and read as `dense`, `sparse`, `hybrid` (the default fusion) or the name of a [`Fusion`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Strategy {
    /// Vectors alone.
    Dense,
    /// Terms alone; no embedder runs.
    Sparse,
    /// Both, fused.
    Hybrid(Fusion),
}

impl Default for Strategy {
    fn default() -> Self {
        Self::Hybrid(Fusion::default())
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense => f.write_str("dense"),
            Self::Sparse => f.write_str("sparse"),
            Self::Hybrid(fusion) => fusion.fmt(f),
        }
    }
}

impl FromStr for Strategy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "dense" => Ok(Self::Dense),
            "sparse" => Ok(Self::Sparse),
            "hybrid" => Ok(Self::default()),
            fusion => Ok(Self::Hybrid(fusion.parse()?)),
        }
    }
}

impl TryFrom<String> for Strategy {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Strategy> for String {
    fn from(strategy: Strategy) -> Self {
        strategy.to_string()
    }
}

/// Searches one snapshot of an index.
#[derive(Clone)]
pub struct Retriever {
    snapshot: Snapshot,
    embedder: Arc<dyn Embedder>,
    reranker: Option<Arc<dyn Reranker>>,
    clock: Arc<dyn Clock>,
    strategy: Strategy,
    k: usize,
    candidates: usize,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Retrieved {
    /// Best first, at most `k`.
    pub hits: Vec<RetrievedHit>,
    /// Where the time went.
    pub timings: Timings,
}

/// How long the stages of a search took; zero for those that did not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// Turning the question into a vector.
    pub embed: Duration,
    /// Comparing vectors.
    pub dense: Duration,
    /// Scoring terms.
    pub sparse: Duration,
    /// Putting lists together.
    pub fuse: Duration,
    /// Reading question and candidates together.
    pub rerank: Duration,
}

impl Timings {
    /// All stages together.
    pub fn total(&self) -> Duration {
        self.embed + self.dense + self.sparse + self.fuse + self.rerank
    }
}

impl Retriever {
    /// A retriever of 10 hits by the default strategy, from 200 candidates a leg.
    ///
    /// # Errors
    /// [`Error::Query`] where the index was built with another embedder: its vectors cannot be compared with a question's.
    pub fn new(snapshot: Snapshot, embedder: Arc<dyn Embedder>) -> Result<Self> {
        let (stored, given) = (&snapshot.config().encoder, embedder.info());
        if (stored.dims, &stored.fingerprint) != (given.dims, &given.fingerprint) {
            let (stored, given) = (&stored.name, &given.name);
            let reason = format!(
                "the index was built with other vectors (encoder `{stored}`) than those of encoder `{given}`: use that encoder, or rebuild"
            );
            return Err(Error::Query(reason));
        }
        let clock = Arc::new(SystemClock::new());
        Ok(Self { snapshot, embedder, reranker: None, clock, strategy: Strategy::default(), k: 10, candidates: 200 })
    }

    /// Searches by `strategy`.
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Returns at most `k` hits.
    pub fn with_k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// Takes the best `candidates` of each leg into the fusion, and of these into reranking; never fewer than `k`.
    pub fn with_candidates(mut self, candidates: usize) -> Self {
        self.candidates = candidates;
        self
    }

    /// Orders the candidates anew by `reranker`, which reads each with the question; its cost grows with the candidates.
    pub fn with_reranker(mut self, reranker: Arc<dyn Reranker>) -> Self {
        self.reranker = Some(reranker);
        self
    }

    /// Measures by `clock`.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What is searched.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What is searched by.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// The best chunks for `question`, among those that `filter` takes. A question without a letter or digit has no hits.
    ///
    /// # Errors
    /// Where the embedder, the index or the reranker fails.
    pub fn retrieve(&self, question: &str, filter: Option<&Filter>) -> Result<Retrieved> {
        let mut timings = Timings::default();
        // An encoder gives even an empty text a vector, and some chunk is nearest to it.
        if !question.contains(char::is_alphanumeric) {
            return Ok(Retrieved::default());
        }
        let accept = filter.map(|filter| move |document: &Document, chunk: &Chunk| filter.accepts(document, chunk));
        let accept: Option<&Accept<'_>> = accept.as_ref().map(|accept| accept as _);
        let mut hits = self.candidates(question, accept, &mut timings)?;
        if let Some(reranker) = &self.reranker {
            hits.truncate(self.depth());
            hits = self.time(&mut timings.rerank, || self.rerank(&**reranker, question, hits))?;
        }
        hits.truncate(self.k);
        Ok(Retrieved { hits, timings })
    }

    fn candidates(&self, question: &str, accept: Option<&Accept<'_>>, timings: &mut Timings) -> Result<Vec<RetrievedHit>> {
        match self.strategy {
            Strategy::Dense => Ok(fusion::of_one_leg(Leg::Dense, self.dense(question, accept, timings)?)),
            Strategy::Sparse => Ok(fusion::of_one_leg(Leg::Sparse, self.sparse(question, accept, timings)?)),
            Strategy::Hybrid(fusion) => {
                let dense = self.dense(question, accept, timings)?;
                let sparse = self.sparse(question, accept, timings)?;
                Ok(self.time(&mut timings.fuse, || fusion.fuse(&dense, &sparse)))
            }
        }
    }

    fn dense(&self, question: &str, accept: Option<&Accept<'_>>, timings: &mut Timings) -> Result<Vec<Hit>> {
        let vectors = self.time(&mut timings.embed, || self.embedder.embed(&[question]))?;
        if vectors.len() != 1 {
            let message = format!("the embedder gave {} vectors for one text", vectors.len());
            return Err(ModelError::new(ErrorKind::InvalidResponse, message).into());
        }
        self.time(&mut timings.dense, || self.snapshot.dense(vectors.row(0), self.depth(), accept))
    }

    fn sparse(&self, question: &str, accept: Option<&Accept<'_>>, timings: &mut Timings) -> Result<Vec<Hit>> {
        self.time(&mut timings.sparse, || self.snapshot.sparse(question, self.depth(), accept))
    }

    fn depth(&self) -> usize {
        self.candidates.max(self.k)
    }

    fn rerank(&self, reranker: &dyn Reranker, question: &str, mut hits: Vec<RetrievedHit>) -> Result<Vec<RetrievedHit>> {
        let texts: Vec<String> = hits.iter().map(|hit| self.text(hit)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let scores = reranker.score(question, &texts)?;
        if scores.len() != hits.len() || scores.iter().any(|score| !score.is_finite()) {
            let message = format!("the reranker `{}` did not give one finite score a candidate", reranker.name());
            return Err(ModelError::new(ErrorKind::InvalidResponse, message).into());
        }
        for (hit, score) in hits.iter_mut().zip(scores) {
            hit.before_rerank = Some(std::mem::replace(&mut hit.score, score));
        }
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.chunk.cmp(&b.chunk)));
        Ok(hits)
    }

    fn text(&self, hit: &RetrievedHit) -> String {
        let (document, chunk) = self.snapshot.chunk(&hit.chunk).expect("a snapshot holds the chunks that it found");
        chunk.indexed_text(document)
    }

    fn time<T>(&self, spent: &mut Duration, work: impl FnOnce() -> T) -> T {
        let start = self.clock.now();
        let done = work();
        *spent += self.clock.now().saturating_sub(start);
        done
    }
}

impl fmt::Debug for Retriever {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retriever")
            .field("embedder", &self.embedder.info().name)
            .field("reranker", &self.reranker.as_ref().map(Reranker::name))
            .field("strategy", &self.strategy)
            .field("k", &self.k)
            .field("candidates", &self.candidates)
            .finish_non_exhaustive()
    }
}
