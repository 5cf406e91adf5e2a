//! Whatever is written is read, and is what was written.
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_quant::gguf::{Array, GgufFile, GgufWriter, Metadata, TensorType, Value};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

fn array() -> impl Strategy<Value = Array> {
    let leaf = prop_oneof![
        vec(any::<u8>(), 0..5).prop_map(Array::from),
        vec(any::<i8>(), 0..5).prop_map(Array::from),
        vec(any::<u16>(), 0..5).prop_map(Array::from),
        vec(any::<i16>(), 0..5).prop_map(Array::from),
        vec(any::<u32>(), 0..5).prop_map(Array::from),
        vec(any::<i32>(), 0..5).prop_map(Array::from),
        vec(any::<f32>(), 0..5).prop_map(Array::from),
        vec(any::<bool>(), 0..5).prop_map(Array::from),
        vec(any::<String>(), 0..5).prop_map(Array::from),
        vec(any::<u64>(), 0..5).prop_map(Array::from),
        vec(any::<i64>(), 0..5).prop_map(Array::from),
        vec(any::<f64>(), 0..5).prop_map(Array::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| vec(inner, 0..3).prop_map(Array::from))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u8>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        any::<u16>().prop_map(Value::from),
        any::<i16>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        array().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ]
}

#[derive(Clone, Debug)]
struct Tensor {
    dims: Vec<u64>,
    stored_as: TensorType,
    values: Vec<f32>,
}

fn tensor() -> impl Strategy<Value = Tensor> {
    let written = [TensorType::F32, TensorType::F16, TensorType::BF16, TensorType::Q8_0, TensorType::Q4_0];
    (proptest::sample::select(written.to_vec()), 1..4_u64, vec(1..3_u64, 0..4)).prop_flat_map(|(tensor_type, blocks, rest)| {
        let dims: Vec<u64> = std::iter::once(blocks * tensor_type.block_len() as u64).chain(rest).collect();
        let elements = dims.iter().product::<u64>() as usize;
        vec(-1000.0_f32..1000.0, elements).prop_map(move |values| Tensor { dims: dims.clone(), stored_as: tensor_type, values })
    })
}

/// The largest error that a type makes of a value in a row of which `largest` is the largest magnitude.
fn tolerance(one: TensorType, value: f32, largest: f32) -> f32 {
    match one {
        TensorType::F32 => 0.0,
        TensorType::F16 => value.abs() / 2048.0 + 6e-8,
        TensorType::BF16 => value.abs() / 256.0,
        // Half a step, and the rounding of the scale to binary16 times the largest integer.
        TensorType::Q8_0 => largest / 127.0 * 0.501 + largest / 2048.0 + 1e-5,
        // A whole step, where the magnitude of the other sign is capped at 7.
        _ => largest / 8.0 * 1.001 + largest / 2048.0 + 1e-5,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_is_read(
        values in btree_map("[a-z.]{1,12}", value(), 0..8),
        tensors in btree_map("[a-z0-9.]{1,20}", tensor(), 0..5),
        alignment in 3..8_u32,
    ) {
        let mut metadata = Metadata::new();
        for (key, value) in values {
            metadata.insert(key, value);
        }
        metadata.insert("general.alignment", 1_u32 << alignment);
        let mut writer = GgufWriter::new();
        writer.set_metadata(metadata.clone());
        for (name, tensor) in &tensors {
            writer.add_tensor(name, &tensor.dims, tensor.stored_as, &tensor.values).unwrap();
        }
        let mut bytes = Vec::new();
        writer.write_to(&mut bytes).unwrap();

        let file = GgufFile::from_bytes(bytes.clone()).unwrap();
        // Floats that are no numbers are equal to nothing, so that their text is compared.
        prop_assert_eq!(format!("{:?}", file.metadata()), format!("{metadata:?}"));
        prop_assert_eq!(file.tensors().len(), tensors.len());
        for (info, (name, tensor)) in file.tensors().iter().zip(&tensors) {
            prop_assert_eq!((info.name(), info.dims(), info.tensor_type()), (name.as_str(), tensor.dims.as_slice(), tensor.stored_as));
            let largest = tensor.values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            for (read, value) in file.read_f32(name).unwrap().iter().zip(&tensor.values) {
                let allowed = tolerance(tensor.stored_as, *value, largest);
                prop_assert!((read - value).abs() <= allowed, "{value} became {read} as {}", tensor.stored_as);
            }
        }
        prop_assert_eq!(copied(&file), bytes);
    }

    #[test]
    fn any_bytes_are_refused_or_readable(bytes in vec(any::<u8>(), 0..200), tensors in 0..3_u64, entries in 0..3_u64) {
        let mut file = b"GGUF\x03\0\0\0".to_vec();
        file.extend(tensors.to_le_bytes());
        file.extend(entries.to_le_bytes());
        file.extend(bytes);
        if let Ok(file) = GgufFile::from_bytes(file) {
            for tensor in file.tensors() {
                file.read_f32(tensor.name()).unwrap();
            }
        }
    }
}

/// The file once more, from its metadata and its raw tensors.
fn copied(file: &GgufFile) -> Vec<u8> {
    let mut writer = GgufWriter::new();
    writer.set_metadata(file.metadata().clone());
    for tensor in file.tensors() {
        let raw = file.read_raw(tensor.name()).unwrap();
        writer.add_raw_tensor(tensor.name(), tensor.dims(), tensor.tensor_type(), raw).unwrap();
    }
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    bytes
}
