use super::{
    Example, TrainConfig,
    newton::{Row, dot, log_loss, logistic},
};

/// What makes probabilities of margins: logit = `mix . margins + offset`, for each label.
pub(super) struct Calibration {
    /// A row a label.
    pub(super) mix: Vec<f32>,
    pub(super) offset: Vec<f32>,
    /// The mean over labels of the mean log loss on the margins that it was fitted to.
    pub(super) log_loss: f64,
}

impl Calibration {
    /// Fits a slope and an offset to each label (Platt 1999) and, where the configuration says so, then what the other labels add.
    /// `margins` are, for each label, those of all examples, by models that had not seen them.
    pub(super) fn fit(config: &TrainConfig, examples: &[Example], margins: &[Vec<f32>]) -> Self {
        let labels = margins.len();
        let platt: Vec<[f64; 2]> = (0..labels).map(|label| platt(examples, label, &margins[label])).collect();
        let mut fitted = Self { mix: Vec::new(), offset: Vec::new(), log_loss: 0.0 };
        for label in 0..labels {
            // In logits of the labels by themselves, so that one ridge suits all.
            let logits = |at: usize| {
                let logit = |(margins, [slope, offset]): (&Vec<f32>, &[f64; 2])| slope * f64::from(margins[at]) + offset;
                margins.iter().zip(&platt).map(logit).chain([1.0]).collect()
            };
            let rows = rows(examples, label, logits);
            let mut found = vec![0.0; labels + 1];
            found[label] = 1.0;
            if config.mix > 0.0 {
                found = logistic(&rows, &found, config.mix.into());
            }
            let weight: f64 = rows.iter().map(|(_, _, weight)| weight).sum();
            let loss: f64 = rows.iter().map(|(row, target, weight)| weight * log_loss(dot(row, &found), *target)).sum();
            fitted.log_loss += loss / weight / labels as f64;
            fitted.mix.extend(found.iter().zip(&platt).map(|(share, [slope, _])| (share * slope) as f32));
            fitted.offset.push(dot(&found, &platt.iter().map(|[_, offset]| *offset).chain([1.0]).collect::<Vec<_>>()) as f32);
        }
        fitted
    }
}

/// Slope and offset of one label.
fn platt(examples: &[Example], label: usize, margins: &[f32]) -> [f64; 2] {
    let rows = rows(examples, label, |at| vec![f64::from(margins[at]), 1.0]);
    let found = logistic(&rows, &[1.0, 0.0], 1e-6);
    // A margin that says the opposite on texts left out says nothing.
    if found[0] > 0.0 { [found[0], found[1]] } else { [0.0, logistic(&rows_of_constant(&rows), &[0.0], 1e-6)[0]] }
}

fn rows_of_constant(rows: &[Row]) -> Vec<Row> {
    rows.iter().map(|(_, target, weight)| (vec![1.0], *target, *weight)).collect()
}

/// The examples that have the label or not, with targets that are a little less than sure, as Platt has them.
fn rows(examples: &[Example], label: usize, read: impl Fn(usize) -> Vec<f64>) -> Vec<Row> {
    let targets = || examples.iter().enumerate().filter_map(|(at, example)| Some((at, example.targets[label]?, f64::from(example.weight))));
    let count = |side| targets().filter(|(_, target, _)| *target == side).map(|(_, _, weight)| weight).sum::<f64>();
    let (positive, negative) = ((count(true) + 1.0) / (count(true) + 2.0), 1.0 / (count(false) + 2.0));
    targets().map(|(at, target, weight)| (read(at), if target { positive } else { negative }, weight)).collect()
}
