//! Kinds of kernels, and how long those of a step took.

use std::time::Instant;

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kernel {
    /// Rows of the embedding, cosines and sines of positions.
    Embedding,
    /// Normalisation, with rounding to eight bits where layers multiply integers.
    Norm,
    /// Query, key and value.
    Qkv,
    /// Rotation, and keys and values into the cache.
    RopeKvWrite,
    /// Over the cache.
    Attention,
    /// The projection after attention, onto the hidden state.
    Output,
    /// The first layers of the feed-forward network and their gate.
    GateUp,
    /// Its last, onto the hidden state.
    Down,
    /// Logits.
    Head,
    /// The choice of tokens.
    Sampling,
}

impl Kernel {
    pub(super) const ALL: [Self; 10] = [
        Self::Embedding,
        Self::Norm,
        Self::Qkv,
        Self::RopeKvWrite,
        Self::Attention,
        Self::Output,
        Self::GateUp,
        Self::Down,
        Self::Head,
        Self::Sampling,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embedding, angles",
            Self::Norm => "norm, rounding",
            Self::Qkv => "query, key, value",
            Self::RopeKvWrite => "rope, KV write",
            Self::Attention => "attention",
            Self::Output => "output projection",
            Self::GateUp => "gate, up",
            Self::Down => "down",
            Self::Head => "head",
            Self::Sampling => "sampling",
        }
    }
}

/// Some time of a kernel, in a layer where it belongs to one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) layer: Option<usize>,
    pub(super) kernel: Kernel,
    pub(super) seconds: f64,
}

/// The spans of a step, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    pub(super) layer: Option<usize>,
    pub(super) spans: Vec<Span>,
}

impl Times {
    pub(super) fn time<T>(&mut self, kernel: Kernel, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = work();
        self.spans.push(Span { layer: self.layer, kernel, seconds: started.elapsed().as_secs_f64() });
        done
    }

    fn total(&self) -> f64 {
        self.spans.iter().map(|span| span.seconds).sum()
    }
}

/// Spans that last as long as their means over the fastest quarter of steps that are alike: what other programs take is left out, and the parts
/// still add up to the whole, as medians would not.
pub(super) fn typical(mut steps: Vec<Times>) -> Vec<Span> {
    steps.sort_by(|a, b| a.total().total_cmp(&b.total()));
    steps.truncate(quarter(steps.len()));
    let Some(first) = steps.first() else { return Vec::new() };
    let mean = |place: usize| steps.iter().map(|step| step.spans[place].seconds).sum::<f64>() / steps.len() as f64;
    first.spans.iter().enumerate().map(|(place, span)| Span { seconds: mean(place), ..*span }).collect()
}

/// The mean of the fastest quarter; NaN of none.
pub(super) fn typical_whole(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.truncate(quarter(seconds.len()));
    seconds.iter().sum::<f64>() / seconds.len() as f64
}

/// Of some steps, and of any at least one.
fn quarter(steps: usize) -> usize {
    steps.div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_quarter_counts_and_parts_add_up() {
        let step = |seconds: [f64; 2]| {
            let span = |(layer, seconds)| Span { layer, kernel: Kernel::Norm, seconds };
            Times { layer: None, spans: [Some(3), None].into_iter().zip(seconds).map(span).collect() }
        };
        let steps = [[1.0, 5.0], [9.0, 9.0], [3.0, 1.0], [8.0, 9.0], [2.0, 40.0], [8.0, 8.0], [7.0, 7.0]];
        // The fastest two of seven are those of 4 and of 6.
        let spans = typical(steps.map(step).to_vec());
        assert_eq!(spans.iter().map(|span| (span.layer, span.seconds)).collect::<Vec<_>>(), [(Some(3), 2.0), (None, 3.0)]);
        let whole = typical_whole(steps.iter().map(|step| step.iter().sum()).collect());
        assert!((whole - 5.0).abs() < 1e-12);
        assert!(typical(Vec::new()).is_empty() && typical_whole(vec![]).is_nan() && (typical_whole(vec![2.0]) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn all_kernels_are_listed_once_in_order() {
        for (place, kernel) in Kernel::ALL.iter().enumerate() {
            assert_eq!(*kernel as usize, place);
        }
    }
}
