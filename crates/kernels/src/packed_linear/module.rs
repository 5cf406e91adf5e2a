//! What makes a packed layer a module of burn.

use std::sync::Arc;

use burn::module::{Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{PackedLinear, PackedWeights};
use crate::Bf16Weights;
use crate::packed::{Int4Weights, Int8Weights};

const CONTAINER: &str = "Struct:PackedLinear";

/// Of codes, scales, zero points and bias: a parameter keeps its own from record to record.
pub(super) type Ids = [ParamId; 4];

pub(super) fn ids() -> Ids {
    std::array::from_fn(|_| ParamId::new())
}

/// The weights and the bias as tensors.
struct Parts {
    /// `[outputs, inputs]`; of bfloat16, its bits.
    codes: Tensor<2, Int>,
    /// `[outputs, groups]`; empty where there are none.
    scales: Tensor<2>,
    zeros: Option<Tensor<2, Int>>,
    bias: Option<Tensor<1>>,
}

fn integers<T: burn::tensor::Element>(values: Vec<T>, [rows, columns]: [usize; 2]) -> Tensor<2, Int> {
    Tensor::from_data(TensorData::new(values, [rows, columns]), (&Device::flex(), T::dtype()))
}

fn floats(values: Vec<f32>, [rows, columns]: [usize; 2]) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, [rows, columns]), &Device::flex())
}

impl PackedLinear {
    fn parts(&self) -> Parts {
        let [n, k] = self.weights.shape();
        let (codes, scales, zeros) = match &*self.weights {
            PackedWeights::Int8(weights) => {
                let (values, scales) = weights.parts();
                (integers(values, [n, k]), floats(scales, [n, 1]), None)
            }
            PackedWeights::Int4(weights) => {
                let (codes, scales, zeros) = weights.parts();
                let shape = [n, k / weights.group()];
                (integers(codes, [n, k]), floats(scales, shape), zeros.map(|zeros| integers(zeros, shape)))
            }
            PackedWeights::Bf16(weights) => {
                let bits = weights.dequantize().into_iter().map(|x| (x.to_bits() >> 16) as i32).collect();
                (integers::<i32>(bits, [n, k]), floats(Vec::new(), [n, 0]), None)
            }
        };
        let bias = self.bias.as_deref().map(|bias| Tensor::from_data(bias, &Device::flex()));
        Parts { codes, scales, zeros, bias }
    }

    /// The same layer with other numbers.
    ///
    /// # Panics
    /// Where they have another shape.
    fn with_parts(mut self, parts: Parts) -> Self {
        let [n, k] = self.weights.shape();
        assert_eq!(parts.codes.dims(), [n, k], "codes of {n} outputs of {k} inputs");
        let scales = crate::host_values(parts.scales);
        self.weights = Arc::new(match &*self.weights {
            PackedWeights::Int8(_) => Int8Weights::from_parts(&values::<i8>(parts.codes), &scales, n, k).into(),
            PackedWeights::Int4(weights) => {
                let zeros = parts.zeros.map(values::<u8>);
                Int4Weights::from_parts(&values::<u8>(parts.codes), &scales, zeros.as_deref(), [n, k], weights.group()).into()
            }
            PackedWeights::Bf16(_) => {
                let bits = values::<i32>(parts.codes);
                let weights: Vec<f32> = bits.into_iter().map(|bits| f32::from_bits(bits.cast_unsigned() << 16)).collect();
                Bf16Weights::new(&weights, [n, k]).into()
            }
        });
        self.bias = parts.bias.map(|bias| crate::host_values(bias).into());
        self
    }
}

fn values<T: burn::tensor::Element>(x: Tensor<2, Int>) -> Vec<T> {
    x.into_data().convert::<T>().try_into_vec().expect("it was converted")
}

impl Module for PackedLinear {
    /// Those of the weights: host memory.
    fn collect_devices(&self, mut devices: Devices) -> Devices {
        let device = Device::flex();
        if !devices.contains(&device) {
            devices.push(device);
        }
        devices
    }

    /// The same layer: packed weights stay in host memory.
    fn fork(self, _device: &Device) -> Self {
        self
    }

    /// The same layer: packed weights stay in host memory.
    fn to_device(self, _device: &Device) -> Self {
        self
    }

    fn train(self) -> Self {
        self
    }

    fn valid(&self) -> Self {
        self.clone()
    }

    fn materialize(self) -> Self {
        self
    }

    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        let Parts { codes, scales, zeros, bias } = self.parts();
        let [codes_id, scales_id, zeros_id, bias_id] = self.ids;
        visitor.enter_module("codes", CONTAINER);
        visitor.visit_int(&Param::initialized(codes_id, codes));
        visitor.exit_module("codes", CONTAINER);
        visitor.enter_module("scales", CONTAINER);
        visitor.visit_float(&Param::initialized(scales_id, scales));
        visitor.exit_module("scales", CONTAINER);
        if let Some(zeros) = zeros {
            visitor.enter_module("zeros", CONTAINER);
            visitor.visit_int(&Param::initialized(zeros_id, zeros));
            visitor.exit_module("zeros", CONTAINER);
        }
        if let Some(bias) = bias {
            visitor.enter_module("bias", CONTAINER);
            visitor.visit_float(&Param::initialized(bias_id, bias));
            visitor.exit_module("bias", CONTAINER);
        }
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        let Parts { codes, scales, zeros, bias } = self.parts();
        let [codes_id, scales_id, zeros_id, bias_id] = self.ids;
        mapper.enter_module("codes", CONTAINER);
        let codes = mapper.map_int(Param::initialized(codes_id, codes)).into_value();
        mapper.exit_module("codes", CONTAINER);
        mapper.enter_module("scales", CONTAINER);
        let scales = mapper.map_float(Param::initialized(scales_id, scales)).into_value();
        mapper.exit_module("scales", CONTAINER);
        let zeros = zeros.map(|zeros| {
            mapper.enter_module("zeros", CONTAINER);
            let zeros = mapper.map_int(Param::initialized(zeros_id, zeros)).into_value();
            mapper.exit_module("zeros", CONTAINER);
            zeros
        });
        let bias = bias.map(|bias| {
            mapper.enter_module("bias", CONTAINER);
            let bias = mapper.map_float(Param::initialized(bias_id, bias)).into_value();
            mapper.exit_module("bias", CONTAINER);
            bias
        });
        self.with_parts(Parts { codes, scales, zeros, bias })
    }
}

impl ModuleDisplayDefault for PackedLinear {
    fn content(&self, content: Content) -> Option<Content> {
        let [inputs, outputs] = self.dims();
        let bits = match &*self.weights {
            PackedWeights::Int8(_) => 8,
            PackedWeights::Int4(_) => 4,
            PackedWeights::Bf16(_) => 16,
        };
        content.add("d_input", &inputs).add("d_output", &outputs).add("bits", &bits).add("bias", &self.bias.is_some()).optional()
    }
}

impl ModuleDisplay for PackedLinear {}
