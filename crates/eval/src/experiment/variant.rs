use std::{path::Path, sync::Arc};

use jarre_core::{ChatModel, Sampling};

use super::{Experiment, ModelSpec, Recorded, Runner, Scoring, Task, sampling};
use crate::{Error, Result, track::Tracker};

/// One of the things that an experiment compares: a model with its settings. Each has a run of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Names it in tables, and its run.
    pub name: String,
    /// The model.
    pub model: ModelSpec,
    /// How it chooses tokens: its own settings over the experiment's.
    pub sampling: Sampling,
}

impl Experiment {
    /// The models, each with its settings.
    pub fn variants(&self) -> Vec<Variant> {
        let variant = |model: &ModelSpec| Variant {
            name: model.name.clone(),
            sampling: sampling::or(model.sampling.clone(), &self.sampling),
            model: model.clone(),
        };
        self.models.iter().map(variant).collect()
    }

    /// The models with every combination of the sweep's settings.
    ///
    /// # Errors
    /// [`Error::InvalidExperiment`] where there is no sweep, or it names nothing to try.
    pub fn swept(&self) -> Result<Vec<Variant>> {
        let missing =
            || Error::InvalidExperiment("the experiment has no [sweep]: name settings to try, such as temperature = [0.0, 0.7]".into());
        let sweep = self.sweep.as_ref().ok_or_else(missing)?;
        let mut swept = Vec::new();
        for variant in self.variants() {
            for (name, sampling) in sweep.variants(&variant.sampling)? {
                let name = if self.models.len() == 1 { name } else { format!("{}/{name}", variant.name) };
                swept.push(Variant { name, sampling, ..variant.clone() });
            }
        }
        Ok(swept)
    }

    /// How `variant` is asked. Files are relative to `folder`; a registered prompt is looked up in `tracker`.
    ///
    /// # Errors
    /// Of the files of examples, of the registry, and where a template is broken.
    pub fn task(&self, variant: &Variant, folder: &Path, tracker: &Tracker) -> Result<Arc<dyn Task>> {
        let (user, prompt) = self.prompt.resolve(tracker)?;
        if let Some(field) = &variant.model.recorded {
            return Ok(Arc::new(Recorded { input: user, field: field.clone() }));
        }
        Ok(Arc::new(self.method.prompting(self.prompt.system.clone(), &user, prompt, folder)?))
    }

    /// What is done to answers, judges left out: [`Scoring::with_judge`] adds them.
    pub fn scoring(&self) -> Scoring {
        Scoring::new(self.extract.clone(), &self.metrics)
    }

    /// A runner that asks `model` for `variant` and scores by `scoring`, under the experiment's limits.
    ///
    /// # Errors
    /// As of [`task`](Self::task).
    pub fn runner(
        &self,
        variant: &Variant,
        model: Arc<dyn ChatModel>,
        scoring: Scoring,
        folder: &Path,
        tracker: &Tracker,
    ) -> Result<Runner> {
        let task = self.task(variant, folder, tracker)?;
        let runner = Runner::new(model, task, scoring, tracker.clone())
            .with_variant(&variant.name)
            .with_sampling(variant.sampling.clone())
            .with_repeats(self.repeats, self.seed)
            .with_limits(self.limits.clone());
        Ok(match &variant.model.base_url {
            Some(url) => runner.with_endpoint(url),
            None => runner,
        })
    }
}
