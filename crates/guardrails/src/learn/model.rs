use std::{fmt, sync::Arc};

use jarre_core::{Classification, ClassifierInfo, LabelScore, TextClassifier};

use super::vector::Reader;

/// A classifier over n-grams: for each label a logistic regression whose margins are calibrated on texts that it was not fitted to.
///
/// A score is a probability in the place where the model was trained; where what it is asked about is rarer, so is what a score means.
/// Clones share the weights. Reading takes time linear in the text, and memory for the distinct buckets of a text and a count for each bucket
/// that there is (256 KB with 17 bits).
#[derive(Clone)]
pub struct NgramModel(pub(super) Arc<Parts>);

/// What a model is made of, with `labels` columns each.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) info: ClassifierInfo,
    pub(super) reader: Reader,
    /// A row a bucket: the signed root of the weight, in units of which the label's scale says the square.
    pub(super) roots: Vec<i8>,
    pub(super) scales: Vec<f32>,
    /// A row a number of the hook, and one for the constant.
    pub(super) plain: Vec<f32>,
    /// A row a label: what of each margin makes up its calibrated logit.
    pub(super) mix: Vec<f32>,
    pub(super) offset: Vec<f32>,
}

impl NgramModel {
    /// What is scored, in the order of the scores.
    pub fn labels(&self) -> &[String] {
        &self.0.info.labels
    }

    /// The calibrated probability of each label.
    pub fn score(&self, text: &str) -> Vec<f32> {
        let margins = self.margins(text);
        let logit = |(row, offset): (&[f32], &f32)| offset + row.iter().zip(&margins).map(|(share, margin)| share * margin).sum::<f32>();
        self.0.mix.chunks_exact(margins.len()).zip(&self.0.offset).map(logit).map(sigmoid).collect()
    }

    /// The margin of each label before it is calibrated.
    fn margins(&self, text: &str) -> Vec<f32> {
        let Parts { reader, roots, scales, plain, .. } = &*self.0;
        let labels = scales.len();
        let mut hashed = vec![0.0_f32; labels];
        let unit = reader.weigh(text, |bucket, weight| {
            for (sum, &root) in hashed.iter_mut().zip(&roots[bucket * labels..][..labels]) {
                let root = f32::from(root);
                *sum += weight * (root * root.abs());
            }
        });
        let mut margins = plain[plain.len() - labels..].to_vec();
        reader.numbers(text, |at, value| {
            let row = &plain[(at - reader.idf.len()) * labels..];
            margins.iter_mut().zip(row).for_each(|(sum, weight)| *sum += value * weight);
        });
        margins.iter_mut().zip(hashed.iter().zip(scales)).for_each(|(margin, (sum, scale))| *margin += sum * unit * scale);
        margins
    }
}

pub(super) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

impl TextClassifier for NgramModel {
    fn info(&self) -> &ClassifierInfo {
        &self.0.info
    }

    fn classify(&self, texts: &[&str]) -> jarre_core::Result<Vec<Classification>> {
        let name = |(label, score): (&String, f32)| LabelScore { label: label.clone(), score };
        Ok(texts.iter().map(|text| Classification::new(self.labels().iter().zip(self.score(text)).map(name))).collect())
    }
}

impl fmt::Debug for NgramModel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("NgramModel").field("info", &self.0.info).field("ngrams", &self.0.reader.ngrams).finish_non_exhaustive()
    }
}
