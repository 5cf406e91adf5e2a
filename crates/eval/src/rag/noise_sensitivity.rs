use jarre_core::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    Detail, Finding, RagJudge, RagMetric, RagSample,
    metric::{name, undefined, version},
    support::supported,
};
use crate::judge::Unjudged;

/// The share of the answer's statements that are wrong and come from a context: **lower is better**.
///
/// A statement is wrong where the reference does not support it. A context is relevant where it supports a statement of the reference. A
/// wrong statement counts for [`NoiseMode::Relevant`] where a relevant context supports it, and for [`NoiseMode::Irrelevant`] where only
/// irrelevant ones do. Unscored where the answer or the reference states nothing, or nothing was retrieved.
#[derive(Clone, Debug)]
pub struct NoiseSensitivity<J> {
    judge: J,
    mode: NoiseMode,
}

/// Where wrong statements come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseMode {
    /// From contexts that hold some of what is right.
    Relevant,
    /// From contexts that hold nothing of it.
    Irrelevant,
}

impl<J: RagJudge> NoiseSensitivity<J> {
    /// The metric as `judge` sees it.
    pub fn new(judge: J, mode: NoiseMode) -> Self {
        Self { judge, mode }
    }

    fn metric(&self) -> &'static str {
        match self.mode {
            NoiseMode::Relevant => "noise_sensitivity_relevant",
            NoiseMode::Irrelevant => "noise_sensitivity_irrelevant",
        }
    }

    async fn find(&self, sample: &RagSample) -> Result<Finding, Unjudged> {
        let reference = sample.reference()?;
        if sample.contexts.is_empty() {
            return undefined("nothing was retrieved");
        }
        let stated = self.judge.statements(&sample.question, &sample.answer, Detail::High).await?;
        let wanted = self.judge.statements(&sample.question, reference, Detail::High).await?;
        if stated.is_empty() || wanted.is_empty() {
            return undefined("the answer or the reference makes no statement");
        }
        let right = supported(&self.judge, reference, &stated).await?;
        let mut sources = vec![Sources::default(); stated.len()];
        for context in &sample.contexts {
            let relevant = supported(&self.judge, context, &wanted).await?.contains(&true);
            for (sources, supported) in sources.iter_mut().zip(supported(&self.judge, context, &stated).await?) {
                sources.relevant |= supported && relevant;
                sources.irrelevant |= supported && !relevant;
            }
        }
        let noisy = right.iter().zip(&sources).filter(|(right, sources)| !**right && sources.count_for(self.mode)).count();
        let explanation = format!("{noisy} of {} statements are wrong and come from such a context", stated.len());
        Ok(Finding::new(noisy as f64 / stated.len() as f64, explanation))
    }
}

impl<J: RagJudge> RagMetric for NoiseSensitivity<J> {
    fn name(&self) -> String {
        name(self.metric(), &self.judge.id())
    }

    fn version(&self) -> String {
        version(self.metric(), &self.judge.id(), "")
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(self.find(sample))
    }
}

/// Which contexts support a statement.
#[derive(Clone, Copy, Debug, Default)]
struct Sources {
    relevant: bool,
    irrelevant: bool,
}

impl Sources {
    fn count_for(self, mode: NoiseMode) -> bool {
        match mode {
            NoiseMode::Relevant => self.relevant,
            NoiseMode::Irrelevant => self.irrelevant && !self.relevant,
        }
    }
}
