use burn::tensor::{Device, Tensor, TensorData};

/// Which keys a query sees.
#[derive(Clone, Debug, Default)]
#[expect(clippy::large_enum_variant, reason = "a mask is made once for all layers, and not kept")]
pub enum AttentionMask {
    /// All.
    #[default]
    All,
    /// Those up to its own, of which the last query's is the last key: query `i` of `q` stands at key `i + k - q` of `k`.
    Causal {
        /// Only that many of the newest, its own counted.
        window: Option<usize>,
    },
    /// What is added to scores, `[batch or 1, heads or 1, queries, keys]`; minus infinity hides a key.
    Bias(Tensor<4>),
}

impl AttentionMask {
    /// What is added to scores, `[batch or 1, heads or 1, queries, keys]`; nothing where every query sees every key.
    pub fn bias(&self, [queries, keys]: [usize; 2], device: &Device) -> Option<Tensor<4>> {
        match self {
            Self::All => None,
            Self::Bias(bias) => Some(bias.clone()),
            Self::Causal { window } => {
                let value = |query: usize, key: usize| {
                    let later = key + queries > query + keys;
                    let gone = window.is_some_and(|window| key + queries + window <= query + keys);
                    if later || gone { f32::NEG_INFINITY } else { 0.0 }
                };
                let values: Vec<f32> = (0..queries * keys).map(|index| value(index / keys, index % keys)).collect();
                Some(Tensor::from_data(TensorData::new(values, [1, 1, queries, keys]), device))
            }
        }
    }
}
