use std::path::Path;

use burn::tensor::Device;
use jarre_core::{Classification, ClassifierInfo, LabelScore, TextClassifier};
use rayon::prelude::*;
use serde::Deserialize;

use super::batch::TokenBatch;
use super::bert_classifier::BertClassifier;
use super::by_length::{WINDOW, run_by_length, within_vocabulary};
use super::folder_config::FolderConfig;
use super::labels::{LabelConfig, Problem};
use crate::error::{Error, Result};
use crate::tokenizer::Tokenizer;
use crate::weights::read_json_if_there;

/// Classifies texts and pairs of texts with an encoder of the BERT family and its head, as transformers does with the same folder.
///
/// ```no_run
/// use burn::tensor::Device;
/// use jarre_core::TextClassifier;
/// use jarre_transformer::SequenceClassifier;
///
/// let classifier = SequenceClassifier::from_folder("distilbert-base-uncased-finetuned-sst-2-english", &Device::default())?;
/// let scores = classifier.classify(&["What a book!"])?;
/// println!("{:?}", scores[0].top());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Scores are the softmax of the logits; with one label, or where `config.json` says `multi_label_classification`, the sigmoid of each.
/// Texts are sorted by length, batched with little padding, and on the CPU the batches run in parallel on rayon's threads. A text's
/// logits differ by rounding only between batches.
#[derive(Debug)]
pub struct SequenceClassifier {
    model: BertClassifier,
    tokenizer: Tokenizer,
    device: Device,
    pad_id: u32,
    vocab_size: usize,
    n_segments: usize,
    problem: Problem,
    info: ClassifierInfo,
}

/// Tokens of a text or a pair, and the segment of each.
struct Tokens {
    ids: Vec<u32>,
    segments: Vec<u32>,
}

impl SequenceClassifier {
    /// Loads a Hugging Face folder whose weights belong to a `...ForSequenceClassification` of BERT, `RoBERTa`, XLM-R, `CamemBERT` or
    /// `DistilBERT` onto `device`: `config.json`, `tokenizer.json`, safetensors, and where it is there `tokenizer_config.json`. The
    /// name in [`TextClassifier::info`] is the folder's.
    ///
    /// # Errors
    /// Where a file is missing or malformed, or asks for something that is not computed here.
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let folder = folder.as_ref();
        let name = folder.file_name().map_or_else(|| "classifier".to_owned(), |name| name.to_string_lossy().into_owned());
        Self::from_named_folder(folder, &name, device)
    }

    /// As [`from_folder`](Self::from_folder), under another name.
    ///
    /// # Errors
    /// As [`from_folder`](Self::from_folder).
    pub fn from_named_folder(folder: &Path, name: &str, device: &Device) -> Result<Self> {
        let config = FolderConfig::read(folder)?;
        let labels = LabelConfig::read(folder)?;
        let max_tokens = read_max_tokens(folder)?.unwrap_or(usize::MAX).min(config.bert.max_tokens());
        Ok(Self {
            tokenizer: Tokenizer::from_file(folder.join("tokenizer.json"), max_tokens)?,
            model: BertClassifier::from_config(folder, &config, labels.names.len(), device)?,
            device: device.clone(),
            pad_id: config.pad_id,
            vocab_size: config.bert.vocab_size,
            n_segments: config.bert.n_segments,
            problem: labels.problem,
            info: ClassifierInfo { name: name.to_owned(), labels: labels.names, multi_label: labels.problem == Problem::MultiLabel },
        })
    }

    /// Logits of texts, or of pairs of a text and a second one: one row for each, one value for each label. Of a pair that is too long the
    /// longer text is cut, at its end, and both where each is longer than half.
    ///
    /// # Errors
    /// Where the tokenizer or the device fails, or gives tokens that the model does not have.
    pub fn logits(&self, texts: &[(&str, Option<&str>)]) -> Result<Vec<Vec<f32>>> {
        let width = self.info.labels.len();
        let mut values = vec![0.0; texts.len() * width];
        for (texts, rows) in texts.chunks(WINDOW).zip(values.chunks_mut(WINDOW * width)) {
            let tokens: Vec<Tokens> = texts.par_iter().map(|(first, second)| self.tokenize(first, *second)).collect::<Result<_>>()?;
            let lengths: Vec<usize> = tokens.iter().map(|tokens| tokens.ids.len()).collect();
            run_by_length(&lengths, &self.device, (rows, width), |group| {
                self.run(&group.iter().map(|&index| &tokens[index]).collect::<Vec<_>>())
            })?;
        }
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(Error::Device(format!("the model gave the logit {value}; its weights may be damaged"))),
            None => Ok(values.chunks_exact(width).map(<[f32]>::to_vec).collect()),
        }
    }

    /// The model without its tokenizer.
    pub fn model(&self) -> &BertClassifier {
        &self.model
    }

    /// The tokenizer, which cuts texts to what the model reads.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    fn tokenize(&self, first: &str, second: Option<&str>) -> Result<Tokens> {
        let (mut ids, mut segments) = self.tokenizer.encode_pair(first, second)?;
        within_vocabulary(&ids, self.vocab_size)?;
        if ids.is_empty() {
            // A tokenizer without special tokens gives nothing for an empty text, and a model needs something to read.
            (ids, segments) = (vec![self.pad_id], vec![0]);
        }
        match segments.iter().find(|&&segment| segment as usize >= self.n_segments) {
            Some(segment) if self.n_segments > 1 => {
                Err(Error::Tokenize(format!("segment {segment} is beyond the model's {} segments", self.n_segments)))
            }
            _ => Ok(Tokens { ids, segments }),
        }
    }

    /// Logits of one batch, `[sequences, labels]`.
    fn run(&self, tokens: &[&Tokens]) -> Result<Vec<f32>> {
        let ids: Vec<&[u32]> = tokens.iter().map(|tokens| tokens.ids.as_slice()).collect();
        let segments: Vec<&[u32]> = tokens.iter().map(|tokens| tokens.segments.as_slice()).collect();
        let batch = TokenBatch::with_segments(&ids, &segments, self.pad_id, &self.device);
        self.model.forward(&batch).try_into_vec_as::<f32>().map_err(|error| Error::Device(format!("{error:?}")))
    }

    fn classification(&self, mut logits: Vec<f32>) -> Classification {
        match self.problem {
            Problem::MultiLabel => logits.iter_mut().for_each(|logit| *logit = sigmoid(*logit)),
            _ => softmax(&mut logits),
        }
        Classification::new(self.info.labels.iter().zip(logits).map(|(label, score)| LabelScore::new(label, score)))
    }
}

impl TextClassifier for SequenceClassifier {
    fn info(&self) -> &ClassifierInfo {
        &self.info
    }

    /// A model of `problem_type` `regression` has [`logits`](SequenceClassifier::logits) and no scores: it is an error.
    fn classify(&self, texts: &[&str]) -> jarre_core::Result<Vec<Classification>> {
        if self.problem == Problem::Regression {
            let supported = "single_label_classification, multi_label_classification";
            return Err(Error::Unsupported { what: "problem type", found: "regression".to_owned(), supported }.into());
        }
        let pairs: Vec<(&str, Option<&str>)> = texts.iter().map(|text| (*text, None)).collect();
        Ok(self.logits(&pairs)?.into_iter().map(|logits| self.classification(logits)).collect())
    }
}

/// `1 / (1 + e^-x)`.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn softmax(logits: &mut [f32]) {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - max).exp();
        sum += *logit;
    }
    for logit in logits {
        *logit /= sum;
    }
}

/// Tokens that the tokenizer says the model reads.
fn read_max_tokens(folder: &Path) -> Result<Option<usize>> {
    #[derive(Default, Deserialize)]
    struct TokenizerFile {
        model_max_length: Option<f64>,
    }
    let file: TokenizerFile = read_json_if_there(&folder.join("tokenizer_config.json"))?.unwrap_or_default();
    // Tokenizers without a limit write 1e30 here.
    Ok(file.model_max_length.filter(|&max| max < 1e9).map(|max| max as usize))
}
