//! Decoders with adapters of given numbers on every projection.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use jarre_transformer::{Decoder, LoraConfig};

const PROJECTIONS: [&str; 7] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/// `base` with an adapter of width `rank`; those of two seeds differ.
pub(crate) fn adapted(base: &Decoder, rank: usize, seed: u64) -> Decoder {
    let config = LoraConfig::new(rank).with_targets(PROJECTIONS).with_alpha(2.0);
    base.clone().with_lora(&config).unwrap().map(&mut Fill { state: seed, path: Vec::new() })
}

/// Gives numbers in -0.3..0.3 to the matrices of adapters.
struct Fill {
    state: u64,
    path: Vec<String>,
}

impl Fill {
    fn next(&mut self) -> f32 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5) * 0.6
    }
}

impl ModuleMapper for Fill {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.path.iter().any(|name| name == "lora") {
            return param;
        }
        param.map(|tensor| {
            let shape = tensor.shape();
            let values: Vec<f32> = (0..shape.num_elements()).map(|_| self.next()).collect();
            Tensor::from_data(TensorData::new(values, shape), &tensor.device())
        })
    }
}
