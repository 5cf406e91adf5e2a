use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use jarre_kernels::host_values;
use serde::Deserialize;
use serde_json::json;

use super::adapter::LoraConfig;
use super::pair::LoraPair;
use crate::decoder::Decoder;
use crate::error::{Error, Result};
use crate::weights::{Stored, TensorSource, Weights, read_json, transpose, write_json, write_safetensors_as};

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// `adapter_config.json`, as far as it is needed.
#[derive(Deserialize)]
struct AdapterFile {
    peft_type: String,
    r: usize,
    lora_alpha: f64,
    target_modules: Vec<String>,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    fan_in_fan_out: bool,
}

impl Decoder {
    /// The model with the adapters of a PEFT folder (`adapter_config.json`, `adapter_model.safetensors`), for models whose projections are
    /// tensors of their own (Llama, Mistral, Qwen, Gemma, SmolLM). Other parameters are frozen.
    ///
    /// # Errors
    /// Where a file is missing or malformed, the adapters are of another kind than plain low-rank ones, or do not fit the model.
    pub fn with_lora_from(self, folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let file: AdapterFile = read_json(&folder.join(CONFIG))?;
        file.check()?;
        let config = LoraConfig { rank: file.r, alpha: file.lora_alpha, targets: file.target_modules };
        let device = self.device();
        let mut model = self.with_lora(&config)?;
        let path = folder.join(WEIGHTS);
        let weights = Weights::from_bytes(&path, std::fs::read(&path).map_err(Error::io(&path))?)?;
        let mut expected = Vec::new();
        for (name, layer, projection) in model.projections_mut().filter(|(_, _, projection)| projection.lora.is_some()) {
            let [d_input, d_output] = projection.dims();
            expected.push((tensor_name(name, layer, 'A'), vec![config.rank, d_input]));
            expected.push((tensor_name(name, layer, 'B'), vec![d_output, config.rank]));
        }
        weights.check(&expected, |_| false)?;
        for (name, layer, projection) in model.projections_mut().filter(|(_, _, projection)| projection.lora.is_some()) {
            let [d_input, d_output] = projection.dims();
            let matrix = |kind, shape: [usize; 2]| turned(&weights.values(&tensor_name(name, layer, kind)), shape, &device);
            let (a, b) = (matrix('A', [config.rank, d_input]), matrix('B', [d_output, config.rank]));
            projection.lora = Some(LoraPair::of(a, b, config.alpha / config.rank as f64));
        }
        Ok(model)
    }

    /// Writes the adapters as a PEFT folder.
    ///
    /// # Errors
    /// Where the model has no adapters, or the folder cannot be written.
    pub fn save_lora(&self, folder: impl AsRef<Path>) -> Result<()> {
        let mut model = self.clone();
        let mut tensors = Vec::new();
        let mut targets: Vec<&str> = Vec::new();
        let mut sizes = None;
        for (name, layer, projection) in model.projections_mut() {
            let Some(lora) = &projection.lora else { continue };
            let rank = lora.a.lazy_shape().dims::<2>()[1];
            sizes = Some((rank, lora.scale * rank as f64));
            if !targets.contains(&name) {
                targets.push(name);
            }
            for (kind, matrix) in [('A', lora.a.val()), ('B', lora.b.val())] {
                let [rows, columns] = matrix.dims();
                let values = transpose(&host_values(matrix), rows, columns);
                tensors.push((tensor_name(name, layer, kind), Stored::f32(vec![columns, rows], &values)));
            }
        }
        let Some((rank, alpha)) = sizes else {
            return Err(Error::Unsupported {
                what: "saving",
                found: "a model without adapters".to_owned(),
                supported: "one made by with_lora",
            });
        };
        let folder = folder.as_ref();
        write_safetensors_as(tensors, folder, WEIGHTS)?;
        let config = json!({ "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": alpha, "target_modules": targets,
                             "bias": "none", "fan_in_fan_out": false, "use_rslora": false, "use_dora": false, "lora_dropout": 0.0,
                             "inference_mode": true, "base_model_name_or_path": null });
        write_json(&config, &folder.join(CONFIG))
    }
}

impl AdapterFile {
    fn check(&self) -> Result<()> {
        let odd = [("use_rslora", self.use_rslora), ("use_dora", self.use_dora), ("fan_in_fan_out", self.fan_in_fan_out)];
        let found = match odd.iter().find(|(_, on)| *on) {
            Some((name, _)) => (*name).to_owned(),
            None if self.peft_type != "LORA" => self.peft_type.clone(),
            None => return Ok(()),
        };
        Err(Error::Unsupported { what: "adapter", found, supported: "plain LORA" })
    }
}

fn tensor_name(projection: &str, layer: usize, kind: char) -> String {
    let module = if matches!(projection, "gate_proj" | "up_proj" | "down_proj") { "mlp" } else { "self_attn" };
    format!("base_model.model.model.layers.{layer}.{module}.{projection}.lora_{kind}.weight")
}

/// `values [rows, columns]` as a tensor `[columns, rows]`.
fn turned(values: &[f32], [rows, columns]: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(transpose(values, rows, columns), [columns, rows]), device)
}
