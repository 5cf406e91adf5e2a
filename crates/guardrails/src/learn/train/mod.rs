mod calibrate;
mod config;
mod course;
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

use self::{calibrate::Calibration, course::Course, rows::Rows};
use super::{FeatureHook, NgramModel, model::Parts, vector::Reader};
use crate::{Error, Result};

/// Fits a model to `examples`, whose targets stand in the order of the labels of `config`; an example without a target for a label is no
/// example of that label. What `hook` says of a text is learnt from, too.
///
/// The strength is that of the lowest log loss on texts that were left out (folds by [`fold`](super::fold)), all labels together, and the margins of that
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
        return Err(Error::Training { reason: "no strength gives a finite loss".into() });
    };
    let weights: Vec<Vec<f32>> = (0..config.labels.len()).map(|label| course.fit(label, best.strength, |_| true).weights()).collect();
    Ok(assemble(config, reader, &weights, calibration))
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
