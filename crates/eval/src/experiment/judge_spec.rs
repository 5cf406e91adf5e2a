use std::sync::Arc;

use jarre_core::ChatModel;
use serde::{Deserialize, Serialize};

use super::ModelSpec;
use crate::{
    Result,
    judge::{LlmJudge, Scale},
};

/// A model that judges answers.
///
/// ```
/// let spec: jarre_eval::experiment::JudgeSpec = toml::from_str(r#"
///     name = "helpful"
///     criterion = "Does the answer help the person who asked?"
///     scale = "1-5"
///     model = { name = "gpt-4.1", base_url = "https://api.openai.com/v1", api_key_env = "OPENAI_API_KEY" }
/// "#)?;
/// assert_eq!(spec.model.name, "gpt-4.1");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeSpec {
    /// Names it: its metric is `judge/NAME[llm:MODEL]`.
    pub name: String,
    /// What it is to judge, in words for a careful reader.
    pub criterion: String,
    /// The figures that it gives.
    #[serde(default = "yes_or_no")]
    pub scale: Scale,
    /// Who judges.
    pub model: ModelSpec,
}

impl JudgeSpec {
    /// The judge over `model`, which is the one that the specification names.
    ///
    /// # Errors
    /// [`Error::InvalidJudge`](crate::Error::InvalidJudge) without a name or a criterion.
    pub fn build(&self, model: Arc<dyn ChatModel>) -> Result<LlmJudge<Arc<dyn ChatModel>>> {
        LlmJudge::new(model, &self.name, &self.criterion, self.scale)
    }
}

fn yes_or_no() -> Scale {
    Scale::Binary
}
