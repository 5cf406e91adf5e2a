//! Packed layers as [compressed-tensors](https://github.com/vllm-project/compressed-tensors) stores them: `int-quantized` for eight bits,
//! `pack-quantized` for four, `mixed-precision` for both in one folder.

use jarre_quant::checkpoint::PackQuantized;
use jarre_quant::{Int4Groups, Int4Scheme, Int8Rows};
use serde_json::{Value, json};

use super::int8::{SCALE_SUFFIX, WeightScheme};
use super::save::Stored;

/// The module of the logits' weights, which readers take for a linear layer of its own kind.
const HEAD: &str = "lm_head";

/// Weights `[outputs, inputs]` of a layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PackedRows {
    Int8(Int8Rows),
    Int4(Int4Groups),
}

/// How the weights of a layer are packed, and what they are multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Int8 {
        /// Whether each row of inputs is rounded to eight bits as it comes.
        rounds_inputs: bool,
    },
    Int4(Int4Scheme),
}

impl PackedRows {
    pub(crate) fn packing(&self, rounds_inputs: bool) -> Packing {
        match self {
            Self::Int8(_) => Packing::Int8 { rounds_inputs },
            Self::Int4(groups) => Packing::Int4(groups.scheme()),
        }
    }

    pub(crate) fn outputs(&self) -> usize {
        match self {
            Self::Int8(rows) => rows.rows(),
            Self::Int4(groups) => groups.rows(),
        }
    }

    /// These outputs, and those of `below` after them; nothing where both are not packed alike.
    pub(crate) fn joined(self, below: Self) -> Option<Self> {
        let joined = match (self, below) {
            (Self::Int8(a), Self::Int8(b)) if a.columns() == b.columns() => {
                Int8Rows::from_parts([a.values(), b.values()].concat(), [a.scales(), b.scales()].concat(), a.columns()).map(Self::Int8)
            }
            (Self::Int4(a), Self::Int4(b)) if a.columns() == b.columns() && a.scheme() == b.scheme() => {
                Int4Groups::from_parts([a.codes(), b.codes()].concat(), [a.grid(), b.grid()].concat(), a.columns(), a.scheme())
                    .map(Self::Int4)
            }
            _ => return None,
        };
        joined.ok()
    }

    /// Output `order[i]` at place `i`.
    pub(crate) fn reordered(&self, order: &[usize]) -> jarre_quant::Result<Self> {
        match self {
            Self::Int8(rows) => {
                let values = picked(rows.values(), order, rows.columns());
                Int8Rows::from_parts(values, picked(rows.scales(), order, 1), rows.columns()).map(Self::Int8)
            }
            Self::Int4(groups) => {
                let (scheme, columns) = (groups.scheme(), groups.columns());
                let codes = picked(groups.codes(), order, columns);
                Int4Groups::from_parts(codes, picked(groups.grid(), order, columns / scheme.group), columns, scheme).map(Self::Int4)
            }
        }
    }

    /// The tensors of the module `name`.
    pub(crate) fn into_stored(self, name: &str) -> jarre_quant::Result<Vec<(String, Stored)>> {
        let weight = format!("{name}.weight");
        match self {
            Self::Int8(rows) => {
                let (n, k) = (rows.rows(), rows.columns());
                let scale = Stored::f32(vec![n, 1], rows.scales());
                Ok(vec![(format!("{weight}{SCALE_SUFFIX}"), scale), (weight, Stored::i8(vec![n, k], rows.values()))])
            }
            Self::Int4(groups) => {
                let (n, k) = (groups.rows(), groups.columns());
                let (words, per_row) = (k.div_ceil(8), k / groups.scheme().group);
                let PackQuantized { weight_packed, weight_scale, weight_zero_point } = PackQuantized::of(&groups)?;
                let mut tensors = vec![
                    (format!("{weight}_packed"), Stored::i32(vec![n, words], &weight_packed)),
                    (format!("{weight}_scale"), Stored::exact(vec![n, per_row], &weight_scale)),
                    (format!("{weight}_shape"), Stored::i64(vec![2], &[n as i64, k as i64])),
                ];
                if let Some(zeros) = weight_zero_point {
                    tensors.push((format!("{weight}_zero_point"), Stored::i32(vec![n.div_ceil(8), per_row], &zeros)));
                }
                Ok(tensors)
            }
        }
    }
}

/// Parts of `width` values in another order.
fn picked<T: Copy>(values: &[T], order: &[usize], width: usize) -> Vec<T> {
    order.iter().flat_map(|&row| &values[row * width..(row + 1) * width]).copied().collect()
}

impl Packing {
    fn format(self) -> &'static str {
        match self {
            Self::Int8 { .. } => "int-quantized",
            Self::Int4(_) => "pack-quantized",
        }
    }

    /// The entry of `config_groups` for the modules that `targets` name.
    fn group(self, targets: &[&str]) -> Value {
        let token = json!({ "num_bits": 8, "type": "int", "symmetric": true, "strategy": "token", "dynamic": true });
        let (weights, inputs) = match self {
            Self::Int8 { rounds_inputs } => (json!(WeightScheme::per_row_int8()), if rounds_inputs { token } else { Value::Null }),
            Self::Int4(Int4Scheme { group, zero_point }) => {
                let weights = json!({ "num_bits": 4, "type": "int", "symmetric": !zero_point, "strategy": "group", "group_size": group,
                                      "dynamic": false });
                (weights, Value::Null)
            }
        };
        json!({ "targets": targets, "format": self.format(), "weights": weights, "input_activations": inputs, "output_activations": null })
    }
}

/// The `quantization_config` of a folder with these modules packed, and the linear layers `floats` in floats.
///
/// The packing of all of a decoder's layers is that of every `Linear`; where layers differ, and for the logits' weights, modules are named: a
/// reader that has several of them in one looks for `Linear` before it looks for their names.
pub(crate) fn quantization_config(modules: &[(String, Packing)], floats: &[String]) -> Value {
    let mut packings: Vec<Packing> = Vec::new();
    for (_, packing) in modules {
        if !packings.contains(packing) {
            packings.push(*packing);
        }
    }
    let alike =
        |packing: &Packing| modules.iter().all(|(name, other)| name == HEAD || other == packing) && floats.iter().all(|name| name == HEAD);
    let group = |(index, packing): (usize, &Packing)| {
        let named = modules.iter().filter(|(_, other)| other == packing).map(|(name, _)| name.as_str());
        let targets: Vec<&str> =
            if alike(packing) { std::iter::once("Linear").chain(named.filter(|name| *name == HEAD)).collect() } else { named.collect() };
        (format!("group_{index}"), packing.group(&targets))
    };
    let groups: serde_json::Map<String, Value> = packings.iter().enumerate().map(group).collect();
    let format = match &packings[..] {
        [first, others @ ..] if others.iter().all(|other| other.format() == first.format()) => first.format(),
        _ => "mixed-precision",
    };
    let head = modules.iter().all(|(name, _)| name != HEAD).then_some(HEAD);
    let ignored: Vec<&str> = floats.iter().map(String::as_str).filter(|name| *name != HEAD).chain(head).collect();
    json!({ "quant_method": "compressed-tensors", "format": format, "quantization_status": "compressed", "config_groups": groups,
            "ignore": ignored })
}

#[cfg(test)]
mod tests {
    use jarre_quant::Grid;
    use safetensors::View;

    use super::*;

    fn eight() -> Int8Rows {
        Int8Rows::from_parts(vec![1, -2, 3, 127, -127, 0], vec![0.5, 0.25], 3).unwrap()
    }

    /// Two outputs of eight inputs.
    fn four(zero_point: bool) -> Int4Groups {
        let codes = (0..8).chain((8..16).rev()).collect();
        let zeros = if zero_point { [3, 12] } else { [8, 8] };
        let grid = zeros.iter().zip([0.5, -1.5]).map(|(&zero, scale)| Grid { scale, zero }).collect();
        Int4Groups::from_parts(codes, grid, 8, Int4Scheme { group: 8, zero_point }).unwrap()
    }

    fn stored(rows: PackedRows) -> Vec<(String, String, Vec<usize>, Vec<u8>)> {
        let tensors = rows.into_stored("x").unwrap().into_iter();
        tensors.map(|(name, tensor)| (name, format!("{:?}", tensor.dtype()), tensor.shape().to_vec(), tensor.data().to_vec())).collect()
    }

    fn tensor(name: &str, dtype: &str, shape: &[usize], bytes: &[u8]) -> (String, String, Vec<usize>, Vec<u8>) {
        (name.to_owned(), dtype.to_owned(), shape.to_vec(), bytes.to_vec())
    }

    #[test]
    fn every_byte_of_a_layer_stands_where_the_format_has_it() {
        let scales = [0.5_f32, 0.25].map(f32::to_le_bytes).concat();
        let expected = [tensor("x.weight_scale", "F32", &[2, 1], &scales), tensor("x.weight", "I8", &[2, 3], &[1, 254, 3, 127, 129, 0])];
        assert_eq!(stored(PackedRows::Int8(eight())), expected);

        // The lowest four bits of a little-endian word are the first input's. 0.5 and -1.5 are whole in bfloat16.
        let packed = [0x10, 0x32, 0x54, 0x76, 0xef, 0xcd, 0xab, 0x89];
        let shape = [2_i64, 8].map(i64::to_le_bytes).concat();
        let mut expected = vec![
            tensor("x.weight_packed", "I32", &[2, 1], &packed),
            tensor("x.weight_scale", "BF16", &[2, 1], &[0x00, 0x3f, 0xc0, 0xbf]),
            tensor("x.weight_shape", "I64", &[2], &shape),
        ];
        assert_eq!(stored(PackedRows::Int4(four(false))), expected);
        // Zero points of eight outputs in a word, of which there are two.
        expected.push(tensor("x.weight_zero_point", "I32", &[1, 1], &[0xc3, 0, 0, 0]));
        assert_eq!(stored(PackedRows::Int4(four(true))), expected);
    }

    #[test]
    fn rows_are_joined_and_reordered_as_their_values_are() {
        let values = |rows: &PackedRows| match rows {
            PackedRows::Int8(rows) => rows.dequantize(),
            PackedRows::Int4(groups) => groups.dequantize(),
        };
        for rows in [PackedRows::Int8(eight()), PackedRows::Int4(four(true))] {
            let width = values(&rows).len() / 2;
            let turned = rows.reordered(&[1, 0]).unwrap();
            let [first, second] = [&values(&rows)[..width], &values(&rows)[width..]];
            assert_eq!(values(&turned), [second, first].concat());
            let joined = rows.clone().joined(turned).unwrap();
            assert_eq!((joined.outputs(), values(&joined)), (4, [first, second, second, first].concat()));
        }
        assert!(PackedRows::Int8(eight()).joined(PackedRows::Int4(four(true))).is_none());
        assert!(PackedRows::Int4(four(false)).joined(PackedRows::Int4(four(true))).is_none());
    }

    #[test]
    fn one_packing_is_that_of_all_linear_layers_and_others_are_named() {
        let (rounded, four) = (Packing::Int8 { rounds_inputs: true }, Packing::Int4(Int4Scheme::asymmetric(32)));
        let named = |name: &str, packing| (name.to_owned(), packing);
        let targets = |config: &Value, group: &str| config["config_groups"][group]["targets"].clone();

        let all = quantization_config(&[named("a", rounded), named(HEAD, rounded)], &[]);
        assert_eq!((&all["format"], &all["ignore"]), (&json!("int-quantized"), &json!([])));
        assert_eq!(targets(&all, "group_0"), json!(["Linear", HEAD]));
        assert_eq!(all["config_groups"]["group_0"]["input_activations"]["strategy"], "token");

        let mixed = quantization_config(&[named("a", four), named("b", four), named(HEAD, rounded)], &[]);
        assert_eq!((&mixed["format"], targets(&mixed, "group_0")), (&json!("mixed-precision"), json!(["Linear"])));
        assert_eq!(targets(&mixed, "group_1"), json!([HEAD]));
        let weights = json!({ "num_bits": 4, "type": "int", "symmetric": false, "strategy": "group", "group_size": 32, "dynamic": false });
        assert_eq!(mixed["config_groups"]["group_0"]["weights"], weights);

        let some = quantization_config(&[named("a", four), named("b", rounded)], &["c".to_owned()]);
        assert_eq!((targets(&some, "group_0"), targets(&some, "group_1")), (json!(["a"]), json!(["b"])));
        assert_eq!(some["ignore"], json!(["c", HEAD]));
    }
}
