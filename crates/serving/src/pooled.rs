use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jarre_core::{Embedder, Reranker};

/// Gives a row of numbers for each input of a range.
type Compute = Box<dyn FnMut(Range<usize>) -> jarre_core::Result<Vec<Vec<f32>>> + Send>;

/// Inputs for a model beside the engine's own, an encoder of texts or of pairs, that take their turn in the engine's queue.
///
/// They are computed on the engine's thread in groups of whole inputs, each of no more tokens than a step has (a longer input is a group by
/// itself). A group stands in the queue as a prompt of so many tokens does: it has a rank, is paid for out of the budgets of one step or several,
/// and is computed in the step that pays the last of it. The next group comes in at the end of the queue, so that a request of many inputs
/// holds nobody up for longer than a group. It takes no blocks of the cache.
///
/// ```
/// use jarre_serving::PooledRequest;
///
/// let texts = ["a", "two words"];
/// let lengths = PooledRequest::new(vec![1, 2], move |inputs| Ok(inputs.map(|input| vec![texts[input].len() as f32]).collect()));
/// assert_eq!((lengths.len(), lengths.tokens()), (2, 3));
/// ```
pub struct PooledRequest {
    tokens: Vec<usize>,
    compute: Compute,
    /// Lower ones run first, under [`Policy::Priority`](crate::Policy::Priority).
    pub priority: i32,
    /// When the rows are no longer wanted, on the engine's clock.
    pub deadline: Option<Duration>,
}

impl PooledRequest {
    /// Inputs of so many tokens each. `compute` is asked for one range of inputs after another and gives a row for each of its inputs; it
    /// holds up every answer of the engine while it runs.
    pub fn new(tokens: Vec<usize>, compute: impl FnMut(Range<usize>) -> jarre_core::Result<Vec<Vec<f32>>> + Send + 'static) -> Self {
        Self { tokens, compute: Box::new(compute), priority: 0, deadline: None }
    }

    /// The vectors of `texts`, which have `tokens` tokens each.
    ///
    /// # Panics
    /// Where there are not as many counts as texts.
    pub fn embedding(model: Arc<dyn Embedder>, texts: Vec<String>, tokens: Vec<usize>) -> Self {
        assert_eq!(texts.len(), tokens.len(), "each text has its tokens counted");
        Self::new(tokens, move |inputs| {
            let texts: Vec<&str> = texts[inputs].iter().map(String::as_str).collect();
            Ok(model.embed(&texts)?.rows().map(<[f32]>::to_vec).collect())
        })
    }

    /// The scores of pairs of a query and a candidate, which have `tokens` tokens each: rows of one number.
    ///
    /// # Panics
    /// Where there are not as many counts as pairs.
    pub fn scoring(model: Arc<dyn Reranker>, pairs: Vec<(String, String)>, tokens: Vec<usize>) -> Self {
        assert_eq!(pairs.len(), tokens.len(), "each pair has its tokens counted");
        Self::new(tokens, move |inputs| {
            let mut rows = Vec::with_capacity(inputs.len());
            for run in pairs[inputs].chunk_by(|one, next| one.0 == next.0) {
                let candidates: Vec<&str> = run.iter().map(|pair| pair.1.as_str()).collect();
                rows.extend(model.score(&run[0].0, &candidates)?.into_iter().map(|score| vec![score]));
            }
            Ok(rows)
        })
    }

    /// Sets [`priority`](Self::priority).
    pub fn with_priority(self, priority: i32) -> Self {
        Self { priority, ..self }
    }

    /// Sets [`deadline`](Self::deadline).
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Inputs.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is no input.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Tokens of all inputs together.
    pub fn tokens(&self) -> usize {
        self.tokens.iter().sum()
    }

    /// The inputs from `start` on that are computed at a time, and their tokens: one at least.
    pub(crate) fn group(&self, start: usize, most: usize) -> (Range<usize>, usize) {
        let (mut end, mut sum) = (start, 0_usize);
        while let Some(&tokens) = self.tokens.get(end) {
            let with = sum.saturating_add(tokens.max(1));
            if end > start && with > most {
                break;
            }
            (end, sum) = (end + 1, with);
        }
        (start..end, sum)
    }

    pub(crate) fn compute(&mut self, inputs: Range<usize>) -> jarre_core::Result<Vec<Vec<f32>>> {
        (self.compute)(inputs)
    }
}

impl fmt::Debug for PooledRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledRequest").field("inputs", &self.len()).field("tokens", &self.tokens()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Groups follow one another without a gap, none is empty, and none of several inputs is too large.
        #[test]
        fn groups_are_all_inputs_in_order(tokens in prop::collection::vec(0_usize..40, 1..30), most in 1_usize..50) {
            let request = PooledRequest::new(tokens.clone(), |_| Ok(Vec::new()));
            let mut start = 0;
            while start < tokens.len() {
                let (group, sum) = request.group(start, most);
                prop_assert_eq!(group.start, start);
                prop_assert_eq!(tokens[group.clone()].iter().map(|tokens| (*tokens).max(1)).sum::<usize>(), sum);
                prop_assert!(!group.is_empty() && (sum <= most || group.len() == 1));
                let next = tokens.get(group.end).map_or(most, |tokens| (*tokens).max(1));
                prop_assert!(group.end == tokens.len() || sum + next > most, "the next one would have found room");
                start = group.end;
            }
        }
    }
}
