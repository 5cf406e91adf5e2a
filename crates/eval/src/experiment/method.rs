use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Dataset, DatasetSpec, Prompting};
use crate::{Error, PromptRef, Result, digest};

/// How an answer is made of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Method {
    /// The question alone.
    #[default]
    Naive,
    /// The question, and that it is to be thought through step by step (Kojima et al. 2022, arXiv 2205.11916).
    ZeroShotCot,
    /// Questions with their answers before it.
    FewShot(Shots),
    /// Questions with answers that show their reasoning (Wei et al. 2022, arXiv 2201.11903).
    FewShotCot(Shots),
}

/// Examples for a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shots {
    /// The file with them; relative to the experiment's. It must not be the one that is asked from.
    pub path: PathBuf,
    /// The field with the question.
    pub question: String,
    /// The field with the answer, as the model is to give it.
    pub answer: String,
    /// How many, drawn with the seed.
    pub count: usize,
    /// Seeds the draw.
    #[serde(default)]
    pub seed: u64,
}

/// What the zero-shot chain of thought adds to the question.
const STEP_BY_STEP: &str = "\n\nLet's think step by step, and give the answer alone on the last line.";

impl Method {
    /// The task that asks by this method with `user` as the question's template.
    ///
    /// # Errors
    /// As of [`Dataset::load`] for the file of examples, and [`Error::InvalidExperiment`] where it has too few.
    pub fn prompting(&self, system: Option<String>, user: &str, prompt: Option<PromptRef>, folder: &Path) -> Result<Prompting> {
        let task = Prompting { method: String::new(), prompt: None, system, user: user.to_owned(), shots: Vec::new() };
        let task = match self {
            Self::Naive => Prompting { method: "zero_shot".into(), ..task },
            Self::ZeroShotCot => Prompting { method: "zero_shot_cot".into(), user: format!("{user}{STEP_BY_STEP}"), ..task },
            Self::FewShot(shots) => shots.put_before("few_shot", task, folder)?,
            Self::FewShotCot(shots) => shots.put_before("few_shot_cot", task, folder)?,
        };
        let unregistered =
            || PromptRef { name: task.method.clone(), version: 0, digest: digest::of(&(&task.system, &task.user, &task.shots)) };
        let prompt = prompt.unwrap_or_else(unregistered);
        Ok(Prompting { prompt: Some(prompt), ..task })
    }
}

impl Shots {
    fn put_before(&self, name: &str, task: Prompting, folder: &Path) -> Result<Prompting> {
        let shots = self.draw(folder)?;
        Ok(Prompting { method: format!("{name}({}, {})", shots.len(), &digest::of(&shots)[..8]), shots, ..task })
    }

    fn draw(&self, folder: &Path) -> Result<Vec<(String, String)>> {
        let spec = DatasetSpec { path: self.path.clone(), sample: Some(self.count), seed: self.seed, ..DatasetSpec::default() };
        let drawn = Dataset::load(&spec, folder)?;
        if drawn.items.len() < self.count {
            let problem = format!("`count` asks for {} examples, and {} has {}", self.count, self.path.display(), drawn.items.len());
            return Err(Error::InvalidExperiment(problem));
        }
        let text = |item: &super::Item, field: &str| {
            item.fields.get(field).and_then(super::dataset::plain).ok_or_else(|| {
                Error::InvalidExperiment(format!("an example of {} has no text in the field `{field}`", self.path.display()))
            })
        };
        drawn.items.iter().map(|item| Ok((text(item, &self.question)?, text(item, &self.answer)?))).collect()
    }
}
