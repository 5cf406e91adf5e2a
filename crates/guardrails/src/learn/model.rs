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
        self.score_with(text, self.numbers(text))
    }

    /// As [`score`](Self::score), of a text of which the hook reads `numbers`.
    pub(crate) fn score_with(&self, text: &str, numbers: Vec<f32>) -> Vec<f32> {
        self.calibrated(&self.margins(text, numbers))
    }

    /// What the hook reads of `text`.
    fn numbers(&self, text: &str) -> Vec<f32> {
        self.0.reader.hook.as_ref().map(|hook| hook.read(text)).unwrap_or_default()
    }

    fn calibrated(&self, margins: &[f32]) -> Vec<f32> {
        let logit = |(row, offset): (&[f32], &f32)| offset + row.iter().zip(margins).map(|(share, margin)| share * margin).sum::<f32>();
        self.0.mix.chunks_exact(margins.len()).zip(&self.0.offset).map(logit).map(sigmoid).collect()
    }

    /// The margin of each label before it is calibrated.
    fn margins(&self, text: &str, numbers: Vec<f32>) -> Vec<f32> {
        let (sums, unit) = self.0.sums(text);
        let mut margins = Margins::new(&self.0);
        self.0.reader.standardised(numbers, |at, value| margins.add(at, value));
        margins.with(&sums, unit)
    }
}

impl Parts {
    /// What the n-grams of `text` add up to for each label, and by what to multiply it.
    fn sums(&self, text: &str) -> (Vec<f32>, f32) {
        match self.scales.len() {
            1 => self.sums_of::<1>(text),
            2 => self.sums_of::<2>(text),
            8 => self.sums_of::<8>(text),
            labels => {
                let mut sums = vec![0.0; labels];
                let unit = self.reader.weigh(text, |bucket, weight| add(&mut sums, &self.roots[bucket * labels..][..labels], weight));
                (sums, unit)
            }
        }
    }

    /// So many labels are summed in registers.
    fn sums_of<const LABELS: usize>(&self, text: &str) -> (Vec<f32>, f32) {
        let (rows, _) = self.roots.as_chunks::<LABELS>();
        let mut sums = [0.0; LABELS];
        let unit = self.reader.weigh(text, |bucket, weight| add(&mut sums, &rows[bucket], weight));
        (sums.to_vec(), unit)
    }
}

fn add(sums: &mut [f32], roots: &[i8], weight: f32) {
    for (sum, &root) in sums.iter_mut().zip(roots) {
        let root = f32::from(root);
        *sum += weight * (root * root.abs());
    }
}

/// The margins as far as they are known.
struct Margins<'a> {
    parts: &'a Parts,
    margins: Vec<f32>,
}

impl<'a> Margins<'a> {
    fn new(parts: &'a Parts) -> Self {
        let Parts { plain, scales, .. } = parts;
        Self { parts, margins: plain[plain.len() - scales.len()..].to_vec() }
    }

    /// Adds a number of the hook, at its place behind the buckets.
    fn add(&mut self, at: usize, value: f32) {
        let row = &self.parts.plain[(at - self.parts.reader.idf.len()) * self.margins.len()..];
        self.margins.iter_mut().zip(row).for_each(|(sum, weight)| *sum += value * weight);
    }

    fn with(mut self, sums: &[f32], unit: f32) -> Vec<f32> {
        self.margins.iter_mut().zip(sums.iter().zip(&self.parts.scales)).for_each(|(margin, (sum, scale))| *margin += sum * unit * scale);
        self.margins
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
