mod calibrate;
mod config;
mod example;
mod logistic;
mod newton;
mod quantise;
mod ratio;
mod rows;
mod space;

pub use config::{Progress, TrainConfig};
pub use example::Example;

use std::sync::Arc;

use jarre_core::ClassifierInfo;

use self::{
    calibrate::Calibration,
    logistic::solve,
    rows::Rows,
    space::{Columns, Gram, Kernel, Space},
};
use super::{FeatureHook, NgramModel, fold, model::Parts, vector::Reader};
use crate::{Error, Result};

/// Fits a model to `examples`, whose targets stand in the order of the labels of `config`; an example without a target for a label is no
/// example of that label. What `hook` says of a text is learnt from, too.
///
/// The strength is that of the lowest log loss on texts that were left out (folds by [`fold`]), all labels together, and the margins of that
/// run calibrate the model. The same examples in the same order give the same model, to the byte, on one kind of machine.
///
/// # Errors
/// [`Error::Training`] where `config` does not fit the examples, and where a label is not both given and denied.
pub fn train(
    config: &TrainConfig,
    hook: Option<FeatureHook>,
    examples: &[Example],
    progress: &mut dyn FnMut(Progress),
) -> Result<NgramModel> {
    config.check(hook.as_ref(), examples)?;
    let reader = rows::reader(config, hook, examples);
    let rows = Rows::read(&reader, examples);
    let course = Course::new(config, examples, &rows);
    let mut best: Option<Progress> = None;
    let mut calibrations = Vec::new();
    for (at, &strength) in config.strengths.iter().enumerate() {
        let margins = course.held_out(strength);
        let calibration = Calibration::fit(config, examples, &margins);
        let done = Progress { done: at + 1, of: config.strengths.len(), strength, log_loss: calibration.log_loss };
        progress(done);
        if best.is_none_or(|best| done.log_loss < best.log_loss) {
            best = Some(done);
            calibrations = vec![calibration];
        }
    }
    let (Some(best), Some(calibration)) = (best, calibrations.pop()) else {
        return Err(Error::Training { reason: "no strength is finite".into() });
    };
    let weights: Vec<Vec<f32>> = (0..config.labels.len()).map(|label| course.fit(label, best.strength, |_| true).weights()).collect();
    Ok(assemble(config, reader.clone(), &weights, calibration))
}

/// The largest Gram matrix has a row for so many examples, and 64 MB.
const MOST_PRODUCTS: usize = 4096;

/// What is learnt from.
struct Course<'a> {
    config: &'a TrainConfig,
    examples: &'a [Example],
    rows: &'a Rows,
    /// Where the examples are few and the labels share their scales.
    gram: Option<Gram<'a>>,
}

impl<'a> Course<'a> {
    fn new(config: &'a TrainConfig, examples: &'a [Example], rows: &'a Rows) -> Self {
        let shared = config.smoothing <= 0.0 && examples.len() <= MOST_PRODUCTS;
        let gram = shared.then(|| Gram::new(rows, ratio::scales(config, rows, examples, &[])));
        Self { config, examples, rows, gram }
    }

    /// For each label the margins of all examples, by models that had not seen their fold.
    fn held_out(&self, strength: f32) -> Vec<Vec<f32>> {
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
    fn fit(&self, label: usize, strength: f32, learnt: impl Fn(usize) -> bool) -> Box<dyn Space + '_> {
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

fn assemble(config: &TrainConfig, reader: Reader, weights: &[Vec<f32>], calibration: Calibration) -> NgramModel {
    let buckets = reader.idf.len();
    let columns: Vec<&[f32]> = weights.iter().map(Vec::as_slice).collect();
    let (roots, scales) = quantise::quantise(&columns, buckets);
    let plain = (buckets..columns[0].len()).flat_map(|at| columns.iter().map(move |weights| weights[at])).collect();
    let info = ClassifierInfo { name: config.name.clone(), labels: config.labels.clone(), multi_label: true };
    let Calibration { mix, offset, .. } = calibration;
    NgramModel(Arc::new(Parts { info, reader, roots, scales, plain, mix, offset }))
}
