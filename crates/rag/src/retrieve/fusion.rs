//! Putting the ranked lists of several legs together into one.
//!
//! Pure functions: lists in, list out, the same whatever order the lists and their hits come in.

use std::{cmp::Ordering, collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{ChunkId, Error, index::Hit};

/// A way of searching that gives a ranked list of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Leg {
    /// Cosine similarity of vectors: scores from -1 to 1.
    Dense,
    /// BM25 over terms: scores from 0.
    Sparse,
}

impl Leg {
    /// The least score that the leg can give by its definition, whatever the query and the corpus.
    pub fn floor(self) -> f32 {
        match self {
            Self::Dense => -1.0,
            Self::Sparse => 0.0,
        }
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dense => "dense",
            Self::Sparse => "sparse",
        })
    }
}

/// What makes the scores of different legs comparable.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Normalisation {
    /// Reciprocal rank: 1 / (k + rank), rank from 1 (Cormack, Clarke and Büttcher 2009, k = 60). Needs no scores, so it is safe where
    /// those of a leg mean little; a small `k` favours what stands first in one list over what stands well in both.
    ReciprocalRank {
        /// The greater, the less the first ranks stand out. Not negative.
        k: f32,
    },
    /// Distribution-based: where a score lies between three standard deviations (n - 1) below the list's mean and three above, as 0 to 1,
    /// clipped. A list of one hit or of equal scores says nothing about its hits: 0.5 each.
    Distribution,
    /// Theoretical min-max (TM2C2 of Bruch, Gai and Ingber, arXiv 2210.11934): where a score lies between [`Leg::floor`] and the
    /// list's best, as 0 to 1. A list whose best is not above the floor gives 0.
    TheoreticalMinMax,
}

/// How lists become one: normalised scores, weighted and added.
///
/// Written and read as `rrf`, `rrf:20`, `dbsf`, `convex`, `convex:0.3` (the number is the dense leg's share), and with weights of dense
/// and sparse behind any of them: `dbsf@2,1`.
///
/// ```
/// use jarre_rag::retrieve::Fusion;
///
/// let fusion: Fusion = "convex:0.3".parse()?;
/// assert_eq!(fusion, Fusion::convex(0.3)?);
/// assert_eq!(fusion.to_string(), "convex:0.3");
/// # Ok::<(), jarre_rag::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fusion {
    normalisation: Normalisation,
    dense: f32,
    sparse: f32,
}

impl Fusion {
    /// Reciprocal rank fusion with k = 60 and equal weights.
    pub fn rrf() -> Self {
        Self { normalisation: Normalisation::ReciprocalRank { k: 60.0 }, dense: 1.0, sparse: 1.0 }
    }

    /// Reciprocal rank fusion with another `k`.
    ///
    /// # Errors
    /// Where `k` is negative or not finite.
    pub fn rrf_with(k: f32) -> Result<Self, Error> {
        Ok(Self { normalisation: Normalisation::ReciprocalRank { k: not_negative("k", k)? }, ..Self::rrf() })
    }

    /// Distribution-based score fusion with equal weights.
    pub fn dbsf() -> Self {
        Self { normalisation: Normalisation::Distribution, ..Self::rrf() }
    }

    /// The convex combination `alpha * dense + (1 - alpha) * sparse` of scores normalised by theoretical minimum and maximum.
    ///
    /// # Errors
    /// Where `alpha` is not from 0 to 1.
    pub fn convex(alpha: f32) -> Result<Self, Error> {
        if !(0.0..=1.0).contains(&alpha) {
            return Err(Error::Query(format!("the dense share of a convex combination is from 0 to 1, not {alpha}")));
        }
        Ok(Self { normalisation: Normalisation::TheoreticalMinMax, dense: alpha, sparse: 1.0 - alpha })
    }

    /// The same with other weights.
    ///
    /// # Errors
    /// Where a weight is negative or not finite, or both are zero.
    pub fn with_weights(self, dense: f32, sparse: f32) -> Result<Self, Error> {
        let (dense, sparse) = (not_negative("the dense weight", dense)?, not_negative("the sparse weight", sparse)?);
        if dense == 0.0 && sparse == 0.0 {
            return Err(Error::Query("one of the weights of a fusion must be above 0".to_owned()));
        }
        Ok(Self { dense, sparse, ..self })
    }

    /// What makes scores comparable.
    pub fn normalisation(&self) -> Normalisation {
        self.normalisation
    }

    /// What a leg's normalised scores are multiplied by.
    pub fn weight(&self, leg: Leg) -> f32 {
        match leg {
            Leg::Dense => self.dense,
            Leg::Sparse => self.sparse,
        }
    }

    /// Fuses what the two legs found.
    pub fn fuse(&self, dense: &[Hit], sparse: &[Hit]) -> Vec<RetrievedHit> {
        let list = |leg, hits| RankedList { leg, weight: self.weight(leg), hits };
        fuse(self.normalisation, &[list(Leg::Dense, dense), list(Leg::Sparse, sparse)])
    }
}

impl Default for Fusion {
    /// Distribution-based: it uses the scores and has no parameter to tune.
    fn default() -> Self {
        Self::dbsf()
    }
}

impl fmt::Display for Fusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { dense, sparse, .. }, plain) = (self, Self::rrf());
        let mut equal = (*dense, *sparse) == (plain.dense, plain.sparse);
        match self.normalisation {
            Normalisation::ReciprocalRank { k: 60.0 } => f.write_str("rrf")?,
            Normalisation::ReciprocalRank { k } => write!(f, "rrf:{k}")?,
            Normalisation::Distribution => f.write_str("dbsf")?,
            Normalisation::TheoreticalMinMax => {
                f.write_str("convex")?;
                equal = Self::convex(*dense).is_ok_and(|convex| convex == *self);
                if equal {
                    write!(f, ":{dense}")?;
                }
            }
        }
        if equal { Ok(()) } else { write!(f, "@{dense},{sparse}") }
    }
}

impl FromStr for Fusion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown =
            || Error::Query(format!("`{text}` is no fusion: write rrf, rrf:20, dbsf, convex:0.5, or weights behind as in dbsf@2,1"));
        let number = |text: &str| text.trim().parse::<f32>().map_err(|_| unknown());
        let (method, weights) = text.split_once('@').map_or((text, None), |(method, weights)| (method, Some(weights)));
        let (name, parameter) = method.split_once(':').map_or((method, None), |(name, parameter)| (name, Some(parameter)));
        let fusion = match (name.trim(), parameter) {
            ("rrf", None) => Self::rrf(),
            ("rrf", Some(k)) => Self::rrf_with(number(k)?)?,
            ("dbsf", None) => Self::dbsf(),
            ("convex", None) => Self::convex(0.5)?,
            ("convex", Some(alpha)) => Self::convex(number(alpha)?)?,
            _ => return Err(unknown()),
        };
        let Some((dense, sparse)) = weights.map(|weights| weights.split_once(',').ok_or_else(unknown)).transpose()? else {
            return Ok(fusion);
        };
        fusion.with_weights(number(dense)?, number(sparse)?)
    }
}

impl TryFrom<String> for Fusion {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Fusion> for String {
    fn from(fusion: Fusion) -> Self {
        fusion.to_string()
    }
}

/// What one leg found, and what its normalised scores count for.
#[derive(Clone, Copy, Debug)]
pub struct RankedList<'a> {
    /// The leg.
    pub leg: Leg,
    /// Its weight, finite and not negative.
    pub weight: f32,
    /// Its hits; [`fuse`] orders them itself.
    pub hits: &'a [Hit],
}

/// A chunk that was found, and why it stands where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrievedHit {
    /// Which.
    pub chunk: ChunkId,
    /// What hits are ordered by: the fused score, the leg's own where there was one leg, or the reranker's where one was asked.
    pub score: f32,
    /// What each leg that found the chunk says of it, in the order of [`Leg`]. Their contributions, added in this order, are the fused
    /// score.
    pub legs: Vec<LegScore>,
    /// The fused score, where a reranker replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_rerank: Option<f32>,
}

/// What one leg says of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegScore {
    /// The leg.
    pub leg: Leg,
    /// Its place in the leg's list, from 1.
    pub rank: usize,
    /// The leg's own score.
    pub score: f32,
    /// The score made comparable.
    pub normalised: f32,
    /// What the leg's normalised scores are multiplied by.
    pub weight: f32,
}

impl LegScore {
    /// What the leg adds to the fused score.
    pub fn contribution(&self) -> f32 {
        self.weight * self.normalised
    }
}

/// The chunks of all `lists`, best first: a chunk's score is the sum over the lists that hold it of weight times normalised score. Equal
/// scores are ordered by the better of the ranks in any list, and then by chunk id.
///
/// Scores that are no numbers count as the least, infinite ones as the list's extremes; no result is NaN. A chunk that stands twice in a
/// list counts by its better score.
pub fn fuse(normalisation: Normalisation, lists: &[RankedList<'_>]) -> Vec<RetrievedHit> {
    let mut found: BTreeMap<&ChunkId, Vec<LegScore>> = BTreeMap::new();
    for list in lists {
        let hits = ranked(list.hits);
        let scores: Vec<f32> = hits.iter().map(|hit| hit.score).collect();
        for (place, (hit, normalised)) in hits.into_iter().zip(normalise(normalisation, list.leg, &scores)).enumerate() {
            let leg = LegScore { leg: list.leg, rank: place + 1, score: hit.score, normalised, weight: list.weight };
            found.entry(&hit.chunk).or_default().push(leg);
        }
    }
    let mut fused: Vec<RetrievedHit> = found.into_iter().map(|(chunk, legs)| explained(chunk, legs)).collect();
    fused.sort_by(by_score_then_rank);
    fused
}

/// The hits of a single leg, explained by themselves.
pub(super) fn of_one_leg(leg: Leg, hits: Vec<Hit>) -> Vec<RetrievedHit> {
    let explain = |(place, Hit { chunk, score }): (usize, Hit)| RetrievedHit {
        chunk,
        score,
        legs: vec![LegScore { leg, rank: place + 1, score, normalised: score, weight: 1.0 }],
        before_rerank: None,
    };
    hits.into_iter().enumerate().map(explain).collect()
}

/// The hits of one list, best first, equal scores by chunk id, each chunk once.
fn ranked(hits: &[Hit]) -> Vec<&Hit> {
    let mut hits: Vec<&Hit> = hits.iter().collect();
    hits.sort_by(|a, b| comparable(b.score).total_cmp(&comparable(a.score)).then_with(|| a.chunk.cmp(&b.chunk)));
    let mut seen = std::collections::HashSet::new();
    hits.retain(|hit| seen.insert(&hit.chunk));
    hits
}

/// A score with a place in a total order: what is no number comes last, and zero has one sign.
fn comparable(score: f32) -> f32 {
    if score.is_nan() { f32::NEG_INFINITY } else { score + 0.0 }
}

fn normalise(normalisation: Normalisation, leg: Leg, scores: &[f32]) -> Vec<f32> {
    match normalisation {
        Normalisation::ReciprocalRank { k } => (1..=scores.len()).map(|rank| 1.0 / (k + rank as f32)).collect(),
        Normalisation::Distribution => {
            let (low, high) = three_deviations(scores);
            scores.iter().map(|score| between(*score, low, high).unwrap_or(0.5)).collect()
        }
        Normalisation::TheoreticalMinMax => {
            let high = finite(scores).fold(f64::NEG_INFINITY, f64::max);
            scores.iter().map(|score| between(*score, f64::from(leg.floor()), high).unwrap_or(0.0)).collect()
        }
    }
}

/// Three standard deviations either side of the mean of the finite scores.
fn three_deviations(scores: &[f32]) -> (f64, f64) {
    let n = finite(scores).count() as f64;
    let mean = finite(scores).sum::<f64>() / n.max(1.0);
    let squares: f64 = finite(scores).map(|score| (score - mean).powi(2)).sum();
    let reach = 3.0 * (squares / (n - 1.0).max(1.0)).sqrt();
    (mean - reach, mean + reach)
}

/// Where `score` lies from `low` to `high`, as 0 to 1; `None` for a finite score where the range is empty.
fn between(score: f32, low: f64, high: f64) -> Option<f32> {
    if score == f32::INFINITY {
        return Some(1.0);
    }
    if !score.is_finite() {
        return Some(0.0);
    }
    (high > low).then(|| ((f64::from(score) - low) / (high - low)).clamp(0.0, 1.0) as f32)
}

fn finite(scores: &[f32]) -> impl Iterator<Item = f64> {
    scores.iter().copied().filter(|score| score.is_finite()).map(f64::from)
}

fn explained(chunk: &ChunkId, mut legs: Vec<LegScore>) -> RetrievedHit {
    legs.sort_by_key(|leg| leg.leg);
    let score = legs.iter().map(LegScore::contribution).sum();
    RetrievedHit { chunk: chunk.clone(), score, legs, before_rerank: None }
}

fn by_score_then_rank(a: &RetrievedHit, b: &RetrievedHit) -> Ordering {
    let best_rank = |hit: &RetrievedHit| hit.legs.iter().map(|leg| leg.rank).min();
    b.score.total_cmp(&a.score).then_with(|| best_rank(a).cmp(&best_rank(b))).then_with(|| a.chunk.cmp(&b.chunk))
}

fn not_negative(what: &str, value: f32) -> Result<f32, Error> {
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(Error::Query(format!("{what} must be 0 or above, not {value}"))) }
}
