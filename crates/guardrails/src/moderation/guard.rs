use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use jarre_core::TextClassifier;

use super::{Category, ModerationConfig, Reading, panel::Panel};
use crate::{
    Basis, Context, Effect, Finding, Guard, Reach, Result, Scan,
    scan::{Strides, Whole, Window, boundary_before},
};

/// Finds harmful content: a finding carries the [name](Category::name) of its category, its probability and what is done about it.
///
/// Clones share the classifiers.
#[derive(Clone)]
pub struct ModerationGuard {
    inner: Arc<Inner>,
}

struct Inner {
    panel: Panel,
    config: ModerationConfig,
    window: Window,
}

type Judgement = (Category, f32, Effect);

impl ModerationGuard {
    /// Asks the classifier that comes with the crate.
    ///
    /// # Errors
    /// [`Error::Moderation`](crate::Error::Moderation) where the stride is no part of the window.
    pub fn new(config: &ModerationConfig) -> Result<Self> {
        Self::of(Panel::own(config.join)?, config)
    }

    /// Asks `classifiers`, whose labels are names or codes of categories; other labels are passed over. Give [`model`](super::model) among them for
    /// the one that comes with the crate. The default thresholds are that one's.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and where there is no classifier or one that knows no category.
    pub fn asking(config: &ModerationConfig, classifiers: Vec<Arc<dyn TextClassifier>>) -> Result<Self> {
        Self::of(Panel::new(classifiers, config.join)?, config)
    }

    fn of(panel: Panel, config: &ModerationConfig) -> Result<Self> {
        Ok(Self { inner: Arc::new(Inner { panel, config: config.clone(), window: config.windows()? }) })
    }
}

impl Inner {
    /// What is to be done about a window.
    fn judge(&self, text: &str) -> Result<Vec<Judgement>> {
        Ok(self.judgements(self.panel.score(text)?).collect())
    }

    fn judgements(&self, scores: Vec<(Category, f32)>) -> impl Iterator<Item = Judgement> {
        scores.into_iter().filter_map(|(category, score)| Some((category, score, self.config.rule(category).effect(score)?)))
    }

    /// The worst window of each category, in the order of the text. Windows overlap by half, and are read where something is near a threshold.
    fn read(&self, text: &str) -> Result<Vec<Finding>> {
        let mut worst: Vec<Finding> = Vec::new();
        let spans = self.spans(text);
        let scores = self.panel.score_windows(text, &spans, |category| self.config.rule(category).least() / 4.0)?;
        for (span, scores) in spans.into_iter().zip(scores) {
            for (category, score, effect) in self.judgements(scores) {
                let found = Finding { span: span.clone(), label: category.name().into(), score, effect };
                match worst.iter_mut().find(|worst| worst.label == found.label) {
                    Some(worst) if worst.score < found.score => *worst = found,
                    Some(_) => {}
                    None => worst.push(found),
                }
            }
        }
        worst.sort_by_key(|found| found.span.start);
        Ok(worst)
    }

    fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let length = self.window.length;
        let count = text.len().saturating_sub(length).div_ceil(length / 2) + 1;
        let span = |at: usize| {
            let start = boundary_before(text, at * (length / 2));
            start..boundary_before(text, start + length)
        };
        (0..count).map(span).map(|span| if span.end + 4 > text.len() { span.start..text.len() } else { span }).collect()
    }
}

impl Guard for ModerationGuard {
    fn name(&self) -> &'static str {
        "moderation"
    }

    fn reach(&self) -> Reach {
        match self.inner.config.reading {
            Reading::Windows => Reach::Bytes(self.inner.window.stride + 3),
            Reading::Whole => Reach::Whole,
        }
    }

    fn basis(&self) -> Basis {
        Basis::Text
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        let inner = Arc::clone(&self.inner);
        match inner.config.reading {
            Reading::Windows => Box::new(Strides::new(inner.window, move |text| {
                let named = |(category, score, effect): Judgement| (Cow::from(category.name()), score, effect);
                Ok(inner.judge(text)?.into_iter().map(named))
            })),
            Reading::Whole => Box::new(Whole::new(move |text| inner.read(text))),
        }
    }
}

impl fmt::Debug for ModerationGuard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ModerationGuard").field("config", &self.inner.config).finish_non_exhaustive()
    }
}
