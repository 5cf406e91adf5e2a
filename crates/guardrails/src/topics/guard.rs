use std::{fmt, sync::Arc};

use jarre_core::Embedder;
use serde::{Deserialize, Serialize};

use super::{
    Calibration, Closeness, Topic,
    scan::TopicScan,
    topic::{Vectors, unit},
};
use crate::{Basis, Context, Effect, Error, Guard, Reach, Result, Scan, scan::Window};

/// Which topics a text may and may not be about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicConfig {
    /// What is done about other topics.
    pub effect: Effect,
    /// Topics that no text may be about.
    pub deny: Vec<Topic>,
    /// Topics one of which every text has to be about; any where there are none.
    pub allow: Vec<Topic>,
    /// The cosine from which a text is about a topic. It depends on the embedder: see [`TopicGuard::calibrate`].
    pub threshold: f32,
    /// How close a text is to the examples of a topic.
    pub closeness: Closeness,
    /// Letters below which a window is about nothing.
    pub least: usize,
    /// Bytes that are read together.
    pub length: usize,
    /// Bytes from one reading to the next.
    pub stride: usize,
}

impl Default for TopicConfig {
    /// No topics; a cosine of one half, windows of 768 bytes that overlap by half.
    fn default() -> Self {
        Self {
            effect: Effect::Block,
            deny: Vec::new(),
            allow: Vec::new(),
            threshold: 0.5,
            closeness: Closeness::Nearest,
            least: 12,
            length: 768,
            stride: 384,
        }
    }
}

/// Finds text about a denied topic, under the topic's name, and text about none that is allowed, as `off_topic`.
///
/// Texts are compared by the cosine of their embeddings with those of examples, window by window; all windows that a piece of text
/// completes are embedded in one batch. An embedder that fails ends the reading with its error: nothing is known about the text then.
///
/// ```
/// use std::sync::Arc;
/// use jarre_core::testing::HashEmbedder;
/// use jarre_guardrails::{Context, Guard, topics::{Topic, TopicConfig, TopicGuard}};
///
/// let medicine = Topic { name: "medicine".into(), examples: vec!["which dose of this medicine should I take".into()], threshold: None };
/// let config = TopicConfig { deny: vec![medicine], ..TopicConfig::default() };
/// let guard = TopicGuard::new(config, Arc::new(HashEmbedder::default()))?;
/// assert_eq!(guard.check("What dose of the medicine should I take?", &Context::default())?[0].label, "medicine");
/// assert!(guard.check("When does the train to Zürich leave?", &Context::default())?.is_empty());
/// # Ok::<(), jarre_guardrails::Error>(())
/// ```
#[derive(Clone)]
pub struct TopicGuard(Arc<Topics>);

pub(super) struct Topics {
    pub(super) config: TopicConfig,
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) deny: Vec<Vectors>,
    pub(super) allow: Vec<Vectors>,
}

impl TopicGuard {
    /// A guard that compares by `embedder`. The examples are embedded at once.
    ///
    /// # Errors
    /// [`Error::Config`] where there is no topic, one without examples, or windows are shorter than strides or than 4 bytes; [`Error::Model`] where the
    /// embedder fails.
    pub fn new(config: TopicConfig, embedder: Arc<dyn Embedder>) -> Result<Self> {
        check(&config)?;
        let topics = || config.deny.iter().chain(&config.allow);
        let examples: Vec<&str> = topics().flat_map(|topic| &topic.examples).map(String::as_str).collect();
        let matrix = embedder.embed(&examples)?;
        let mut at = 0;
        let vectors = topics().map(|topic| {
            let rows = at..at + topic.examples.len();
            at = rows.end;
            Vectors::new(topic, config.threshold, &matrix, rows, config.closeness)
        });
        let mut deny: Vec<Vectors> = vectors.collect();
        let allow = deny.split_off(config.deny.len());
        Ok(Self(Arc::new(Topics { config, embedder, deny, allow })))
    }

    /// The threshold for the topic `name` at which at most the share `most` of what is to be left alone is found: of `others` where the topic
    /// is denied, of the texts `about` it where it is allowed, by itself. `None` where there is no such topic or no text on one side.
    ///
    /// # Errors
    /// [`Error::Model`] where the embedder fails.
    pub fn calibrate(&self, name: &str, about: &[&str], others: &[&str], most: f32) -> Result<Option<Calibration>> {
        let denied = self.0.deny.iter().find(|topic| topic.name == name);
        let Some(topic) = denied.or_else(|| self.0.allow.iter().find(|topic| topic.name == name)) else { return Ok(None) };
        let closeness = |texts: &[&str]| -> Result<Vec<f32>> {
            Ok(self.0.embedder.embed(texts)?.rows().map(|row| topic.closeness(&unit(row))).collect())
        };
        let (about, others) = (closeness(about)?, closeness(others)?);
        let choose = if denied.is_some() { Calibration::choose } else { Calibration::choose_allowed };
        Ok(choose(&about, &others, most))
    }
}

fn check(config: &TopicConfig) -> Result<()> {
    let fail = |reason: String| Err(Error::config("topics", reason));
    let mut topics = config.deny.iter().chain(&config.allow).peekable();
    if topics.peek().is_none() {
        return fail("no topic is denied or allowed".into());
    }
    if let Some(topic) = topics.find(|topic| topic.examples.is_empty()) {
        return fail(format!("the topic `{}` has no examples", topic.name));
    }
    if !(4..=config.length).contains(&config.stride) {
        return fail("`stride` is from 4 to `length`".into());
    }
    Ok(())
}

impl fmt::Debug for TopicGuard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TopicGuard")
            .field("config", &self.0.config)
            .field("embedder", &self.0.embedder.info().name)
            .finish_non_exhaustive()
    }
}

impl Guard for TopicGuard {
    fn name(&self) -> &'static str {
        "topics"
    }

    fn reach(&self) -> Reach {
        Reach::Bytes(self.0.config.stride + 3)
    }

    fn basis(&self) -> Basis {
        Basis::Text
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        let window = Window { length: self.0.config.length, stride: self.0.config.stride };
        Box::new(TopicScan::new(Arc::clone(&self.0), window))
    }
}
