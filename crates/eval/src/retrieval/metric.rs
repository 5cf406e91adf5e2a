use std::{collections::HashSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Judgements;
use crate::Error;

/// A measure of one ranked list against the judgements of its query, from 0 to 1, higher being better.
///
/// Every metric is 0 for a query without relevant documents, for an empty list and for a cutoff of 0. A document that stands twice in
/// a list counts at its first place; its later places count as unjudged.
///
/// Metrics are written and read by name: `P@5`, `Recall@5`, `Success@1`, `AllGold@5`, `MRR`, `MRR@10`, `MAP`, `MAP@100`, `nDCG`,
/// `nDCG@10`, `nDCG-exp@10`, `R-precision`, `bpref`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Metric {
    /// Relevant documents among the first `k`, over `k` (also where fewer than `k` were retrieved).
    Precision(usize),
    /// Relevant documents among the first `k`, over all relevant ones.
    Recall(usize),
    /// 1 where a relevant document is among the first `k`.
    Success(usize),
    /// 1 where all relevant documents are among the first `k`: what a question needs whose answer is put together from several.
    AllGold(usize),
    /// One over the rank of the first relevant document, within the first `k` where a cutoff is given. The mean is MRR.
    ReciprocalRank(Option<usize>),
    /// The mean, over all relevant documents, of the precision at each one's rank, those not retrieved (within `k`) counting 0. The
    /// mean over queries is MAP.
    AveragePrecision(Option<usize>),
    /// Discounted cumulative gain over that of the ideal list, both cut at `k`: the gain at rank `r` is divided by log2(r + 1)
    /// (Järvelin and Kekäläinen 2002). Gains come from the levels as judged, whatever level counts as relevant.
    Ndcg {
        /// Where both lists end.
        k: Option<usize>,
        /// What a level is worth.
        gain: Gain,
    },
    /// Precision at the rank that equals the number of relevant documents.
    RPrecision,
    /// How seldom judged non-relevant documents stand above relevant ones (Buckley and Voorhees 2004, as corrected in `trec_eval` 8):
    /// with R relevant and N judged non-relevant documents, each relevant one retrieved adds 1 - min(n, R) / min(N, R), where n
    /// non-relevant ones stand above it; the sum is divided by R. Unjudged documents do not count.
    Bpref,
}

/// What a relevance level is worth in nDCG.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gain {
    /// The level itself, as in `trec_eval`.
    #[default]
    Linear,
    /// Two to the level, less one (Burges et al. 2005): a high level outweighs many low ones.
    Exponential,
}

impl Gain {
    fn of(self, level: i8) -> f64 {
        match self {
            Self::Linear => f64::from(level.max(0)),
            Self::Exponential => f64::from(level.max(0)).exp2() - 1.0,
        }
    }
}

impl Metric {
    /// nDCG at `k` with linear gain.
    pub fn ndcg(k: usize) -> Self {
        Self::Ndcg { k: Some(k), gain: Gain::Linear }
    }

    /// MRR at `k`.
    pub fn mrr(k: usize) -> Self {
        Self::ReciprocalRank(Some(k))
    }

    /// Scores `ranked`, best first, against the judgements of its query.
    ///
    /// ```
    /// use jarre_eval::retrieval::{Judgements, Metric};
    ///
    /// let gold = Judgements::relevant(["a", "b"]);
    /// assert_eq!(Metric::Recall(2).score(&["a", "x", "b"], &gold), 0.5);
    /// assert_eq!(Metric::AllGold(3).score(&["a", "x", "b"], &gold), 1.0);
    /// ```
    pub fn score<D: AsRef<str>>(self, ranked: &[D], judgements: &Judgements) -> f64 {
        self.score_levels(&levels(ranked, judgements), judgements)
    }

    /// Scores a ranking given as the level of each document, `None` for those unjudged.
    pub(crate) fn score_levels(self, levels: &[Option<i8>], judgements: &Judgements) -> f64 {
        let relevant = judgements.relevant_count();
        let hits = Hits { levels, judgements };
        match self {
            Self::Precision(k) => ratio(hits.within(k), k),
            Self::Recall(k) => ratio(hits.within(k), relevant),
            Self::Success(k) => indicator(hits.within(k) > 0),
            Self::AllGold(k) => indicator(relevant > 0 && hits.within(k) == relevant),
            Self::ReciprocalRank(k) => hits.ranks(k).next().map_or(0.0, |rank| 1.0 / rank as f64),
            Self::AveragePrecision(k) => hits.average_precision(k, relevant),
            Self::Ndcg { k, gain } => ndcg(levels, &judgements.levels_descending(), k, gain),
            Self::RPrecision => ratio(hits.within(relevant), relevant),
            Self::Bpref => hits.bpref(relevant),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, k) = match *self {
            Self::Precision(k) => ("P", Some(k)),
            Self::Recall(k) => ("Recall", Some(k)),
            Self::Success(k) => ("Success", Some(k)),
            Self::AllGold(k) => ("AllGold", Some(k)),
            Self::ReciprocalRank(k) => ("MRR", k),
            Self::AveragePrecision(k) => ("MAP", k),
            Self::Ndcg { k, gain: Gain::Linear } => ("nDCG", k),
            Self::Ndcg { k, gain: Gain::Exponential } => ("nDCG-exp", k),
            Self::RPrecision => ("R-precision", None),
            Self::Bpref => ("bpref", None),
        };
        // `pad` lets a table align the name.
        match k {
            Some(k) => f.pad(&format!("{name}@{k}")),
            None => f.pad(name),
        }
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::UnknownMetric(text.to_owned());
        let (name, k) = match text.split_once('@') {
            Some((name, k)) => (name, Some(k.parse().map_err(|_| unknown())?)),
            None => (text, None),
        };
        match (name.to_ascii_lowercase().as_str(), k) {
            ("p", Some(k)) => Ok(Self::Precision(k)),
            ("recall", Some(k)) => Ok(Self::Recall(k)),
            ("success", Some(k)) => Ok(Self::Success(k)),
            ("allgold", Some(k)) => Ok(Self::AllGold(k)),
            ("mrr", k) => Ok(Self::ReciprocalRank(k)),
            ("map", k) => Ok(Self::AveragePrecision(k)),
            ("ndcg", k) => Ok(Self::Ndcg { k, gain: Gain::Linear }),
            ("ndcg-exp", k) => Ok(Self::Ndcg { k, gain: Gain::Exponential }),
            ("r-precision", None) => Ok(Self::RPrecision),
            ("bpref", None) => Ok(Self::Bpref),
            _ => Err(unknown()),
        }
    }
}

impl TryFrom<String> for Metric {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Metric> for String {
    fn from(metric: Metric) -> Self {
        metric.to_string()
    }
}

/// The level of each document of a ranking; a document that stands again counts as unjudged.
pub(crate) fn levels<D: AsRef<str>>(ranked: &[D], judgements: &Judgements) -> Vec<Option<i8>> {
    let mut seen = HashSet::new();
    ranked.iter().map(|document| judgements.level(document.as_ref()).filter(|_| seen.insert(document.as_ref()))).collect()
}

/// A ranking of judged documents.
struct Hits<'a> {
    levels: &'a [Option<i8>],
    judgements: &'a Judgements,
}

impl Hits<'_> {
    /// The ranks, from 1, of the relevant documents among the first `k`.
    fn ranks(&self, k: Option<usize>) -> impl Iterator<Item = usize> {
        let ranked = (1..).zip(self.levels).take(k.unwrap_or(usize::MAX));
        ranked.filter(|(_, level)| level.is_some_and(|level| self.judgements.is_relevant(level))).map(|(rank, _)| rank)
    }

    fn within(&self, k: usize) -> usize {
        self.ranks(Some(k)).count()
    }

    fn average_precision(&self, k: Option<usize>, relevant: usize) -> f64 {
        let precisions: f64 = (1..).zip(self.ranks(k)).map(|(found, rank): (usize, usize)| found as f64 / rank as f64).sum();
        if relevant == 0 { 0.0 } else { precisions / relevant as f64 }
    }

    fn bpref(&self, relevant: usize) -> f64 {
        let most = self.judgements.nonrelevant_count().min(relevant);
        let (mut above, mut sum) = (0, 0.0);
        for level in self.levels.iter().copied().flatten() {
            if !self.judgements.is_relevant(level) {
                above += 1;
            } else if above == 0 {
                sum += 1.0;
            } else {
                sum += 1.0 - above.min(relevant) as f64 / most as f64;
            }
        }
        if relevant == 0 { 0.0 } else { sum / relevant as f64 }
    }
}

fn ndcg(levels: &[Option<i8>], ideal: &[i8], k: Option<usize>, gain: Gain) -> f64 {
    let best = dcg(ideal.iter().map(|level| gain.of(*level)), k);
    if best == 0.0 { 0.0 } else { dcg(levels.iter().map(|level| level.map_or(0.0, |level| gain.of(level))), k) / best }
}

fn dcg(gains: impl Iterator<Item = f64>, k: Option<usize>) -> f64 {
    gains.take(k.unwrap_or(usize::MAX)).zip(2..).map(|(gain, rank): (f64, usize)| gain / (rank as f64).log2()).sum()
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn indicator(condition: bool) -> f64 {
    if condition { 1.0 } else { 0.0 }
}
