use burn::module::Module;
use burn::tensor::Device;

use crate::error::Result;
use crate::weights::{Layout, NamedTensor, Naming, Place, TensorSource, Weights, expected, fill};

/// Stands in a name for the three tensors whose values make one parameter: query, key and value, side by side.
const QKV: &str = "{qkv}";

/// How a family names the tensors of its encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EncoderFamily {
    Bert,
    /// `RoBERTa`, XLM-R, `CamemBERT`: names as BERT's, another head.
    Roberta,
    DistilBert,
}

/// The names of an encoder's tensors in Hugging Face's files, without the prefix that models with a head carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EncoderNames {
    pub(crate) family: EncoderFamily,
    /// What query weights and biases are multiplied by.
    pub(crate) query_scale: f32,
}

impl EncoderNames {
    /// Names and shapes of the tensors in a file that make `module`.
    pub(crate) fn tensors(self, module: &impl Module) -> Vec<(String, Vec<usize>)> {
        let single = |(name, mut shape): (String, Vec<usize>)| match self.stacked(&name) {
            Some(parts) => {
                shape[0] /= parts.len();
                parts.map(|part| (part, shape.clone())).into()
            }
            None => vec![(name, shape)],
        };
        expected(module, &self).into_iter().flat_map(single).collect()
    }

    /// `module` with its parameters from `weights`, which hold all of its [`tensors`](Self::tensors).
    pub(crate) fn fill<M: Module>(self, module: M, weights: &Weights, device: &Device) -> Result<M> {
        let filled = fill(module, &self, &Stacked { names: self, weights }, device);
        device.sync().map_err(|error| crate::Error::Device(format!("{error:?}")))?;
        Ok(filled)
    }

    /// Whether a checkpoint may hold a tensor beside what the encoder reads: buffers, and heads of other tasks.
    pub(crate) fn is_beside(name: &str) -> bool {
        const BUFFERS: [&str; 2] = ["embeddings.position_ids", "embeddings.token_type_ids"];
        const HEADS: [&str; 6] = ["pooler.", "cls.", "lm_head.", "vocab_", "qa_outputs.", "sop_classifier."];
        BUFFERS.contains(&name) || HEADS.iter().any(|head| name.starts_with(head))
    }

    /// The tensors of a file that hold the values of `tensor`, which has the name and the layout of [`place`](Naming::place): the other way
    /// round from [`fill`](Self::fill).
    pub(crate) fn parts(self, name: String, tensor: NamedTensor) -> Vec<(String, NamedTensor)> {
        let Some(names) = self.stacked(&name) else { return vec![(name, tensor)] };
        let mut shape = tensor.shape;
        shape[0] /= names.len();
        let mut values = tensor.values.chunks_exact(tensor.values.len() / names.len()).map(<[f32]>::to_vec);
        let mut parts = names.map(|name| (name, NamedTensor { shape: shape.clone(), values: values.next().unwrap_or_default() }));
        for value in &mut parts[0].1.values {
            *value /= self.query_scale;
        }
        parts.into()
    }

    /// The name of a tensor where an encoder stands beside a head.
    pub(crate) fn with_prefix(self, name: &str) -> String {
        let of_head = name.starts_with("classifier") || name.starts_with("pre_classifier");
        if of_head { name.to_owned() } else { format!("{}{name}", self.prefix()) }
    }

    /// Query, key and value of a name with [`QKV`] in it.
    fn stacked(self, name: &str) -> Option<[String; 3]> {
        let (before, after) = name.split_once(QKV)?;
        let parts = match self.family {
            EncoderFamily::DistilBert => ["q_lin", "k_lin", "v_lin"],
            EncoderFamily::Bert | EncoderFamily::Roberta => ["query", "key", "value"],
        };
        Some(parts.map(|part| format!("{before}{part}{after}")))
    }

    fn prefix(self) -> &'static str {
        match self.family {
            EncoderFamily::Bert => "bert.",
            EncoderFamily::Roberta => "roberta.",
            EncoderFamily::DistilBert => "distilbert.",
        }
    }

    fn layers(self) -> &'static str {
        if self.family == EncoderFamily::DistilBert { "transformer.layer" } else { "encoder.layer" }
    }

    /// The tensors of a module of a layer.
    fn in_layer(self, module: &str) -> &'static str {
        let (bert, distilbert) = match module {
            "attention.qkv" => ("attention.self.{qkv}", "attention.{qkv}"),
            "attention.output" => ("attention.output.dense", "attention.out_lin"),
            "attention_norm" => ("attention.output.LayerNorm", "sa_layer_norm"),
            "up" => ("intermediate.dense", "ffn.lin1"),
            "down" => ("output.dense", "ffn.lin2"),
            "output_norm" => ("output.LayerNorm", "output_layer_norm"),
            other => unreachable!("a layer has no module `{other}`"),
        };
        if self.family == EncoderFamily::DistilBert { distilbert } else { bert }
    }

    /// The tensors of a module outside the layers.
    fn around_layers(self, module: &str) -> &'static str {
        match (module, self.family) {
            ("words", _) => "embeddings.word_embeddings",
            ("positions", _) => "embeddings.position_embeddings",
            ("segments", _) => "embeddings.token_type_embeddings",
            ("norm", _) => "embeddings.LayerNorm",
            ("dense", _) | ("head.pooler.dense", EncoderFamily::Bert) => "pooler.dense",
            ("head.pooler.dense", EncoderFamily::Roberta) => "classifier.dense",
            ("head.pooler.dense", EncoderFamily::DistilBert) => "pre_classifier",
            ("head.output", EncoderFamily::Roberta) => "classifier.out_proj",
            ("head.output", _) => "classifier",
            (other, _) => unreachable!("an encoder has no module `{other}`"),
        }
    }
}

impl Naming for EncoderNames {
    fn place(&self, path: &str) -> Option<Place> {
        let (module, kind) = path.strip_prefix("bert.").unwrap_or(path).rsplit_once('.')?;
        let name = match module.strip_prefix("layers.").and_then(|layer| layer.split_once('.')) {
            Some((index, module)) => format!("{}.{index}.{}", self.layers(), self.in_layer(module)),
            None => self.around_layers(module).to_owned(),
        };
        let is_table = ["words", "positions", "segments"].contains(&module);
        let layout = if kind == "weight" && !is_table { Layout::OutIn } else { Layout::AsIs };
        let kind = match kind {
            "gamma" => "weight",
            "beta" => "bias",
            other => other,
        };
        Some(Place { name: format!("{name}.{kind}"), part: None, layout, offset: 0.0 })
    }

    /// Without the prefix, and with the modern names of scale and shift.
    fn alias(&self, name: &str) -> String {
        let bare = name.strip_prefix(self.prefix()).unwrap_or(name);
        bare.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
    }
}

/// Tensors of a file, and those that are put together of three.
struct Stacked<'a> {
    names: EncoderNames,
    weights: &'a Weights,
}

impl TensorSource for Stacked<'_> {
    fn values(&self, name: &str) -> Vec<f32> {
        let Some([query, key, value]) = self.names.stacked(name) else { return self.weights.values(name) };
        let mut query = self.weights.values(&query);
        for value in &mut query {
            *value *= self.names.query_scale;
        }
        [query, self.weights.values(&key), self.weights.values(&value)].concat()
    }
}
