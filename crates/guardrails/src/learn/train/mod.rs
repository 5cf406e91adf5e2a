mod calibrate;
mod config;
mod example;
mod logistic;
mod newton;
mod quantise;
mod ratio;
mod rows;

pub use config::{Progress, TrainConfig};
pub use example::Example;

use std::sync::Arc;

use jarre_core::ClassifierInfo;

use self::{
    calibrate::Calibration,
    logistic::{Fit, Problem},
    rows::Rows,
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
    let mut best: Option<Progress> = None;
    let mut calibrations = Vec::new();
    for (at, &strength) in config.strengths.iter().enumerate() {
        let margins = held_out(config, &rows, examples, strength);
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
    let everywhere = vec![true; examples.len()];
    let fits: Vec<Fit> = (0..config.labels.len()).map(|label| fit(config, &rows, examples, label, &everywhere, best.strength)).collect();
    Ok(assemble(config, reader, &fits, calibration))
}

/// For each label the margins of all examples, by models that had not seen their fold.
fn held_out(config: &TrainConfig, rows: &Rows, examples: &[Example], strength: f32) -> Vec<Vec<f32>> {
    let folds: Vec<usize> = examples.iter().map(|example| fold(&example.text, config.seed, config.folds)).collect();
    let mut margins = vec![vec![0.0; examples.len()]; config.labels.len()];
    for left_out in 0..config.folds {
        let learnt: Vec<bool> = folds.iter().map(|&fold| fold != left_out).collect();
        for (label, margins) in margins.iter_mut().enumerate() {
            let fit = fit(config, rows, examples, label, &learnt, strength);
            for (at, margin) in margins.iter_mut().enumerate().filter(|(at, _)| !learnt[*at]) {
                *margin = fit.margin(rows.row(at));
            }
        }
    }
    margins
}

/// Fits one label to those examples that are `learnt` from.
fn fit(config: &TrainConfig, rows: &Rows, examples: &[Example], label: usize, learnt: &[bool], strength: f32) -> Fit {
    let targets = |at: usize| examples[at].targets[label].filter(|_| learnt[at]);
    let chosen: Vec<(usize, bool)> = (0..examples.len()).filter_map(|at| Some((at, targets(at)?))).collect();
    let total = |positive| chosen.iter().filter(|(_, target)| *target == positive).map(|(at, _)| examples[*at].weight).sum::<f32>();
    let (positives, negatives) = (total(true), total(false));
    if positives <= 0.0 || negatives <= 0.0 {
        return Fit::nothing(rows.columns);
    }
    let lift = (negatives / positives).powf(config.balance);
    let cost = |at: usize, target| strength * examples[at].weight * if target { lift } else { 1.0 };
    let costs = chosen.iter().map(|&(at, target)| cost(at, target)).collect();
    let scales = ratio::scales(config, rows, &chosen, examples);
    Problem { rows, chosen, costs, scales, seed: config.seed, epochs: config.epochs }.solve()
}

fn assemble(config: &TrainConfig, reader: Reader, fits: &[Fit], calibration: Calibration) -> NgramModel {
    let buckets = reader.idf.len();
    let columns: Vec<&[f32]> = fits.iter().map(|fit| &fit.weights[..]).collect();
    let (roots, scales) = quantise::quantise(&columns, buckets);
    let plain = (buckets..columns[0].len()).flat_map(|at| columns.iter().map(move |weights| weights[at])).collect();
    let info = ClassifierInfo { name: config.name.clone(), labels: config.labels.clone(), multi_label: true };
    let Calibration { mix, offset, .. } = calibration;
    NgramModel(Arc::new(Parts { info, reader, roots, scales, plain, mix, offset }))
}
