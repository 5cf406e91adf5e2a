use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::checkpoint::{Checkpoint, CheckpointHandle};
use super::optimizer::{AdamW, Moments};
use super::trainer::Trainer;
use crate::decoder::DecoderConfig;
use crate::error::{Error, Result};
use crate::weights::{Paths, Stored, TensorSource, Weights, collect, expected, fill, to_safetensors};

const WEIGHTS: &str = "weights.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";

impl Trainer {
    /// All that this training needs to go on: parameters, moments, the step. `state` is for what the caller needs besides (the schedule, the
    /// best loss) and comes back from [`CheckpointHandle::state`] under `run`.
    ///
    /// # Errors
    /// Where tensors cannot be written.
    pub fn checkpoint(&self, state: &Value) -> Result<Checkpoint> {
        let weights = collect(self.decoder(), &Paths).into_iter().map(|(name, tensor)| (name, Stored::f32(tensor.shape, &tensor.values)));
        let moments = self.optimizer().state().iter().flat_map(|(path, moments)| {
            let stored = |kind: &str, values: &[f32]| (format!("{kind}/{path}"), Stored::f32(vec![values.len()], values));
            [stored("first", &moments.first), stored("second", &moments.second)]
        });
        let state = json!({ "model": self.decoder().config(), "run": state });
        Ok(Checkpoint::new(self.steps(), state)
            .with_file(WEIGHTS, to_safetensors(weights.collect())?)
            .with_file(OPTIMIZER, to_safetensors(moments.collect())?))
    }

    /// Goes on from a checkpoint of the same model.
    ///
    /// # Errors
    /// Where the checkpoint is damaged or of another model; the training then stays where it was.
    pub fn resume(&mut self, checkpoint: &CheckpointHandle) -> Result<()> {
        let config = self.decoder().config();
        let found: Option<DecoderConfig> = serde_json::from_value(checkpoint.state()["model"].clone()).ok();
        if found.as_ref() != Some(config) {
            let reason = "it is of another model; give the settings that it was started with, or another folder";
            return Err(Error::Corrupt { path: checkpoint.path().to_owned(), reason: reason.to_owned() });
        }
        let device = self.decoder().device();
        let weights = read(checkpoint, WEIGHTS)?;
        weights.check(&expected(self.decoder(), &Paths), |_| false)?;
        let decoder = fill(self.decoder().clone(), &Paths, &weights, &device);
        let mut optimizer = AdamW::new(*self.optimizer().config());
        optimizer.restore(checkpoint.step(), moments(&read(checkpoint, OPTIMIZER)?, checkpoint.path().join(OPTIMIZER))?);
        self.restore(decoder, optimizer);
        Ok(())
    }
}

fn read(checkpoint: &CheckpointHandle, name: &str) -> Result<Weights> {
    Weights::from_bytes(&checkpoint.path().join(name), checkpoint.read(name)?)
}

fn moments(tensors: &Weights, path: PathBuf) -> Result<BTreeMap<String, Moments>> {
    let mut all: BTreeMap<String, Moments> = BTreeMap::new();
    for name in tensors.names() {
        match name.split_once('/') {
            Some(("first", of)) => all.entry(of.to_owned()).or_default().first = tensors.values(name),
            Some(("second", of)) => all.entry(of.to_owned()).or_default().second = tensors.values(name),
            _ => return Err(Error::Corrupt { path, reason: format!("`{name}` is no moment of an optimiser") }),
        }
    }
    Ok(all)
}
