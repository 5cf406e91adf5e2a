use std::{error::Error, path::Path};

use jarre_guardrails::{
    learn::{Example, NgramModel, TrainConfig, train},
    moderation,
};

use crate::{
    data::LABELS,
    tweets::{Class, Tweet, tweets},
    vectors::{self, Vectors},
};

/// What is learnt from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Features {
    /// N-grams alone.
    Ngrams,
    /// And the themes of words.
    Themes,
    /// And the tweets, as examples of hate.
    Tweets,
    /// N-grams and the vectors of an encoder.
    Vectors,
    /// N-grams, the themes of words, and the vectors.
    ThemesAndVectors,
}

/// A way to train, with choices that are left to the folds within what it is given.
pub(crate) struct Recipe {
    features: Features,
    configs: Vec<TrainConfig>,
    tweets: Vec<Tweet>,
    vectors: Option<Vectors>,
}

/// One tweet in so many is taken, so that they do not outweigh the rest.
const TWEETS: usize = 24;

impl Recipe {
    pub(crate) fn new(features: Features, folder: &Path, vectors: Option<Vectors>) -> Result<Self, Box<dyn Error>> {
        let scales: &[f32] = match features {
            Features::Ngrams => &[0.05],
            Features::Themes | Features::Tweets => &[0.05, 0.1],
            // A vector has the length 1, as the n-grams have.
            Features::Vectors | Features::ThemesAndVectors => &[0.1, 0.3, 1.0],
        };
        let config = |&hook_scale: &f32| TrainConfig {
            name: "jarre-moderation".into(),
            labels: LABELS.map(str::to_owned).to_vec(),
            strengths: vec![2.0, 4.0, 8.0, 16.0, 32.0],
            bits: 16,
            hook_scale,
            ..TrainConfig::default()
        };
        let tweets = if features == Features::Tweets { tweets(folder)? } else { Vec::new() };
        Ok(Self { features, configs: scales.iter().map(config).collect(), tweets, vectors })
    }

    /// The model of the configuration with the lowest log loss on what it left out of `examples`, with both.
    pub(crate) fn train(&self, examples: &[Example]) -> Result<(NgramModel, TrainConfig, f64), Box<dyn Error>> {
        let hook = || match (self.features, &self.vectors) {
            (Features::Ngrams, _) => None,
            (Features::Vectors, Some(vectors)) => Some(vectors::hook(vectors, None)),
            (Features::ThemesAndVectors, Some(vectors)) => Some(vectors::hook(vectors, Some(moderation::hook()))),
            _ => Some(moderation::hook()),
        };
        let examples: Vec<Example> = examples.iter().cloned().chain(self.tweets()).collect();
        let mut best: Option<(NgramModel, TrainConfig, f64)> = None;
        for config in &self.configs {
            let mut loss = f64::INFINITY;
            let model = train(config, hook(), &examples, &mut |progress| loss = loss.min(progress.log_loss))?;
            if best.as_ref().is_none_or(|(.., best)| loss < *best) {
                best = Some((model, config.clone(), loss));
            }
        }
        best.ok_or_else(|| "there is no configuration".into())
    }

    fn tweets(&self) -> impl Iterator<Item = Example> + '_ {
        let targets = |class| LABELS.map(|label| (label == "H").then_some(class == Class::Hate));
        self.tweets.iter().step_by(TWEETS).map(move |tweet| Example::new(&*tweet.text, targets(tweet.class)).with_weight(0.1))
    }
}
