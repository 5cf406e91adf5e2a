use super::{
    Example, TrainConfig,
    logistic::solve,
    ratio,
    rows::Rows,
    space::{Columns, Gram, Kernel, Space},
};
use crate::learn::fold;

/// The largest Gram matrix has a row for so many examples, and 64 MB.
const MOST_PRODUCTS: usize = 4096;

/// What is learnt from.
pub(super) struct Course<'a> {
    config: &'a TrainConfig,
    examples: &'a [Example],
    rows: &'a Rows,
    /// Where the examples are few and the labels share their scales.
    gram: Option<Gram<'a>>,
}

impl<'a> Course<'a> {
    pub(super) fn new(config: &'a TrainConfig, examples: &'a [Example], rows: &'a Rows) -> Self {
        let shared = config.smoothing <= 0.0 && examples.len() <= MOST_PRODUCTS;
        let gram = shared.then(|| Gram::new(rows, ratio::scales(config, rows, examples, &[])));
        Self { config, examples, rows, gram }
    }

    /// For each label the margins of all examples, by models that had not seen their fold.
    pub(super) fn held_out(&self, strength: f32) -> Vec<Vec<f32>> {
        let TrainConfig { seed, folds, labels, .. } = self.config;
        let fold_of: Vec<usize> = self.examples.iter().map(|example| fold(&example.text, *seed, *folds)).collect();
        let mut margins = vec![vec![0.0; self.examples.len()]; labels.len()];
        for left_out in 0..*folds {
            for (label, margins) in margins.iter_mut().enumerate() {
                let fitted = self.fit(label, strength, |at| fold_of[at] != left_out);
                for (at, margin) in margins.iter_mut().enumerate().filter(|(at, _)| fold_of[*at] == left_out) {
                    *margin = fitted.margin(at);
                }
            }
        }
        margins
    }

    /// Fits one label to those examples that are `learnt` from; to nothing where these are all on one side.
    pub(super) fn fit(&self, label: usize, strength: f32, learnt: impl Fn(usize) -> bool) -> Box<dyn Space + '_> {
        let target = |at: usize| self.examples[at].targets[label].filter(|_| learnt(at));
        let sides: Vec<(usize, bool)> = (0..self.examples.len()).filter_map(|at| Some((at, target(at)?))).collect();
        let weight = |at: usize| self.examples[at].weight;
        let total = |side| sides.iter().filter(|(_, target)| *target == side).map(|&(at, _)| weight(at)).sum::<f32>();
        let (positives, negatives) = (total(true), total(false));
        let mut space = self.space(&sides);
        if positives > 0.0 && negatives > 0.0 {
            let lift = |side| if side { (negatives / positives).powf(self.config.balance) } else { 1.0 };
            let chosen: Vec<_> = sides.into_iter().map(|(at, side)| (at, side, strength * weight(at) * lift(side))).collect();
            solve(&mut *space, &chosen, self.config.epochs, self.config.seed);
        }
        space
    }

    fn space(&self, sides: &[(usize, bool)]) -> Box<dyn Space + '_> {
        match &self.gram {
            Some(gram) => Box::new(Kernel::new(gram)),
            None => Box::new(Columns::new(self.rows, &ratio::scales(self.config, self.rows, self.examples, sides))),
        }
    }
}
